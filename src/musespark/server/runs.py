"""Where runs are kept: the protocol that a store has, and one that forgets with the process."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from musespark.answer import fold
from musespark.content import Image, Message, Part, Text
from musespark.events import Event, Pictured, RunEnded

How: TypeAlias = Literal["running", "finished", "failed", "cancelled", "interrupted"]
"""`cancelled`: the client left. `interrupted`: the server had to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What is known of a run before its first event."""

    id: str
    protocol: str
    model: str
    """As the client named it."""
    conversation: tuple[Message, ...]
    """What a next turn goes on from."""
    caller: str = ""
    created: float = field(default_factory=time.time)
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a run has cost by its budget, which counts to the end even where nobody reads its events any more."""

    tokens: int = 0
    usd: float = 0.0
    calls: int = 0


@dataclass(slots=True, kw_only=True)
class Kept:
    """A run as it was kept."""

    begun: Begun
    events: list[Event] = field(default_factory=list)
    how: How = "running"
    spent: Spending = field(default_factory=Spending)

    @property
    def turn(self) -> tuple[Message, ...]:
        """The conversation with what was answered."""
        ended = next((event for event in reversed(self.events) if isinstance(event, RunEnded)), None)
        said = ended.answer if ended else fold(self.events).answer
        parts: list[Part] = [Text(said)] if said else []
        parts += ended.calls if ended else ()
        return (*self.begun.conversation, Message("assistant", tuple(parts))) if parts else self.begun.conversation

    @property
    def pictures(self) -> list[Pictured]:
        """In the order they were drawn."""
        return [event for event in self.events if isinstance(event, Pictured)]


class Runs(Protocol):
    """A store of runs. What it has acknowledged it keeps; ids are the server's own and never a path."""

    async def start(self, begun: Begun) -> None:
        """Keep a run from its beginning."""

    async def event(self, id: str, event: Event) -> None:
        """Keep the next event of a run."""

    async def end(self, id: str, how: How, spent: Spending) -> None:
        """The run is over."""

    async def get(self, id: str) -> Kept | None:
        """A run, None where there is none of that id."""

    async def latest(self, limit: int, before: str | None = None) -> list[Kept]:
        """The newest first; with `before`, those that began before that run."""

    async def picture(self, id: str, number: int) -> Image | None:
        """The picture of a run by its number, from 1."""


class InMemory:
    """Keeps the newest runs, up to a number and a size; a run that goes on is never dropped."""

    def __init__(self, most: int = 500, most_bytes: int = 64_000_000) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._size = 0

    async def start(self, begun: Begun) -> None:
        """Keep a run from its beginning; an old one may have to go."""
        self._kept[begun.id] = Kept(begun=begun)
        self._grow(begun.id, 1000 + sum(_size_of(part) for message in begun.conversation for part in message.parts))

    async def event(self, id: str, event: Event) -> None:
        """Keep the next event of a run."""
        self._kept[id].events.append(event)
        self._grow(id, 200 + (len(event.picture) if isinstance(event, Pictured) else len(getattr(event, "text", ""))))

    async def end(self, id: str, how: How, spent: Spending) -> None:
        """The run is over, and may be dropped once there are newer ones."""
        self._kept[id].how, self._kept[id].spent = how, spent
        self._shrink()

    async def get(self, id: str) -> Kept | None:
        """A run, None where there is none of that id."""
        return self._kept.get(id)

    async def latest(self, limit: int, before: str | None = None) -> list[Kept]:
        """The newest first; with `before`, those that began before that run."""
        found = list(reversed(self._kept.values()))
        if before is not None:
            at = next((at for at, kept in enumerate(found) if kept.begun.id == before), len(found))
            found = found[at + 1:]
        return found[:limit]

    async def picture(self, id: str, number: int) -> Image | None:
        """The picture of a run by its number, from 1."""
        kept = self._kept.get(id)
        pictures = kept.pictures if kept else []
        return Image(pictures[number - 1].picture, "image/png") if 1 <= number <= len(pictures) else None

    def _grow(self, id: str, size: int) -> None:
        self._sizes[id] = self._sizes.get(id, 0) + size
        self._size += size
        self._shrink()

    def _shrink(self) -> None:
        if len(self._kept) <= self._most and self._size <= self._most_bytes:
            return
        for id in [id for id, kept in self._kept.items() if kept.how != "running"]:
            if len(self._kept) <= self._most and self._size <= self._most_bytes:
                return
            del self._kept[id]
            self._size -= self._sizes.pop(id)


def _size_of(part: Part) -> int:
    return len(part.data) if isinstance(part, Image) else len(getattr(part, "text", "")) + 100
