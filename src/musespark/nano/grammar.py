"""The grammar of a thread: a table of the tokens that may follow in each state.

The grammar constrains form and never decides content: of the tokens that are legal, the network chooses.
"""

from __future__ import annotations

import enum
import functools
from typing import NamedTuple

import numpy as np

from musespark.nano import vocabulary as v
from musespark.nano.arrays import Floats


class State(enum.Enum):
    """Position of a thread in the grammar."""

    OPENING = enum.auto()
    """The mode was fed; the task comes next."""
    THOUGHT = enum.auto()
    DRAWING = enum.auto()
    PAINTING = enum.auto()
    """A place was written; its tile comes next."""
    SPAWNING = enum.auto()
    """`<spawn>` was written; the first branch comes next."""
    NAMING = enum.auto()
    """`<th>` was written; the branch has no text yet."""
    BRANCH = enum.auto()
    WAITING = enum.auto()
    """`<join>` was written, or this thread was interrupted: the returns are fed next."""
    RETURNING = enum.auto()
    ANSWERING = enum.auto()
    DECLINING = enum.auto()
    ENDED = enum.auto()


class Role(NamedTuple):
    """Permissions of a thread that do not depend on its state: only the first thread answers, only its descendants return."""

    child: bool
    thinks: bool
    """False in instant mode."""
    spawns: bool
    """True in contemplating mode, above the greatest depth, and while the request may start more threads."""


TEXT, LOOK, PLACE, TILE, TASK = "text", "look", "place", "tile", "task"
NEXT: dict[State, dict[str, State]] = {
    State.OPENING: {TASK: State.THOUGHT, "<decline>": State.DECLINING},
    State.THOUGHT: {
        TEXT: State.THOUGHT,
        LOOK: State.THOUGHT,
        "<img>": State.DRAWING,
        "<spawn>": State.SPAWNING,
        "<ret>": State.RETURNING,
        "<answer>": State.ANSWERING,
    },
    State.DRAWING: {PLACE: State.PAINTING, LOOK: State.DRAWING, "</img>": State.THOUGHT},
    State.PAINTING: {TILE: State.DRAWING},
    State.SPAWNING: {"<th>": State.NAMING},
    State.NAMING: {TEXT: State.BRANCH, LOOK: State.BRANCH},
    State.BRANCH: {
        TEXT: State.BRANCH,
        LOOK: State.BRANCH,
        "<th>": State.NAMING,
        "<join>": State.WAITING,
    },
    State.WAITING: {},
    State.RETURNING: {TEXT: State.RETURNING, "<end>": State.ENDED, "<win>": State.ENDED},
    State.ANSWERING: {TEXT: State.ANSWERING, "<eos>": State.ENDED},
    State.DECLINING: {"<eos>": State.ENDED},
    State.ENDED: {},
}


def _kind(token: int) -> str:
    name = v.TOKENS[token]
    if v.is_text(token):
        return TEXT
    if token in v.TASK_TOKENS.values():
        return TASK
    if v.as_place(token) is not None:
        return PLACE
    if v.as_tile(token) is not None:
        return TILE
    return LOOK if name.startswith("<@") else name


KINDS = tuple(_kind(token) for token in range(v.SIZE))
"""The kind of every token: one of the five above, or the name of a control token."""


def next_state(state: State, token: int) -> State:
    """Return the state after a legal token."""
    return NEXT[state][KINDS[token]]


def is_allowed(role: Role, state: State, kind: str) -> bool:
    """Return True if a thread of this role may write a token of this kind in this state."""
    if kind not in NEXT[state]:
        return False
    if kind == "<spawn>":
        return role.thinks and role.spawns
    if kind == "<ret>":
        return role.child
    if kind == "<answer>":
        return not role.child
    return role.thinks or state is not State.THOUGHT


@functools.cache
def illegal_mask(state: State, role: Role) -> Floats:
    """Mask to add to the logits (vocabulary,): 0 for the legal tokens, -inf for the others. Read-only."""
    mask = np.array([0 if is_allowed(role, state, kind) else -np.inf for kind in KINDS], np.float32)
    mask.setflags(write=False)
    return mask
