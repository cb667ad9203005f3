"""Events as the pieces of a reply, the same for every protocol; each writes them down in its own chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from musespark.content import ToolCall
from musespark.events import MAIN, AnswerDelta, AnswerDropped, Event, FinishReason, Pictured, RunEnded, RunStarted, Thought
from musespark.server.breakdown import Breakdown
from musespark.server.progress import line
from musespark.server.seals import sealed
from musespark.usage import Usage


@dataclass(frozen=True, slots=True)
class Mused:
    """A piece of what comes before the answer: reasoning, or a line of progress."""

    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Drew:
    """A picture."""

    number: int
    """From 1."""
    png: bytes = field(repr=False)
    caption: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the provider of an answer that calls tools wants to see again, in an opaque text (`seals`)."""

    seal: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Called:
    """The answer calls a tool of the client's."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a reply."""

    finish_reason: FinishReason
    called: bool
    stop: str | None
    """Which text to stop at ended it, as `RunEnded` has it."""
    usage: Usage
    muse: dict[str, Any]


Piece: TypeAlias = Mused | Said | Drew | Sealed | Called | Ended

BETWEEN = "\n\n"
"""What is sent between a text that turned out to be void and the one that replaces it: what is sent cannot be unsent."""


class Telling:
    """One run, told as it happens."""

    def __init__(self, *, head: str = "", notes: tuple[str, ...] = (), lines: bool = False,
                 links: str | None = None) -> None:
        """head: said first. notes: what was done otherwise than asked. lines: whether the events are told. links: of pictures."""
        self._opening = [text for text in (head, *notes) if text] if lines else []
        self._notes, self._lines, self._links = notes, lines, links
        self._breakdown = Breakdown()
        self._mid_line = False
        self._void = False
        """Whether text was sent that no longer counts."""
        self._said = False

    def tell(self, event: Event) -> Iterator[Piece]:
        """The pieces that an event means."""
        if isinstance(event, AnswerDelta):  # most of all, and none of the others' business
            if event.text:
                yield Said(BETWEEN + event.text if self._void else event.text)
                self._void, self._said = False, True
            return
        self._breakdown.happened(event)
        match event:
            case RunStarted():
                for text in self._opening:
                    yield self._line(text)
            case Thought(agent=agent, text=text) if agent == MAIN:
                if text:
                    self._mid_line = not text.endswith("\n")
                    yield Mused(text)
            case AnswerDropped():
                self._void = self._said
            case RunEnded():
                yield from self._end(event)
            case _:
                if self._lines and (text := line(event)):
                    yield self._line(text)
        if isinstance(event, Pictured):
            yield Drew(self._breakdown.pictures, event.picture, event.caption, event.width, event.height)

    def _line(self, text: str) -> Mused:
        broken = "\n" if self._mid_line else ""
        self._mid_line = False
        return Mused(f"{broken}{text}\n")

    def _end(self, event: RunEnded) -> Iterator[Piece]:
        seal = sealed((*event.signed, *event.calls)) if event.calls else None
        if seal is not None:
            yield Sealed(seal)
        for call in event.calls:
            yield Called(call)
        muse = {**self.block(), "why": event.finish_reason, "reason": event.detail}
        yield Ended(event.finish_reason, bool(event.calls), event.stop, event.usage, muse)

    def block(self) -> dict[str, Any]:
        """The `muse` block so far."""
        return {**self._breakdown.block(self._links), "notes": list(self._notes)}


def settled(events: Iterable[Event]) -> list[Event]:
    """The events of a run that has ended, without the pieces of an answer that turned out to be void."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, AnswerDropped):
            kept = [each for each in kept if not isinstance(each, AnswerDelta)]
        else:
            kept.append(event)
    return kept
