"""Sequences that fork, wait and end are answered as if each had been read from its beginning."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from networks import SMALL, plain_logits, random_weights

from musespark.nano import vocabulary as v
from musespark.nano.cache import CachedSequence
from musespark.nano.decode_session import StepInput
from musespark.nano.network import NumpyDecodeSession, NumpyNetwork

TENSORS = random_weights(SMALL)
NETWORK = NumpyNetwork(SMALL, TENSORS)
PATCHES = np.random.default_rng(5).standard_normal((v.PLACES, SMALL.patch), dtype=np.float32)


class Checked:
    """A session beside the tokens they should hold; every step is compared with the plain computation."""

    def __init__(self) -> None:
        self.session: NumpyDecodeSession = NETWORK.new_session()
        self.held: dict[CachedSequence, list[int]] = {}

    def open(self) -> CachedSequence:
        sequence = self.session.open()
        self.held[sequence] = []
        return sequence

    def fork(self, sequence: CachedSequence) -> CachedSequence:
        twin = self.session.fork(sequence)
        self.held[twin] = self.held[sequence].copy()
        return twin

    def close(self, sequence: CachedSequence) -> None:
        self.session.close(sequence)
        del self.held[sequence]

    def step(self, *inputs: StepInput) -> None:
        for step_input, logits in zip(inputs, self.session.step(inputs), strict=True):
            held = self.held[step_input.sequence]
            held += step_input.tokens
            plain = plain_logits(SMALL, TENSORS, held, PATCHES if v.PATCH in held else None)
            np.testing.assert_allclose(logits, plain[-1], atol=1e-4)
            assert len(step_input.sequence) == len(held)


def test_an_image_and_a_prompt() -> None:
    checked = Checked()
    sequence = checked.open()
    checked.step(
        StepInput(sequence, [v.BOS, *([v.PATCH] * v.PLACES), *v.encode("Where?")], PATCHES)
    )
    checked.step(StepInput(sequence, [v.INSTANT]))


def test_every_token_of_a_long_feed() -> None:
    words = np.random.default_rng(0).integers(0, v.SIZE, 70).tolist()
    words = [token if token != v.PATCH else v.PAD for token in words]
    checked = Checked()
    whole, by_one = checked.open(), checked.open()
    checked.step(StepInput(whole, words))
    for token in words:
        checked.step(StepInput(by_one, [token]))


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_any_tree_of_sequences(seed: int) -> None:
    """Random forks, ends, waits and inputs of random lengths, in random order, several trees at once."""
    rng = np.random.default_rng(seed)
    checked = Checked()
    for _ in range(2):
        sequence = checked.open()
        image = [v.PATCH] * v.PLACES if rng.random() < 0.5 else []
        checked.step(
            StepInput(
                sequence,
                [v.BOS, *image, *rng.integers(30, 120, 20).tolist()],
                PATCHES if image else None,
            )
        )
    for _ in range(12):
        lines = list(checked.held)
        if rng.random() < 0.5 and len(lines) < 9:
            checked.fork(lines[rng.integers(len(lines))])
        if rng.random() < 0.2 and len(lines) > 1:
            checked.close(lines[rng.integers(len(lines))])
        fed = [sequence for sequence in checked.held if rng.random() < 0.7]
        rng.shuffle(fed)
        if fed:
            sizes = [1 if rng.random() < 0.8 else int(rng.integers(2, 7)) for _ in fed]
            checked.step(
                *(
                    StepInput(sequence, rng.integers(30, 120, size).tolist())
                    for sequence, size in zip(fed, sizes, strict=True)
                )
            )


def test_shared_segments_are_stored_once() -> None:
    lines = NETWORK.new_session()
    stem = lines.open()
    lines.step([StepInput(stem, list(range(30, 110)) * 3)])
    twins = [lines.fork(stem) for _ in range(16)]
    lines.close(stem)
    lines.step([StepInput(twin, [40]) for twin in twins[:1]])
    one = lines.cache.nbytes
    lines.step([StepInput(twin, [40]) for twin in twins])
    tails = lines.cache.keys.nbytes + lines.cache.values.nbytes
    segment = 2 * 240 * SMALL.layers * SMALL.width * 4
    assert lines.cache.nbytes == tails + segment
    assert {id(segment) for twin in twins for segment in twin.path} == {id(twins[0].path[0])}
    assert one < lines.cache.nbytes


def test_closed_sequences_free_their_slots() -> None:
    lines = NETWORK.new_session()
    for _ in range(50):
        sequence = lines.open()
        lines.step([StepInput(sequence, [40, 41])])
        lines.close(sequence)
        lines.close(sequence)
    assert lines.cache.keys.shape[2] == 1


def test_threads_of_the_process_share_a_network() -> None:
    words = list(range(40, 80))
    expected = plain_logits(SMALL, TENSORS, words)[-1]
    wrong: list[float] = []

    def decode() -> None:
        lines = NETWORK.new_session()
        sequence = lines.open()
        for token in words[:-1]:
            lines.step([StepInput(sequence, [token])])
        wrong.append(np.abs(lines.step([StepInput(sequence, words[-1:])])[0] - expected).max())

    workers = [threading.Thread(target=decode) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(wrong) == 4 and max(wrong) < 1e-4


def test_large_scores_do_not_overflow() -> None:
    steep = {
        name: tensor * (30 if "_layernorm.weight" in name and "self_attn" in name else 1)
        for name, tensor in TENSORS.items()
    }
    lines = NumpyNetwork(SMALL, steep).new_session()
    stem = lines.open()
    lines.step([StepInput(stem, list(range(40, 80)))])
    twin = lines.fork(stem)
    with np.errstate(all="raise", under="ignore"):
        logits = lines.step([StepInput(twin, [50])])[0]
    np.testing.assert_allclose(
        logits, plain_logits(SMALL, steep, [*range(40, 80), 50])[-1], atol=5e-3
    )


@pytest.mark.parametrize("heads, rotary", [(1, 0.5), (8, 0.5), (4, 0.25), (4, 1.0)])
def test_other_shapes(heads: int, rotary: float) -> None:
    import dataclasses

    config = dataclasses.replace(SMALL, heads=heads, rotary=rotary)
    tensors = random_weights(config, 3)
    lines = NumpyNetwork(config, tensors).new_session()
    words = list(range(40, 60))
    logits = lines.step([StepInput(lines.open(), words)])[0]
    np.testing.assert_allclose(logits, plain_logits(config, tensors, words)[-1], atol=1e-4)
