"""Stores of runs: the protocol that all have, and one in memory."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, Protocol

from musespark.content import Image
from musespark.errors import StoreUnusable
from musespark.events import AnswerDelta, Event, Pictured
from musespark.store.runs.record import RunCost, RunHeader, RunStatus, StoredRun
from musespark.usage import Usage


class RunStore(Protocol):
    """A store of runs. Ids are made by the server and are never a path."""

    on_stop: Callable[[str], None]
    """Called with the id of a run of this server that another one was asked to stop."""

    @property
    def fault(self) -> StoreUnusable | None:
        """Fault of the store; None if it takes what it is given."""

    @property
    def failures(self) -> Mapping[str, int]:
        """Numbers of faults so far, by kind."""

    def require_writable(self) -> None:
        """Raise `StoreUnusable` at once if nothing can be stored now."""

    async def request_stop(self, id: str) -> bool:
        """Ask the other server that runs a run to stop it; false if none does."""

    async def start(self, header: RunHeader) -> None:
        """Store the start of a run."""

    async def append_events(self, id: str, events: Sequence[Event]) -> None:
        """Store the next events of a run; they may be buffered for a moment."""

    async def flush(self, id: str) -> None:
        """Return once everything of this run is stored for good; nothing of it may be shown before."""

    def end(self, id: str, status: RunStatus, cost: RunCost) -> None:
        """Store the end of a run; returns before that is stored for good."""

    async def get(self, id: str) -> StoredRun | None:
        """Return a run; None if there is none of that id."""

    async def latest(
        self, limit: int, before: str | None = None, caller: str | None = None
    ) -> list[StoredRun]:
        """Return the newest runs first; with `before`, those that began before that run; with `caller`, those of that caller.

        They may lack the events and the images' bytes that a summary does not need.
        """

    async def image(self, id: str, number: int) -> Image | None:
        """Return an image of a run's trace by its number, from 1."""

    async def question_image(self, id: str, number: int) -> Image | None:
        """Return an image of a run's question by its number, from 1."""

    async def head(self, id: str) -> StoredRun | None:
        """Return a run, perhaps without its conversation and events; None if there is none of that id."""

    async def events_json(self, id: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Return the next events of a run as JSON, from the one after that number; an image is its number in the run, from 1."""

    async def delete(self, id: str) -> bool:
        """Delete a run and return True; False if there is none, or it is still running."""


class MemoryRunStore:
    """A store in memory for the newest runs, up to a number and a size; a run in progress is never dropped."""

    fault: StoreUnusable | None = None
    failures: Mapping[str, int] = {}

    def __init__(self, max_runs: int = 500, max_bytes: int = 64_000_000) -> None:
        self.on_stop: Callable[[str], None] = lambda run: None
        self._max_runs, self._max_bytes = max_runs, max_bytes
        self._kept: OrderedDict[str, StoredRun] = OrderedDict()
        self._drawn: dict[str, list[int]] = {}
        """Positions of the images among a run's events."""
        self._sizes: dict[str, int] = {}
        self._size = 0

    def require_writable(self) -> None:
        """Do nothing: memory can always be written to."""

    async def request_stop(self, id: str) -> bool:
        """Return false: no other server runs what is in this memory."""
        return False

    async def start(self, header: RunHeader) -> None:
        """Store the start of a run; old runs may be dropped for it."""
        self._kept[header.id] = StoredRun(header=header)
        self._drawn[header.id] = []
        self._grow(header.id, 1000 + _size_of(header.conversation))

    async def flush(self, id: str) -> None:
        """Return at once: memory needs no flush."""

    async def append_events(self, id: str, events: Sequence[Event]) -> None:
        """Store the next events of a run."""
        there = self._kept[id].events
        self._drawn[id] += [
            at for at, event in enumerate(events, len(there)) if isinstance(event, Pictured)
        ]
        there += events
        self._grow(
            id,
            sum(
                200 + (len(event.text) if isinstance(event, AnswerDelta) else _size_of(event))
                for event in events
            ),
        )

    def end(self, id: str, status: RunStatus, cost: RunCost) -> None:
        """Store the end of a run, which may be dropped from now on."""
        self._kept[id].status, self._kept[id].cost = status, cost
        self._shrink()

    async def get(self, id: str) -> StoredRun | None:
        """Return a run; None if there is none of that id."""
        return self._kept.get(id)

    async def latest(
        self, limit: int, before: str | None = None, caller: str | None = None
    ) -> list[StoredRun]:
        """Return the newest runs first; with `before`, those that began before that run; with `caller`, those of that caller."""
        found = list(reversed(self._kept.values()))
        if before is not None:
            at = next((at for at, kept in enumerate(found) if kept.header.id == before), len(found))
            found = found[at + 1 :]
        return [kept for kept in found if caller is None or kept.header.caller == caller][:limit]

    async def image(self, id: str, number: int) -> Image | None:
        """Return an image of a run's trace by its number, from 1."""
        kept = self._kept.get(id)
        images = kept.images if kept else []
        return Image(images[number - 1].image, "image/png") if 1 <= number <= len(images) else None

    async def question_image(self, id: str, number: int) -> Image | None:
        """Return an image of a run's question by its number, from 1."""
        kept = self._kept.get(id)
        images = kept.header.question_images if kept else ()
        return images[number - 1] if 1 <= number <= len(images) else None

    async def head(self, id: str) -> StoredRun | None:
        """Return a run; None if there is none of that id."""
        return self._kept.get(id)

    async def events_json(self, id: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Return the next events of a run as JSON, from the one after that number; an image is its number in the run, from 1."""
        kept = self._kept.get(id)
        if kept is None:
            return []
        first = max(0, after + 1)
        number = bisect_left(self._drawn[id], first)
        found = []
        for event in kept.events[first : first + limit]:
            number += isinstance(event, Pictured)
            found.append(numbered_event_json(event, number))
        return found

    async def delete(self, id: str) -> bool:
        """Delete a run and return True; False if there is none, or it is still running."""
        kept = self._kept.get(id)
        if kept is None or kept.status == "running":
            return False
        self._drop(id)
        return True

    def _grow(self, id: str, size: int) -> None:
        self._sizes[id] = self._sizes.get(id, 0) + size
        self._size += size
        self._shrink()

    def _shrink(self) -> None:
        if len(self._kept) <= self._max_runs and self._size <= self._max_bytes:
            return
        while len(self._kept) > self._max_runs or self._size > self._max_bytes:
            oldest = next((id for id, kept in self._kept.items() if kept.status != "running"), None)
            if oldest is None:
                return
            self._drop(oldest)

    def _drop(self, id: str) -> None:
        del self._kept[id], self._drawn[id]
        self._size -= self._sizes.pop(id)


def numbered_event_json(event: Event, number: int) -> dict[str, Any]:
    """Return an event as JSON, with that number in place of its image."""
    return (
        {**replace(event, image=b"").to_json(), "picture": number}
        if isinstance(event, Pictured)
        else event.to_json()
    )


def _size_of(value: object) -> int:
    """Estimate the bytes that a value takes in memory."""
    kind: type = type(value)
    if kind in _FLAT:
        return 8
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, tuple):
        return sum(map(_size_of, value))
    if is_dataclass(value):
        return 100 + sum(_size_of(getattr(value, name)) for name in _names(kind))
    return 8


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(part.name for part in fields(kind))


_FLAT = frozenset({int, float, bool, type(None), Usage})
