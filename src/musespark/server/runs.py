"""Where runs are kept: the protocol that a store has, and one that forgets with the process."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, Protocol

from musespark.content import Image
from musespark.events import AnswerDelta, Event, Pictured
from musespark.store.kept import Begun, How, Kept, Spending
from musespark.usage import Usage

__all__ = ["Begun", "How", "InMemory", "Kept", "Runs", "Spending"]


class Runs(Protocol):
    """A store of runs. What it has acknowledged it keeps; ids are the server's own and never a path."""

    async def start(self, begun: Begun) -> None:
        """Keep a run from its beginning."""

    async def events(self, id: str, events: Sequence[Event]) -> None:
        """The next events of a run. They may gather for a moment before they are kept."""

    async def kept(self, id: str) -> None:
        """Return when nothing can undo what this run was given: nobody sees anything of it before."""

    def end(self, id: str, how: How, spent: Spending) -> None:
        """The run is over; nobody need wait until that is kept."""

    async def get(self, id: str) -> Kept | None:
        """A run, None where there is none of that id."""

    async def latest(self, limit: int, before: str | None = None, caller: str | None = None) -> list[Kept]:
        """The newest first; with `before`, those that began before that run; with `caller`, that one's.

        They may come without the events and the pictures' bytes that a summary does not need.
        """

    async def picture(self, id: str, number: int) -> Image | None:
        """The picture of a run by its number, from 1."""

    async def asked(self, id: str, number: int) -> Image | None:
        """The picture of a run's question by its number, from 1."""

    async def head(self, id: str) -> Kept | None:
        """A run, perhaps without its conversation and its events; None where there is none of that id."""

    async def told(self, id: str, after: int, limit: int) -> list[dict[str, Any]]:
        """The next events of a run as JSON, from the one after that number; a picture is its number among the run's, from 1."""

    async def forget(self, id: str) -> bool:
        """Delete a run; whether there was one. A run that goes on is left alone."""


class InMemory:
    """Keeps the newest runs, up to a number and a size; a run that goes on is never dropped."""

    def __init__(self, most: int = 500, most_bytes: int = 64_000_000) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._drawn: dict[str, list[int]] = {}
        """Which of a run's events are pictures."""
        self._sizes: dict[str, int] = {}
        self._size = 0

    async def start(self, begun: Begun) -> None:
        """Keep a run from its beginning; an old one may have to go."""
        self._kept[begun.id] = Kept(begun=begun)
        self._drawn[begun.id] = []
        self._grow(begun.id, 1000 + _size_of(begun.conversation))

    async def kept(self, id: str) -> None:
        """They are, as long as the process lives."""

    async def events(self, id: str, events: Sequence[Event]) -> None:
        """Keep the next events of a run."""
        there = self._kept[id].events
        self._drawn[id] += [at for at, event in enumerate(events, len(there)) if isinstance(event, Pictured)]
        there += events
        self._grow(id, sum(200 + (len(event.text) if isinstance(event, AnswerDelta) else _size_of(event)) for event in events))

    def end(self, id: str, how: How, spent: Spending) -> None:
        """The run is over, and may be dropped once there are newer ones."""
        self._kept[id].status, self._kept[id].spent = how, spent
        self._shrink()

    async def get(self, id: str) -> Kept | None:
        """A run, None where there is none of that id."""
        return self._kept.get(id)

    async def latest(self, limit: int, before: str | None = None, caller: str | None = None) -> list[Kept]:
        """The newest first; with `before`, those that began before that run; with `caller`, that one's."""
        found = list(reversed(self._kept.values()))
        if before is not None:
            at = next((at for at, kept in enumerate(found) if kept.begun.id == before), len(found))
            found = found[at + 1:]
        return [kept for kept in found if caller is None or kept.begun.caller == caller][:limit]

    async def picture(self, id: str, number: int) -> Image | None:
        """The picture of a run by its number, from 1."""
        kept = self._kept.get(id)
        pictures = kept.pictures if kept else []
        return Image(pictures[number - 1].picture, "image/png") if 1 <= number <= len(pictures) else None

    async def asked(self, id: str, number: int) -> Image | None:
        """The picture of a run's question by its number, from 1."""
        kept = self._kept.get(id)
        pictures = kept.begun.asked if kept else ()
        return pictures[number - 1] if 1 <= number <= len(pictures) else None

    async def head(self, id: str) -> Kept | None:
        """A run, None where there is none of that id."""
        return self._kept.get(id)

    async def told(self, id: str, after: int, limit: int) -> list[dict[str, Any]]:
        """The next events of a run as JSON, from the one after that number; a picture is its number among the run's, from 1."""
        kept = self._kept.get(id)
        if kept is None:
            return []
        first = max(0, after + 1)
        number = bisect_left(self._drawn[id], first)
        found = []
        for event in kept.events[first:first + limit]:
            number += isinstance(event, Pictured)
            found.append(as_told(event, number))
        return found

    async def forget(self, id: str) -> bool:
        """Delete a run; whether there was one. A run that goes on is left alone."""
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
        if len(self._kept) <= self._most and self._size <= self._most_bytes:
            return
        while len(self._kept) > self._most or self._size > self._most_bytes:
            oldest = next((id for id, kept in self._kept.items() if kept.status != "running"), None)
            if oldest is None:
                return
            self._drop(oldest)

    def _drop(self, id: str) -> None:
        del self._kept[id], self._drawn[id]
        self._size -= self._sizes.pop(id)


def as_told(event: Event, number: int) -> dict[str, Any]:
    """The event as JSON, its picture as that number."""
    return {**replace(event, picture=b"").to_json(), "picture": number} if isinstance(event, Pictured) else event.to_json()


def _size_of(value: object) -> int:
    """About as many bytes as it fills, whatever is in it."""
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
