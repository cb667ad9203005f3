"""What a run's events add up to. Streaming is the only path; whoever wants a value folds the stream."""

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
    """An answer and everything that led to it. `str()` is the answer itself."""

    answer: str
    mode: Mode
    verified: bool
    """Whether something that knows has checked the answer and found it right."""
    usage: Usage
    pictures: tuple[Pictured, ...]
    """What the agents drew, in order."""
    finish_reason: FinishReason
    """Why the run ended; anything but `finished` marks the best answer so far."""
    events: tuple[Event, ...] = field(repr=False)
    detail: str = ""
    """What more the model said about why it stopped; often nothing."""
    status: Status = "unchecked"
    """Certainty of the answer: `verified` or `refuted` by something that knows, `unchecked`, or `abstained`."""
    abstained: str = ""
    """Why the model abstained, a clause without a full stop; empty where it did not."""

    @property
    def truncated(self) -> bool:
        """Whether this is only the best answer so far."""
        return self.finish_reason != "finished"

    def __str__(self) -> str:
        return self.answer


def fold(events: Iterable[Event]) -> Answer:
    """The answer that events add up to; those of a run that did not end give its best answer so far, marked `cut`."""
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
                answer, usage, status, abstained = event.answer, event.usage, _final(event), event.abstained
                finish_reason, detail = event.finish_reason, event.detail
    if seen and not isinstance(seen[-1], RunEnded):
        usage = replace(usage, seconds=seen[-1].at)  # only the end of a run says how long it took
    pictures = tuple(event for event in seen if isinstance(event, Pictured))
    return Answer(answer, mode, status == "verified", usage, pictures, finish_reason, seen, detail, status, abstained)


def _final(end: RunEnded) -> Status:
    """The status of a run that has ended, from its last event alone, which is all that a list of runs reads."""
    return end.status or ("verified" if end.verified else _UNCHECKED)


async def collect(events: AsyncIterable[Event]) -> Answer:
    """The answer of a stream, once it has ended; what the stream raises passes through."""
    return fold([event async for event in events])
