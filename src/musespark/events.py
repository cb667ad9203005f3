"""Events of a run: one closed union of frozen values, the only channel from a run to the code that shows, stores or bills it.

A run's events are numbered from 0 without gaps (`seq`) and timed in seconds since its start (`at`). Every `AgentStarted`
is followed by exactly one `AgentReturned`, `AgentCancelled` or `AgentFailed` of the same agent, and a run ends in one `RunEnded` or
one `RunFailed`. Plain dataclasses: importing them costs milliseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, get_args

from musespark.content import Mode, Text, Thinking, ToolCall
from musespark.errors import BadEvent
from musespark.event_json import AS_IS, DECODERS, encode
from musespark.usage import Usage

MAIN = "main"
"""The agent every run starts with; the agents it spawns descend from it."""

Stage: TypeAlias = Literal["explore", "refine", "aggregate"]

Status: TypeAlias = Literal["verified", "unchecked", "refuted", "abstained"]
"""Certainty of an answer: checked and right, not checked, checked and wrong, or a reason in place of an answer."""

FinishReason: TypeAlias = Literal["finished", "length", "budget", "cut", "filtered", "refused"]
"""Reason for the end of a run: by itself, at its token limit, at a budget's limit, because the model's reply broke off or a
provider's filter stopped it, or because the model declined what was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Happened:
    seq: int = 0
    at: float = 0.0
    """Seconds since the run started."""
    kind: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON values, images as base64. `from_json` restores an equal event."""
        values = {key: getattr(self, name) for name, key in _KEYS[self.kind]}
        for key in _LEFT_OUT & values.keys():
            if not values[key]:
                del values[key]
        return {
            "kind": self.kind,
            **{
                key: value if type(value) in AS_IS else encode(value)
                for key, value in values.items()
            },
        }


@dataclass(frozen=True, slots=True)
class RunStarted(_Happened):
    """The first event of every run."""

    kind: ClassVar[Literal["run_started"]] = "run_started"
    run: str
    """Unique id of the run."""
    mode: Mode
    model: str
    question: str


@dataclass(frozen=True, slots=True)
class AgentStarted(_Happened):
    """An agent starts. The first is `MAIN` and has no parent."""

    kind: ClassVar[Literal["agent_started"]] = "agent_started"
    agent: str
    parent: str | None
    task: str
    model: str = ""
    """The model that the agent asks; empty for `MAIN`, whose model the run names, and in runs stored before it was recorded."""


@dataclass(frozen=True, slots=True)
class Thought(_Happened):
    """A piece of an agent's reasoning; the pieces joined are the whole."""

    kind: ClassVar[Literal["thought"]] = "thought"
    agent: str
    text: str


@dataclass(frozen=True, slots=True)
class Pictured(_Happened):
    """An image that an agent drew while thinking."""

    kind: ClassVar[Literal["pictured"]] = "pictured"
    agent: str
    image: bytes = field(repr=False)
    """Bytes of a PNG file."""
    caption: str
    width: int
    height: int

    def _repr_png_(self) -> bytes:
        """Image for notebooks."""
        return self.image


@dataclass(frozen=True, slots=True)
class AgentReturned(_Happened):
    """An agent ended and returned this text to its parent; for `MAIN` it is the answer."""

    kind: ClassVar[Literal["agent_returned"]] = "agent_returned"
    agent: str
    text: str


@dataclass(frozen=True, slots=True)
class AgentCancelled(_Happened):
    """An agent was stopped before it returned."""

    kind: ClassVar[Literal["agent_cancelled"]] = "agent_cancelled"
    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class AgentFailed(_Happened):
    """An agent's model failed for good; the others go on."""

    kind: ClassVar[Literal["agent_failed"]] = "agent_failed"
    agent: str
    error: str
    """The name of the error's type."""
    message: str


@dataclass(frozen=True, slots=True)
class Noted(_Happened):
    """A note on an agent for people who watch: it waits, was retried, or was hedged."""

    kind: ClassVar[Literal["noted"]] = "noted"
    agent: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled(_Happened):
    """An agent uses a tool."""

    kind: ClassVar[Literal["tool_called"]] = "tool_called"
    agent: str
    call: str
    """The call's id."""
    tool: str
    arguments: str
    """JSON text, as the model wrote it."""


@dataclass(frozen=True, slots=True)
class ToolReturned(_Happened):
    """Text that a tool returned; each of its images is a `Pictured` event before this one."""

    kind: ClassVar[Literal["tool_returned"]] = "tool_returned"
    agent: str
    call: str
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class StageStarted(_Happened):
    """A team begins a stage; rounds of refinement count from 1."""

    kind: ClassVar[Literal["stage_started"]] = "stage_started"
    stage: Stage
    round: int = 0


@dataclass(frozen=True, slots=True)
class Agreed(_Happened):
    """Groups of equal answers so far, the leading group first; replaces earlier events of this kind."""

    kind: ClassVar[Literal["agreed"]] = "agreed"
    groups: tuple[tuple[str, ...], ...]
    """Agents of each group."""
    answers: tuple[str, ...]
    """Short answer of each group."""
    enough: bool = False
    """True if more answers would not change the winner."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Changed(_Happened):
    """Answer of an agent before and after a round of refinement, in which it sees rival answers."""

    kind: ClassVar[Literal["changed"]] = "changed"
    agent: str
    before: str
    after: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Judged(_Happened):
    """A judge's verdict on two answers, or the reason why there is none."""

    kind: ClassVar[Literal["judged"]] = "judged"
    by: str
    """Name of the judge's model."""
    winner: str
    """Agent whose answer is better; empty for a draw."""
    loser: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decided(_Happened):
    """The team has chosen its answer."""

    kind: ClassVar[Literal["decided"]] = "decided"
    by: str
    """`verified`, `vote`, `weigh`, `judge`, `merge`, or the name of a user's aggregator."""
    winners: tuple[str, ...]
    """Agents whose answer it is, or from whose answers it was written."""
    reason: str


