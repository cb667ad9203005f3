"""What happens while the engine answers a question: plain values, in the order in which they happen.

Thread 0 is the one that was asked; the others are numbered as they start. A position counts tokens along a thread's path from
<bos>, so it goes on where the fork was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Ending = Literal["answered", "declined", "cut", "stuck"]
"""Ending of a question. `cut`: at the tokens it was allowed; `stuck`: its thought repeats itself, or is longer than can be seen."""


@dataclass(frozen=True, slots=True)
class Forced:
    """Tokens that a thread was given: the prompt and its mode, or the returns of its children."""

    thread: int
    tokens: tuple[int, ...]
    position: int
    """Of the first one."""


@dataclass(frozen=True, slots=True)
class Generated:
    """The network wrote a token."""

    thread: int
    token: int
    position: int


@dataclass(frozen=True, slots=True)
class Started:
    """A thread began. It inherits what its parent had written up to <spawn>, and is fed <th>, its branch and <go>."""

    thread: int
    parent: int
    branch: tuple[int, ...]
    position: int
    """Of its <th>."""


@dataclass(frozen=True, slots=True)
class CanvasSaved:
    """A thread finished a picture; `canvas` is a copy that nobody paints on."""

    thread: int
    canvas: Any


@dataclass(frozen=True, slots=True)
class Returned:
    """A thread ended by itself. `settled`: what it returned settles the question, its siblings are cancelled."""

    thread: int
    tokens: tuple[int, ...]
    settled: bool


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A thread was ended by the engine and returns nothing."""

    thread: int
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The question is done."""

    answer: tuple[int, ...]
    """Empty unless `ending` is `answered`."""
    ending: Ending
    reason: str
    """Why it was cut or stuck, in one clause; empty otherwise."""
    tokens: int
    """Written by the network in all threads."""
    forced: int
    """Fed by the engine: the prompt, the mode, branches and returns."""
    critical_path: int
    """Steps of the network from the prompt to the end, one after the other. All threads take a step together, and a step that
    feeds several forced tokens at once counts as one."""
    threads: int
    """Threads that were spawned; 0 for a thought alone."""


EngineEvent = Forced | Generated | Started | CanvasSaved | Returned | Cancelled | Finished
