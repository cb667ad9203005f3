"""Lines that fork, wait and end are answered as if each had been read from its beginning."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from networks import SMALL, plain_logits, random_weights

from musespark.nano import vocabulary as v
from musespark.nano.cache import Line
from musespark.nano.lines import Feed
from musespark.nano.network import NumpyLines, NumpyNetwork

TENSORS = random_weights(SMALL)
NETWORK = NumpyNetwork(SMALL, TENSORS)
PATCHES = np.random.default_rng(5).standard_normal((v.PLACES, SMALL.patch), dtype=np.float32)


class Checked:
    """Lines beside the tokens they should hold; every step is compared with the plain computation."""

    def __init__(self) -> None:
        self.lines: NumpyLines = NETWORK.lines()
        self.held: dict[Line, list[int]] = {}

    def open(self) -> Line:
        line = self.lines.open()
        self.held[line] = []
        return line

    def fork(self, line: Line) -> Line:
        twin = self.lines.fork(line)
        self.held[twin] = self.held[line].copy()
        return twin

    def close(self, line: Line) -> None:
        self.lines.close(line)
        del self.held[line]

    def step(self, *feeds: Feed) -> None:
        for feed, logits in zip(feeds, self.lines.step(feeds), strict=True):
            held = self.held[feed.line]
            held += feed.tokens
            plain = plain_logits(SMALL, TENSORS, held, PATCHES if v.PATCH in held else None)
            np.testing.assert_allclose(logits, plain[-1], atol=1e-4)
            assert len(feed.line) == len(held)


def test_a_image_and_a_prompt() -> None:
    checked = Checked()
    line = checked.open()
    checked.step(Feed(line, [v.BOS, *([v.PATCH] * v.PLACES), *v.encode("Where?")], PATCHES))
    checked.step(Feed(line, [v.INSTANT]))


def test_every_token_of_a_long_feed() -> None:
    words = np.random.default_rng(0).integers(0, v.SIZE, 70).tolist()
    words = [token if token != v.PATCH else v.PAD for token in words]
    checked = Checked()
    whole, by_one = checked.open(), checked.open()
    checked.step(Feed(whole, words))
    for token in words:
        checked.step(Feed(by_one, [token]))


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_any_tree_of_lines(seed: int) -> None:
    """Random forks, ends, waits and feeds of random lengths, in random order, several trees at once."""
    rng = np.random.default_rng(seed)
    checked = Checked()
    for _ in range(2):
        line = checked.open()
        image = [v.PATCH] * v.PLACES if rng.random() < 0.5 else []
        checked.step(Feed(line, [v.BOS, *image, *rng.integers(30, 120, 20).tolist()], PATCHES if image else None))
    for _ in range(12):
        lines = list(checked.held)
        if rng.random() < 0.5 and len(lines) < 9:
            checked.fork(lines[rng.integers(len(lines))])
        if rng.random() < 0.2 and len(lines) > 1:
            checked.close(lines[rng.integers(len(lines))])
        fed = [line for line in checked.held if rng.random() < 0.7]
        rng.shuffle(fed)
        if fed:
            sizes = [1 if rng.random() < 0.8 else int(rng.integers(2, 7)) for _ in fed]
            checked.step(*(Feed(line, rng.integers(30, 120, size).tolist()) for line, size in zip(fed, sizes, strict=True)))


def test_what_lines_share_is_stored_once() -> None:
    lines = NETWORK.lines()
    stem = lines.open()
    lines.step([Feed(stem, list(range(30, 110)) * 3)])
    twins = [lines.fork(stem) for _ in range(16)]
    lines.close(stem)
    lines.step([Feed(twin, [40]) for twin in twins[:1]])
    one = lines.cache.nbytes
    lines.step([Feed(twin, [40]) for twin in twins])
    tails = lines.cache.keys.nbytes + lines.cache.values.nbytes
    segment = 2 * 240 * SMALL.layers * SMALL.width * 4
    assert lines.cache.nbytes == tails + segment
    assert {id(segment) for twin in twins for segment in twin.path} == {id(twins[0].path[0])}
    assert one < lines.cache.nbytes


def test_ended_lines_leave_their_seats() -> None:
    lines = NETWORK.lines()
    for _ in range(50):
        line = lines.open()
        lines.step([Feed(line, [40, 41])])
        lines.close(line)
        lines.close(line)
    assert lines.cache.keys.shape[2] == 1


def test_threads_of_the_process_share_a_network() -> None:
    words = list(range(40, 80))
    expected = plain_logits(SMALL, TENSORS, words)[-1]
    wrong: list[float] = []

    def decode() -> None:
        lines = NETWORK.lines()
        line = lines.open()
        for token in words[:-1]:
            lines.step([Feed(line, [token])])
        wrong.append(np.abs(lines.step([Feed(line, words[-1:])])[0] - expected).max())

    workers = [threading.Thread(target=decode) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(wrong) == 4 and max(wrong) < 1e-4


def test_large_scores_do_not_overflow() -> None:
    steep = {name: tensor * (30 if "_layernorm.weight" in name and "self_attn" in name else 1) for name, tensor in TENSORS.items()}
    lines = NumpyNetwork(SMALL, steep).lines()
    stem = lines.open()
    lines.step([Feed(stem, list(range(40, 80)))])
    twin = lines.fork(stem)
    with np.errstate(all="raise", under="ignore"):
        logits = lines.step([Feed(twin, [50])])[0]
    np.testing.assert_allclose(logits, plain_logits(SMALL, steep, [*range(40, 80), 50])[-1], atol=5e-3)


@pytest.mark.parametrize("heads, rotary", [(1, 0.5), (8, 0.5), (4, 0.25), (4, 1.0)])
def test_other_shapes(heads: int, rotary: float) -> None:
    import dataclasses

    config = dataclasses.replace(SMALL, heads=heads, rotary=rotary)
    tensors = random_weights(config, 3)
    lines = NumpyNetwork(config, tensors).lines()
    words = list(range(40, 60))
    logits = lines.step([Feed(lines.open(), words)])[0]
    np.testing.assert_allclose(logits, plain_logits(config, tensors, words)[-1], atol=1e-4)