@dataclass(frozen=True, slots=True)
class AnswerDelta(_Happened):
    """A piece of the answer; the pieces since the start, or since the last `AnswerDropped`, joined are the answer."""

    kind: ClassVar[Literal["answer_delta"]] = "answer_delta"
    text: str


@dataclass(frozen=True, slots=True)
class AnswerDropped(_Happened):
    """The pieces of the answer so far are void: the agent that wrote them failed, or they were a thought. Others follow."""

    kind: ClassVar[Literal["answer_dropped"]] = "answer_dropped"
    reason: str


@dataclass(frozen=True, slots=True)
class Verified(_Happened):
    """The answer was checked by a verifier, such as a task's."""

    kind: ClassVar[Literal["verified"]] = "verified"
    ok: bool
    by: str


@dataclass(frozen=True, slots=True)
class Abstained(_Happened):
    """The model abstains: it cannot solve or cannot read the question. The answer's text says so."""

    kind: ClassVar[Literal["abstained"]] = "abstained"
    reason: str
    """A clause without a full stop."""
    refused: bool = False
    """True if the model declines what was asked: the answer's text is its refusal."""


@dataclass(frozen=True, slots=True)
class Spent(_Happened):
    """Usage of an agent and all it spawned so far; replaces earlier events of the same agent."""

    kind: ClassVar[Literal["spent"]] = "spent"
    agent: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class RunEnded(_Happened):
    """The last event of a run that has an answer."""

    kind: ClassVar[Literal["run_ended"]] = "run_ended"
    answer: str
    verified: bool
    usage: Usage
    images: tuple[int, ...] = ()
    """`seq` of every `Pictured` event of the run."""
    finish_reason: FinishReason = "finished"
    detail: str = ""
    """Further words of the model about the end; often empty."""
    calls: tuple[ToolCall, ...] = ()
    """Calls of the client's tools that the answer consists of."""
    stop: str | None = None
    """Text of the request's `stop` that ended the answer, in the form of `models.model.Finish.stop`."""
    signed: tuple[Text | Thinking, ...] = field(default=(), repr=False)
    """Texts and thoughts of the answer that the provider has signed and needs again in the next turn."""
    status: Status | Literal[""] = ""
    """Certainty of the answer; empty in runs stored by versions without it, of which only `verified` is known."""
    abstained: str = ""
    """Reason for abstaining, as in `Abstained`; empty if the model did not abstain."""
    answer_usage: Usage | None = None
    """Tokens of the conversation's prompt and of the answer alone, as the conversation goes on with them; None in runs stored by
    versions without it."""


@dataclass(frozen=True, slots=True)
class RunFailed(_Happened):
    """The last event of a run without an answer; the typed error is raised right after it."""

    kind: ClassVar[Literal["run_failed"]] = "run_failed"
    error: str
    """The name of the error's type."""
    message: str


Event: TypeAlias = (
    RunStarted
    | AgentStarted
    | Thought
    | Pictured
    | AgentReturned
    | AgentCancelled
    | AgentFailed
    | Noted
    | ToolCalled
    | ToolReturned
    | StageStarted
    | Agreed
    | Changed
    | Judged
    | Decided
    | AnswerDelta
    | AnswerDropped
    | Verified
    | Abstained
    | Spent
    | RunEnded
    | RunFailed
)

KINDS: Mapping[str, type[Event]] = {event.kind: event for event in get_args(Event)}
_NAMES: Mapping[str, tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(event)) for kind, event in KINDS.items()
}
_STORED_AS: Mapping[str, Mapping[str, str]] = {
    "pictured": {"image": "picture"},
    "run_ended": {"finish_reason": "why", "detail": "reason", "images": "pictures"},
}
"""Keys in JSON that differ from the attribute: they are older than it."""
_KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    kind: tuple((name, _STORED_AS.get(kind, {}).get(name, name)) for name in names)
    for kind, names in _NAMES.items()
}
_LEFT_OUT = frozenset({"refused", "answer_usage"})
"""Keys in JSON that are left out if they are false or None: most events have none of them."""
_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    kind: {key: name for name, key in keys} for kind, keys in _KEYS.items()
}
_set = object.__setattr__

_AnyEvent = TypeVar("_AnyEvent", bound=_Happened)


class Stamper:
    """Numbers and times a run's events in the order they pass."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.monotonic
        self._start = self._clock()
        self._next = 0

    def __call__(self, event: _AnyEvent) -> _AnyEvent:
        """Copy an event, with its number and its time."""
        # As `dataclasses.replace`, without looking up the fields each time: every piece of every answer passes here.
        stamped = object.__new__(type(event))
        for name in _NAMES[event.kind]:
            _set(stamped, name, getattr(event, name))
        _set(stamped, "seq", self._next)
        _set(stamped, "at", round(self._clock() - self._start, 6))
        self._next += 1
        return stamped


def from_json(value: Mapping[str, Any]) -> Event:
    """Restore an event from `to_json`. Raises `BadEvent`."""
    try:
        event = KINDS[value["kind"]]
        attributes = _ATTRIBUTES[event.kind]
        decoded = {
            attributes[key]: DECODERS[key](item) if key in DECODERS else item
            for key, item in value.items()
            if key != "kind"
        }
        return event(**decoded)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadEvent(f"{type(error).__name__} {error}") from error
