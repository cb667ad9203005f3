"""Events of the engine while it answers a request: plain values, in the order in which they happen.

Thread 0 begins with the request; the others are numbered as they start. A position counts tokens along a thread's path from
<bos>, so positions of a forked thread continue after the fork.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Ending = Literal["answered", "declined", "cut", "stuck"]
"""Ending of a request. `cut`: it reached its limit of tokens; `stuck`: its thought repeats itself, or outgrows the context."""


@dataclass(frozen=True, slots=True)
class Forced:
    """Tokens that the engine feeds a thread: the prompt and its mode, or the returns of its children."""

    thread: int
    tokens: tuple[int, ...]
    position: int
    """Position of the first token."""


@dataclass(frozen=True, slots=True)
class Generated:
    """A token that the network wrote."""

    thread: int
    token: int
    position: int


@dataclass(frozen=True, slots=True)
class Started:
    """A thread began. It inherits everything its parent had written up to <spawn>, and is fed <th>, its branch and <go>."""

    thread: int
    parent: int
    branch: tuple[int, ...]
    position: int
    """Position of its <th>."""


@dataclass(frozen=True, slots=True)
class CanvasSaved:
    """A thread finished an image; `canvas` is a copy that does not change any more."""

    thread: int
    canvas: Any


@dataclass(frozen=True, slots=True)
class Returned:
    """A thread ended by itself. `settled`: its return settles the question, and its siblings are cancelled."""

    thread: int
    tokens: tuple[int, ...]
    settled: bool


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The engine ended a thread, which returns nothing."""

    thread: int
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The request is done."""

    answer: tuple[int, ...]
    """Empty unless `ending` is `answered`."""
    ending: Ending
    reason: str
    """Reason for `cut` or `stuck`, in one clause; empty otherwise."""
    tokens: int
    """Tokens that the network wrote, in all threads."""
    forced: int
    """Tokens that the engine fed: the prompt, the mode, branches and returns."""
    critical_path: int
    """Steps of the network from the prompt to the end, one after the other. All threads take a step together, and a step that
    feeds several forced tokens at once counts as one."""
    threads: int
    """Threads that were spawned; 0 if only the first thread thought."""


EngineEvent = Forced | Generated | Started | CanvasSaved | Returned | Cancelled | Finished
