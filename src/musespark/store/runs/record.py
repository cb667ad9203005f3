"""A run as it is stored, in memory or in a database."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from musespark.answer import fold
from musespark.content import Image, Message, Part, Text, signed_again
from musespark.events import Event, Pictured, RunEnded, RunStarted

RunStatus: TypeAlias = Literal["running", "finished", "failed", "cancelled", "interrupted"]
"""`cancelled`: the client disconnected. `interrupted`: the server stopped or died."""


def question_images(conversation: Sequence[Message]) -> tuple[Image, ...]:
    """Images of a conversation's last user message; a video's contact sheet stands for it."""
    return next(
        (
            message.as_images().images
            for message in reversed(conversation)
            if message.role == "user"
        ),
        (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeader:
    """The part of a run that is known before its first event."""

    id: str
    protocol: str
    model: str
    """Model name as the client sent it."""
    conversation: tuple[Message, ...]
    """Messages that a next turn continues."""
    caller: str = ""
    """Id of the API key; empty without one."""
    created: float = field(default_factory=time.time)
    """Seconds since 1970."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options as the client sent them, JSON-ready, so that the question can be asked again."""

    @property
    def question_images(self) -> tuple[Image, ...]:
        """Images of the question."""
        return question_images(self.conversation)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCost:
    """Cost of a run by its budget, which counts to the end even if the events are no longer read."""

    tokens: int = 0
    usd: float = 0.0
    calls: int = 0


@dataclass(slots=True, kw_only=True)
class StoredRun:
    """A run as it is stored."""

    header: RunHeader
    events: list[Event] = field(default_factory=list)
    status: RunStatus = "running"
    cost: RunCost = field(default_factory=RunCost)
    drawn: int | None = None
    """Number of drawn images, if the run comes without their events."""

    @property
    def question(self) -> str:
        """Text of the last user message; empty before the run has started."""
        return next((event.question for event in self.events if isinstance(event, RunStarted)), "")

    @property
    def turn(self) -> tuple[Message, ...]:
        """The conversation followed by the answer."""
        ended = next(
            (event for event in reversed(self.events) if isinstance(event, RunEnded)), None
        )
        said = ended.answer if ended else fold(self.events).answer
        parts: tuple[Part, ...] = (Text(said),) if said else ()
        if ended:
            parts = (
                signed_again((*parts, *ended.calls), ended.signed) if parts or ended.calls else ()
            )
        return (
            (*self.header.conversation, Message("assistant", parts))
            if parts
            else self.header.conversation
        )

    @property
    def images(self) -> list[Pictured]:
        """Events of drawn images, in their order."""
        return [event for event in self.events if isinstance(event, Pictured)]

    @property
    def image_count(self) -> int:
        """Number of drawn images."""
        return len(self.images) if self.drawn is None else self.drawn
