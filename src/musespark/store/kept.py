"""A run as it is kept, whoever keeps it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from musespark.answer import fold
from musespark.content import Image, Message, Part, Text, signed_again
from musespark.events import Event, Pictured, RunEnded, RunStarted

How: TypeAlias = Literal["running", "finished", "failed", "cancelled", "interrupted"]
"""`cancelled`: the client left. `interrupted`: the server had to stop."""


def asked_in(conversation: Sequence[Message]) -> tuple[Image, ...]:
    """The pictures of a conversation's question: of the last thing that a person said. Of a video it is its contact sheet."""
    return next((message.in_pictures().images for message in reversed(conversation) if message.role == "user"), ())


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
    options: Mapping[str, Any] = field(default_factory=dict)
    """How it was asked, as the client said it: so that it can be asked again. JSON-ready."""

    @property
    def asked(self) -> tuple[Image, ...]:
        """The pictures of the question."""
        return asked_in(self.conversation)


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
    status: How = "running"
    spent: Spending = field(default_factory=Spending)
    drawn: int | None = None
    """How many pictures it has, where it comes without their events."""

    @property
    def question(self) -> str:
        """What was asked last; empty where the run has not begun."""
        return next((event.question for event in self.events if isinstance(event, RunStarted)), "")

    @property
    def turn(self) -> tuple[Message, ...]:
        """The conversation with what was answered."""
        ended = next((event for event in reversed(self.events) if isinstance(event, RunEnded)), None)
        said = ended.answer if ended else fold(self.events).answer
        parts: tuple[Part, ...] = (Text(said),) if said else ()
        if ended:
            parts = signed_again((*parts, *ended.calls), ended.signed) if parts or ended.calls else ()
        return (*self.begun.conversation, Message("assistant", parts)) if parts else self.begun.conversation

    @property
    def pictures(self) -> list[Pictured]:
        """In the order they were drawn."""
        return [event for event in self.events if isinstance(event, Pictured)]

    @property
    def picture_count(self) -> int:
        """How many there are of them."""
        return len(self.pictures) if self.drawn is None else self.drawn
