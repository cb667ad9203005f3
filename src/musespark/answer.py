"""The answer that a run's events add up to. Streaming is the only path; a value is a fold of the stream."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass, field, replace

from musespark.content import Mode
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
    Spent,
    Status,
    Verified,
)
from musespark.usage import Usage

_UNCHECKED: Status = "unchecked"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with the events that led to it. `str()` is the answer itself."""

    answer: str
    mode: Mode
    verified: bool
    """True if a verifier has checked the answer and found it right."""
    usage: Usage
    images: tuple[Pictured, ...]
    """Images that the agents drew, in order."""
    finish_reason: FinishReason
    """Reason for the end of the run; anything but `finished` marks the best answer so far."""
    events: tuple[Event, ...] = field(repr=False)
    detail: str = ""
    """Further words of the model about the end; often empty."""
    status: Status = "unchecked"
    """Certainty of the answer: `verified` or `refuted` by a verifier, `unchecked`, or `abstained`."""
    abstained: str = ""
    """Reason for abstaining, a clause without a full stop; empty if the model did not abstain."""

    @property
    def truncated(self) -> bool:
        """True if this is only the best answer so far."""
        return self.finish_reason not in ("finished", "refused")

    @property
    def why(self) -> FinishReason:
        """Earlier name of `finish_reason`, for programs written before 0.2."""
        return self.finish_reason

    @property
    def reason(self) -> str:
        """Earlier name of `detail`, for programs written before 0.2."""
        return self.detail

    def __str__(self) -> str:
        return self.answer


def fold(events: Iterable[Event]) -> Answer:
    """Fold events into an answer; those of a run that did not end give its best answer so far, marked `cut`."""
    seen = tuple(events)
    answer, status, abstained, usage = "", _UNCHECKED, "", Usage()
    mode = Mode.CONTEMPLATING
    finish_reason: FinishReason = "cut"
    detail = ""
    for event in seen:
        match event:
            case RunStarted():
                mode = event.mode
            case AnswerDelta():
                answer += event.text
            case AnswerDropped():
                answer, status, abstained = "", _UNCHECKED, ""
            case Verified():
                status, abstained = ("verified" if event.ok else "refuted"), ""
            case Abstained():
                status, abstained = "abstained", event.reason
            case Spent(agent=agent) if agent == MAIN:
                usage = event.usage
            case RunEnded():
                answer, usage, status, abstained = (
                    event.answer,
                    event.usage,
                    _final(event),
                    event.abstained,
                )
                finish_reason, detail = event.finish_reason, event.detail
    if seen and not isinstance(seen[-1], RunEnded):
        usage = replace(
            usage, seconds=seen[-1].at
        )  # the last event alone has the duration of the run
    images = tuple(event for event in seen if isinstance(event, Pictured))
    return Answer(
        answer,
        mode,
        status == "verified",
        usage,
        images,
        finish_reason,
        seen,
        detail,
        status,
        abstained,
    )


def _final(end: RunEnded) -> Status:
    """Status of a run that has ended, from its last event alone, the only one that a list of runs reads."""
    return end.status or ("verified" if end.verified else _UNCHECKED)


async def collect(events: AsyncIterable[Event]) -> Answer:
    """Await the end of a stream and fold its events. Passes the stream's errors on."""
    return fold([event async for event in events])
