"""The table of what may follow what, and that nothing a network says leads out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from networks import Path, Scripted, tokens

from musespark.errors import ModelFailed
from musespark.nano import vocabulary as v
from musespark.nano.engine import Engine
from musespark.nano.engine_events import (
    Cancelled,
    CanvasSaved,
    Finished,
    Forced,
    Generated,
    Returned,
    Started,
)
from musespark.nano.grammar import KINDS, NEXT, Role, State, illegal_mask, is_allowed, next_state
from musespark.nano.threads import CHILD_PREFIX

NEVER = {"<pad>", "<bos>", "<patch>", "<unknown>", "<instant>", "<think>", "<contemplate>"}
# Branches are named and not empty, but an interrupt or the max_threads may break a list off anywhere.
THOUGHT = r"(?:[^<]|<@\d+>|<img>(?:<p\d+><t\d+>|<@\d+>)*</img>|<spawn>(?:<th>(?:[^<]|<@\d+>)*)*<join>(?:<ret>[^<]+)*)*"
WHOLE = {
    "instant": r"<instant>(?:<decline><eos>|<TASK><answer>[^<]*<eos>)",
    "thinking": rf"<think>(?:<decline><eos>|<TASK>{THOUGHT}<answer>[^<]*<eos>)",
    "contemplating": rf"<contemplate>(?:<decline><eos>|<TASK>{THOUGHT}<answer>[^<]*<eos>)",
}
CHILD = rf"<th>(?:[^<]|<@\d+>)+<go>{THOUGHT}<ret>[^<]*<(?:end|win)>"


def test_every_state_can_be_left() -> None:
    """A thread may always write something, whatever its role; so a step never lacks a token."""
    for state in set(State) - {State.WAITING, State.ENDED}:
        for child in (True, False):
            for thinks in (True, False):
                for spawns in (True, False):
                    if not thinks and (
                        child or state in (State.DRAWING, State.PAINTING, State.SPAWNING)
                    ):
                        continue  # instant mode never gets there
                    assert (illegal_mask(state, Role(child, thinks, spawns)) == 0).any()


def test_the_table_is_closed() -> None:
    for state, following in NEXT.items():
        for kind, after in following.items():
            assert kind in KINDS and after in NEXT
            assert next_state(state, KINDS.index(kind)) is after


def test_what_is_never_written() -> None:
    kinds = {kind for following in NEXT.values() for kind in following}
    assert not kinds & (NEVER | {f"<reserved-{n}>" for n in range(4)})


def test_a_place_is_followed_by_a_tile() -> None:
    legal = [
        token
        for token in range(v.SIZE)
        if illegal_mask(State.PAINTING, Role(False, True, True))[token] == 0
    ]
    assert legal == [v.tile(n) for n in range(v.TILES)]


def test_roles() -> None:
    child = Role(True, True, False)
    assert is_allowed(child, State.THOUGHT, "<ret>") and not is_allowed(
        child, State.THOUGHT, "<answer>"
    )
    assert is_allowed(Role(False, True, True), State.THOUGHT, "<spawn>")
    assert not is_allowed(Role(False, True, False), State.THOUGHT, "<spawn>")
    instant = Role(False, False, False)
    assert [kind for kind in sorted(set(KINDS)) if is_allowed(instant, State.THOUGHT, kind)] == [
        "<answer>"
    ]
    assert np.isneginf(illegal_mask(State.ENDED, instant)).all()


def likes(seed: int, strength: dict[str, float]) -> Any:
    """A network of random wishes, with a taste for some kinds of tokens so that short runs get everywhere."""
    taste = np.array([strength.get(kind, 0) for kind in KINDS], np.float32)

    def script(path: Path) -> np.ndarray:
        rng = np.random.default_rng([seed, len(path.tokens), *path.tokens[-8:]])
        return rng.gumbel(size=v.SIZE).astype(np.float32) + taste

    return script


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32),
    mode=st.sampled_from(["instant", "thinking", "contemplating", "contemplating"]),
    max_threads=st.integers(1, 6),
    context=st.integers(12, 300),
    max_tokens=st.integers(1, 120),
    strength=st.dictionaries(st.sampled_from(sorted(set(KINDS))), st.floats(-3, 9)),
)
def test_whatever_a_network_says(
    seed: int,
    mode: str,
    max_threads: int,
    context: int,
    max_tokens: int,
    strength: dict[str, float],
) -> None:
    network = Scripted(
        likes(
            seed,
            {"<spawn>": 5, "<th>": 4, "<join>": 3, "<ret>": 3, "<end>": 3, "<img>": 3, **strength},
        ),
        context,
    )
    options = {"max_threads": max_threads, "max_tokens": max_tokens}
    events = list(Engine.of(network).run(tokens("<bos>2+2?"), None, v.MODES[mode], **options))
    done = events[-1]
    assert isinstance(done, Finished) and network.open_sequences == 0
    assert sum(isinstance(one, Finished) for one in events) == 1
    started = [one for one in events if isinstance(one, Started)]
    assert done.threads == len(started) <= max_threads and (mode == "contemplating" or not started)
    assert done.critical_path == len(network.steps)
    assert done.tokens == sum(isinstance(one, Generated) for one in events)
    ended = [one.thread for one in events if isinstance(one, Returned | Cancelled)]
    assert sorted(ended) == sorted(set(ended))
    assert {one.thread for one in started} >= set(ended) and (
        done.ending in ("cut", "stuck") or len(ended) == len(started)
    )
    texts = spoken(events)
    if done.ending not in ("cut", "stuck"):
        assert re.fullmatch(r"<bos>2\+2\?" + in_tasks(WHOLE[mode]), texts[0], re.DOTALL), texts[0]
        assert texts[0].endswith(f"<answer>{plain(done.answer)}<eos>") or done.ending == "declined"
    for one in events:
        if isinstance(one, Returned):
            assert re.fullmatch(CHILD, texts[one.thread], re.DOTALL), texts[one.thread]
        if isinstance(one, CanvasSaved):
            assert "</img>" in texts[one.thread]


def spoken(events: list[Any]) -> dict[int, str]:
    """Text of each thread from its beginning, forced and generated; text that looks like a token's name is made plain."""
    texts: dict[int, list[int]] = {}
    for one in events:
        if isinstance(one, Forced):
            texts.setdefault(one.thread, []).extend(one.tokens)
        elif isinstance(one, Started):
            texts[one.thread] = [v.TH, *one.branch, *CHILD_PREFIX]
        elif isinstance(one, Generated):
            texts[one.thread].append(one.token)
    return {thread: plain(held) for thread, held in texts.items()}


def plain(held: Iterable[int]) -> str:
    return v.decode(v.IDS["."] if token == v.IDS["<"] else token for token in held)


def in_tasks(pattern: str) -> str:
    return pattern.replace("<TASK>", "<(?:" + "|".join(v.TASK_TOKENS) + ")>")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_network_that_computes_nonsense(bad: float) -> None:
    network = Scripted(lambda _: np.full(v.SIZE, bad, np.float32))
    with pytest.raises(ModelFailed, match="not a number"), np.errstate(invalid="ignore"):
        list(Engine.of(network).run(tokens("<bos>?")))
