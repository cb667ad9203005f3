"""The slot of each call, and prompts that several calls share.

A slot is a sequence of llama.cpp's batch; what it read last stays in it, and a call that begins alike reads only the rest. Agents
of a team ask the same at once, when no slot has their prompt yet: one of them reads it, its state is copied into the slots of the
others, and all decode from there as one batch. Everything here runs in the worker threads of an engine.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

GATHER = 0.01
"""Seconds that a call waits for others with the same prompt before it reads it."""
POLL = 0.02
"""Seconds between two looks if a call that waits for another one's prompt was closed."""


@dataclass
class Slot:
    """One sequence of the batch."""

    number: int
    messages: tuple[str, ...] = ()
    """Messages that it read last, as text."""
    is_busy: bool = False
    used: int = 0
    """When it was last used, as a count of uses."""


@dataclass
class _SharedPrompt:
    """A prompt that several calls have, and the state of a slot that has read it."""

    state: str
    """Name of the state."""
    ready: threading.Event = field(default_factory=threading.Event)
    is_saved: bool = False


class SlotStates(Protocol):
    """States of slots under a name, for one call."""

    @property
    def is_closed(self) -> bool:
        """True if the call was closed."""

    def save(self, slot: Slot, state: str) -> bool:
        """Read the prompt of a call into its slot and save the state. Returns true if there is one."""

    def restore(self, slot: Slot, state: str) -> bool:
        """Copy a state into a slot. Returns true if that was done."""


class Slots:
    """Assigns slots to calls. Its methods may be called from any thread."""

    def __init__(self, number: int) -> None:
        self._slots = [Slot(index) for index in range(number)]
        self._lock = threading.Lock()
        self._wanted: Counter[tuple[str, ...]] = Counter()
        self._shared: dict[tuple[str, ...], _SharedPrompt] = {}
        self._uses = count()
        self._states = count()

    def want(self, messages: tuple[str, ...]) -> None:
        """Announce a call with this prompt."""
        with self._lock:
            self._wanted[messages] += 1

    def unwant(self, messages: tuple[str, ...]) -> str | None:
        """Take back what `want` announced: the call has ended. Returns the name of a state that no call wants any more."""
        with self._lock:
            self._wanted[messages] -= 1
            if self._wanted[messages] > 0:
                return None
            del self._wanted[messages]
            shared = self._shared.pop(messages, None)
            return None if shared is None else shared.state

    def wanted(self, messages: tuple[str, ...]) -> int:
        """Number of calls that have this prompt."""
        with self._lock:
            return self._wanted.get(messages, 0)

    def take(self, messages: tuple[str, ...]) -> Slot:
        """Take the free slot that has read most of a prompt, else the one that was unused for longest.

        There must be one: an engine has as many workers as slots.
        """
        with self._lock:
            free = [slot for slot in self._slots if not slot.is_busy]
            slot = max(free, key=lambda each: (_common(each.messages, messages), -each.used))
            slot.is_busy, slot.used = True, next(self._uses) + 1
            return slot

    def give_back(self, slot: Slot, messages: tuple[str, ...]) -> None:
        """Give a slot back, which has read this prompt last."""
        with self._lock:
            slot.is_busy, slot.messages = False, messages

    def prepare(self, slot: Slot, messages: tuple[str, ...], states: SlotStates) -> None:
        """Read a prompt into a slot if other calls want it too, or restore what another call has read. Otherwise do nothing."""
        if slot.messages != messages and self.wanted(messages) < 2:
            time.sleep(GATHER)
        with self._lock:
            shared = self._shared.get(messages)
            is_first = shared is None and self._wanted[messages] > 1
            if is_first:
                shared = self._shared[messages] = _SharedPrompt(
                    f"prompt-{next(self._states)}.state"
                )
        if shared is None:
            return
        if is_first:
            try:
                shared.is_saved = states.save(slot, shared.state)
            finally:
                shared.ready.set()
        elif slot.messages != messages:
            while not shared.ready.wait(POLL):
                if states.is_closed:
                    return
            if shared.is_saved:
                states.restore(slot, shared.state)


def _common(have: tuple[str, ...], want: tuple[str, ...]) -> int:
    """Number of messages at the beginning that are the same."""
    same = 0
    for one, other in zip(have, want, strict=False):
        if one != other:
            break
        same += 1
    return same
