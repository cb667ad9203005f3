"""What happens: one closed union of frozen events, the only channel from a run to anyone who shows, stores or bills it.

A run's events are numbered from 0 without gaps (`seq`) and timed in seconds since its start (`at`). Every `AgentStarted`
is followed by exactly one `AgentReturned`, `AgentCancelled` or `AgentFailed` of the same agent, and a run ends in one `RunEnded` or
one `RunFailed`. Plain dataclasses: importing them costs milliseconds.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, get_args

from musespark.content import Mode, Text, Thinking, ToolCall
from musespark.errors import BadEvent
from musespark.usage import Usage

MAIN = "main"
"""The agent every run starts with; the agents it spawns descend from it."""

Stage: TypeAlias = Literal["explore", "refine", "aggregate"]

Status: TypeAlias = Literal["verified", "unchecked", "refuted", "abstained"]
"""Certainty of an answer: checked and right, not checked, checked and wrong, or no answer but the reason why there is none."""

FinishReason: TypeAlias = Literal["finished", "length", "budget", "cut"]
"""Reason for the end of a run: the model finished, a token limit, a budget, or a reply that broke off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Happened:
    seq: int = 0
    at: float = 0.0
    """Seconds since the run started."""
    kind: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready mapping; `from_json` gives back an equal event. Pictures travel as base64."""
        values = {key: getattr(self, name) for name, key in _KEYS[self.kind]}
        return {"kind": self.kind, **{key: value if type(value) in _AS_IS else _encode(value) for key, value in values.items()}}


@dataclass(frozen=True, slots=True)
class RunStarted(_Happened):
    """The first event of every run."""

    kind: ClassVar[Literal["run_started"]] = "run_started"
    run: str
    """An id, unlike any other run's."""
    mode: Mode
    model: str
    question: str


@dataclass(frozen=True, slots=True)
class AgentStarted(_Happened):
    """A line of thought begins. The first is `MAIN` and has no parent."""

    kind: ClassVar[Literal["agent_started"]] = "agent_started"
    agent: str
    parent: str | None
    task: str


@dataclass(frozen=True, slots=True)
class Thought(_Happened):
    """A piece of an agent's reasoning; the pieces joined are the whole."""

    kind: ClassVar[Literal["thought"]] = "thought"
    agent: str
    text: str


@dataclass(frozen=True, slots=True)
class Pictured(_Happened):
    """A picture an agent drew while thinking."""

    kind: ClassVar[Literal["pictured"]] = "pictured"
    agent: str
    picture: bytes = field(repr=False)
    """A PNG file's bytes."""
    caption: str
    width: int
    height: int

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return self.picture


@dataclass(frozen=True, slots=True)
class AgentReturned(_Happened):
    """An agent ended and handed this to its parent; for `MAIN` it is the answer."""

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
    """Something about an agent that a person who watches should know: it waits, was asked again, was doubled."""

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
    """What a tool gave back, its pictures aside: each of them is a `Pictured` before this."""

    kind: ClassVar[Literal["tool_returned"]] = "tool_returned"
    agent: str
    call: str
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class StageStarted(_Happened):
    """A team begins a stage; refinement counts its rounds from 1."""

    kind: ClassVar[Literal["stage_started"]] = "stage_started"
    stage: Stage
    round: int = 0


@dataclass(frozen=True, slots=True)
class Agreed(_Happened):
    """How the answers so far fall into groups of equal ones, the leading group first; it replaces earlier ones."""

    kind: ClassVar[Literal["agreed"]] = "agreed"
    groups: tuple[tuple[str, ...], ...]
    """The agents of each group."""
    answers: tuple[str, ...]
    """What each group says, in short."""
    enough: bool = False
    """Whether more answers would not change the winner."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Changed(_Happened):
    """What an agent did about its rivals' answers in a round of refinement: kept its own, or changed it."""

    kind: ClassVar[Literal["changed"]] = "changed"
    agent: str
    before: str
    after: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Judged(_Happened):
    """A judge's verdict on two answers, or why there is none."""

    kind: ClassVar[Literal["judged"]] = "judged"
    by: str
    """The model that judged."""
    winner: str
    """The agent whose answer is better; empty for a draw."""
    loser: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decided(_Happened):
    """How the team settled on its answer."""

    kind: ClassVar[Literal["decided"]] = "decided"
    by: str
    """`verified`, `vote`, `weigh`, `judge`, `merge`, or a person's own aggregator."""
    winners: tuple[str, ...]
    """The agents whose answer it is, or that it was written from."""
    reason: str


@dataclass(frozen=True, slots=True)
class AnswerDelta(_Happened):
    """A piece of the answer; the pieces since the start, or since the last `AnswerDropped`, joined are the answer."""

    kind: ClassVar[Literal["answer_delta"]] = "answer_delta"
    text: str


@dataclass(frozen=True, slots=True)
class AnswerDropped(_Happened):
    """The pieces of the answer so far are void: whoever wrote them failed. Others follow."""

    kind: ClassVar[Literal["answer_dropped"]] = "answer_dropped"
    reason: str


