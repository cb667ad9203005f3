"""Events of a run as pieces of a reply, the same for every protocol; each protocol then encodes them as its own chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from musespark.content import ToolCall
from musespark.events import (
    MAIN,
    Abstained,
    AnswerDelta,
    AnswerDropped,
    Event,
    FinishReason,
    Pictured,
    RunEnded,
    RunStarted,
    Thought,
)
from musespark.server.protocols.breakdown import Breakdown
from musespark.server.protocols.json_gate import JsonGate
from musespark.server.protocols.progress import progress_line
from musespark.server.protocols.signatures import pack_signatures
from musespark.usage import Usage


@dataclass(frozen=True, slots=True)
class ReasoningPiece:
    """Text before the answer: reasoning, or a line of progress."""

    text: str


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class RefusalPiece:
    """Text by which the model declines what was asked."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePiece:
    """An image of the trace."""

    number: int
    """Number among the run's images, from 1."""
    png: bytes = field(repr=False)
    caption: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SignaturePiece:
    """Signatures that the provider of an answer with tool calls wants back, packed as an opaque text."""

    packed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToolCallPiece:
    """A call of one of the client's tools."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class EndPiece:
    """The end of a reply."""

    finish_reason: FinishReason
    has_calls: bool
    stop: str | None
    """Stop text that ended the answer, as in `RunEnded`."""
    usage: Usage
    """Everything that was spent."""
    muse: dict[str, Any]
    """The `muse` block of the reply."""
    answer_usage: Usage | None = None
    """Tokens of the conversation's prompt and of the answer; None for all of `usage`."""
    has_refusal: bool = False
    """True if the model's refusal was sent as one."""

    @property
    def own(self) -> Usage:
        """Tokens of the client's own conversation: its prompt, and the answer."""
        return self.answer_usage or self.usage

    @property
    def besides(self) -> tuple[int, int]:
        """Tokens that were read and written beside the client's own conversation."""
        read = self.usage.prompt_tokens - self.own.prompt_tokens
        return read, self.usage.tokens - self.own.tokens - read


ReplyPiece: TypeAlias = (
    ReasoningPiece
    | TextPiece
    | RefusalPiece
    | ImagePiece
    | SignaturePiece
    | ToolCallPiece
    | EndPiece
)

SEPARATOR = "\n\n"
"""Text between a dropped answer and the one that replaces it: what is sent cannot be taken back."""


class ReplyEncoder:
    """Encoder of one run's events as pieces of a reply."""

    def __init__(
        self,
        *,
        headline: str = "",
        notes: tuple[str, ...] = (),
        show_progress: bool = False,
        links: str | None = None,
        is_json: bool = False,
        warnings: tuple[str, ...] = (),
    ) -> None:
        """headline, notes: first lines of the progress. links: start of the addresses of images; None if they are not stored.

        is_json: True if the answer is to be JSON and nothing else.
        """
        self._gate = JsonGate() if is_json else None
        self._warnings = warnings
        self._is_refusal = self._has_refusal = False
        self._opening = [text for text in (headline, *notes) if text] if show_progress else []
        self._notes, self._show_progress, self._links = notes, show_progress, links
        self._breakdown = Breakdown()
        self._is_mid_line = False
        self._was_dropped = False
        """True if text was sent that does not count any more."""
        self._has_text = False

    def encode(self, event: Event) -> Iterator[ReplyPiece]:
        """Yield the pieces of an event."""
        if isinstance(event, AnswerDelta):  # the most frequent event, and it has no cost to add up
            if event.text:
                yield from self._text(event.text)
            return
        self._breakdown.add(event)
        match event:
            case RunStarted():
                for text in self._opening:
                    yield self._line(text)
            case Thought(agent=agent, text=text) if agent == MAIN:
                if text:
                    self._is_mid_line = not text.endswith("\n")
                    yield ReasoningPiece(text)
            case Abstained(refused=True):
                self._is_refusal = True
            case AnswerDropped():
                self._was_dropped, self._is_refusal = self._has_text, False
                if self._gate is not None:
                    self._gate.drop()
            case RunEnded():
                yield from self._end(event)
            case _:
                if self._show_progress and (text := progress_line(event)):
                    yield self._line(text)
        if isinstance(event, Pictured):
            yield ImagePiece(
                self._breakdown.images, event.image, event.caption, event.width, event.height
            )

    def _text(self, text: str) -> Iterator[ReplyPiece]:
        """Yield a piece of the answer, as a refusal if it is one."""
        if self._is_refusal:
            self._has_refusal = True
            yield RefusalPiece(text)
        elif self._gate is not None:
            if passing := self._gate.feed(text):
                yield TextPiece(passing)
        else:
            yield TextPiece(SEPARATOR + text if self._was_dropped else text)
            self._was_dropped, self._has_text = False, True

    def _line(self, text: str) -> ReasoningPiece:
        line_break = "\n" if self._is_mid_line else ""
        self._is_mid_line = False
        return ReasoningPiece(f"{line_break}{text}\n")

    def _end(self, event: RunEnded) -> Iterator[ReplyPiece]:
        if self._gate is not None and (waiting := self._gate.flush()):
            yield TextPiece(waiting)
        packed = pack_signatures((*event.signed, *event.calls)) if event.calls else None
        if packed is not None:
            yield SignaturePiece(packed)
        for call in event.calls:
            yield ToolCallPiece(call)
        muse: dict[str, Any] = {
            **self._breakdown.block(self._links),
            "notes": list(self._notes),
            "warnings": list(self._warnings),
            "why": event.finish_reason,
            "reason": event.detail,
        }
        end = EndPiece(
            event.finish_reason,
            bool(event.calls),
            event.stop,
            event.usage,
            muse,
            event.answer_usage,
            self._has_refusal,
        )
        read, written = end.besides
        muse["conversation"] = {"tokens": end.own.tokens, "prompt_tokens": end.own.prompt_tokens}
        muse["besides"] = {"tokens": read + written, "prompt_tokens": read}
        yield end


def without_dropped_text(events: Iterable[Event]) -> list[Event]:
    """Return the events of a run that has ended, without the text of answers that were dropped."""
    found: list[Event] = []
    for event in events:
        if isinstance(event, AnswerDropped):
            found = [each for each in found if not isinstance(each, AnswerDelta)]
        else:
            found.append(event)
    return found