@dataclass(frozen=True, slots=True)
class Verified(_Happened):
    """The answer was checked by something that knows, such as a world's verifier."""

    kind: ClassVar[Literal["verified"]] = "verified"
    ok: bool
    by: str


@dataclass(frozen=True, slots=True)
class Abstained(_Happened):
    """The model does not answer: the question is beyond it, or not as it can read it. The answer's text says so."""

    kind: ClassVar[Literal["abstained"]] = "abstained"
    reason: str
    """A clause without a full stop."""


@dataclass(frozen=True, slots=True)
class Spent(_Happened):
    """What an agent and all it spawned have used so far; it replaces that agent's earlier ones."""

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
    pictures: tuple[int, ...] = ()
    """The `seq` of every `Pictured` of the run."""
    finish_reason: FinishReason = "finished"
    detail: str = ""
    """What more the model said about why it stopped; often nothing."""
    calls: tuple[ToolCall, ...] = ()
    """Tools of the one who asked, that the answer calls."""
    stop: str | None = None
    """Which text of the request's `stop` ended the answer, as `models.model.Finish` has it."""
    signed: tuple[Text | Thinking, ...] = field(default=(), repr=False)
    """The texts and thoughts of the answer that its provider has signed and wants to see again, as the calls."""
    status: Status | Literal[""] = ""
    """Certainty of the answer; empty in runs that were stored before there was one: `verified` tells what is known of them."""
    abstained: str = ""
    """Why the model abstained, as in `Abstained`; empty where it did not."""


@dataclass(frozen=True, slots=True)
class RunFailed(_Happened):
    """The last event of a run that has none; the typed error itself is raised right after it."""

    kind: ClassVar[Literal["run_failed"]] = "run_failed"
    error: str
    """The name of the error's type."""
    message: str


Event: TypeAlias = (RunStarted | AgentStarted | Thought | Pictured | AgentReturned | AgentCancelled | AgentFailed
                    | Noted | ToolCalled | ToolReturned | StageStarted | Agreed | Changed | Judged | Decided | AnswerDelta
                    | AnswerDropped | Verified | Abstained | Spent | RunEnded | RunFailed)

KINDS: Mapping[str, type[Event]] = {event.kind: event for event in get_args(Event)}
_NAMES: Mapping[str, tuple[str, ...]] = {kind: tuple(field.name for field in fields(event)) for kind, event in KINDS.items()}
_STORED_AS: Mapping[str, Mapping[str, str]] = {"run_ended": {"finish_reason": "why", "detail": "reason"}}
"""Keys in JSON that differ from the attribute: they are older than it."""
_KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    kind: tuple((name, _STORED_AS.get(kind, {}).get(name, name)) for name in names) for kind, names in _NAMES.items()}
_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {kind: {key: name for name, key in keys} for kind, keys in _KEYS.items()}
_PARTS: Mapping[type, tuple[str, ...]] = {kind: tuple(field.name for field in fields(kind))
                                          for kind in (Usage, ToolCall, Text, Thinking)}
_set = object.__setattr__
_AS_IS = frozenset({str, int, float, bool, type(None)})

_AnyEvent = TypeVar("_AnyEvent", bound=_Happened)


class Stamper:
    """Numbers and times a run's events in the order they pass."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.monotonic
        self._start = self._clock()
        self._next = 0

    def __call__(self, event: _AnyEvent) -> _AnyEvent:
        """The same event with its number and its time."""
        # As `dataclasses.replace` does, without asking for the fields each time: every piece of every answer passes here.
        stamped = object.__new__(type(event))
        for name in _NAMES[event.kind]:
            _set(stamped, name, getattr(event, name))
        _set(stamped, "seq", self._next)
        _set(stamped, "at", round(self._clock() - self._start, 6))
        self._next += 1
        return stamped


def from_json(value: Mapping[str, Any]) -> Event:
    """The event that `to_json` made this of; raises `BadEvent`."""
    try:
        event = KINDS[value["kind"]]
        attributes = _ATTRIBUTES[event.kind]
        decoded = {attributes[key]: _DECODERS[key](item) if key in _DECODERS else item
                   for key, item in value.items() if key != "kind"}
        return event(**decoded)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadEvent(f"{type(error).__name__} {error}") from error


def _encode(value: object) -> object:
    match value:
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Usage() | ToolCall():
            return {name: getattr(value, name) for name in _PARTS[type(value)]}
        case Text() | Thinking():
            return {"is": type(value).__name__, **{name: getattr(value, name) for name in _PARTS[type(value)]}}
        case Mode():
            return str(value)
        case tuple():
            return [_encode(item) for item in value]
        case _:
            return value


def _signed(**values: Any) -> Text | Thinking:
    return Text(**values) if values.pop("is") == "Text" else Thinking(**values)


_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "picture": lambda value: value if isinstance(value, bytes) else base64.b64decode(value, validate=True),
    "usage": lambda values: Usage(**values),
    "mode": Mode,
    "pictures": tuple,
    "groups": lambda groups: tuple(tuple(group) for group in groups),
    "answers": tuple,
    "calls": lambda calls: tuple(ToolCall(**call) for call in calls),
    "winners": tuple,
    "signed": lambda parts: tuple(_signed(**part) for part in parts),
}
