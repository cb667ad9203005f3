"""What a person should see of a run, as a value: events are folded into it one by one. No terminal, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from musespark.events import (
    MAIN,
    AgentCancelled,
    AgentReturned,
    AgentStarted,
    AnswerDelta,
    AnswerDropped,
    Event,
    Pictured,
    RunEnded,
    RunFailed,
    RunStarted,
    Spent,
    Thought,
    Verified,
    Why,
)
from musespark.usage import Usage

State: TypeAlias = Literal["thinking", "waiting", "returned", "won", "cancelled", "answered"]

KEPT_THOUGHTS = 1000
"""Characters of an agent's latest thoughts: more than any terminal shows of one lane."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One agent."""

    agent: str
    parent: str | None
    task: str
    depth: int = 0
    """How many agents are above it."""
    state: State = "thinking"
    thoughts: str = ""
    """The latest of them."""
    outcome: str = ""
    """What it returned, or why it was cancelled."""
    pictures: int = 0
    """How many it drew."""


@dataclass(frozen=True, slots=True)
class Board:
    """A run so far. `Board()` is one of which nothing is known yet."""

    question: str = ""
    mode: str = ""
    model: str = ""
    lanes: Mapping[str, Lane] = field(default_factory=dict)
    """By agent, in the order in which they started."""
    pictures: tuple[Pictured, ...] = ()
    answer: str = ""
    verified: bool = False
    checked_by: str = ""
    """What judged the answer; empty where nothing did."""
    usage: Usage = field(default_factory=Usage)
    why: Why | None = None
    """None until the run has ended with an answer, and for good where it was stopped or failed."""
    reason: str = ""
    """What more the model said about why it stopped."""
    failed: bool = False
    at: float = 0.0
    """Seconds from the start to the latest event."""

    @property
    def threads(self) -> int:
        """How many agents were spawned."""
        return self.usage.threads or sum(lane.depth > 0 for lane in self.lanes.values())

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.why is not None or self.failed

    def after(self, event: Event) -> Board:
        """The board once this has happened, too."""
        match event:
            case Thought():
                lane = self._lane(event.agent)
                lane = replace(lane, thoughts=(lane.thoughts + event.text)[-KEPT_THOUGHTS:])
                return self._with(lane, at=event.at)
            case AnswerDelta():
                return self._with(at=event.at, answer=self.answer + event.text)
            case AnswerDropped():
                return self._with(at=event.at, answer="")
            case Spent():
                return self._with(at=event.at, usage=event.usage if event.agent == MAIN else self.usage)
            case AgentStarted():
                return self._with_agent(event)
            case AgentReturned():
                state: State = "answered" if event.agent == MAIN else "returned"
                return self._ended(replace(self._lane(event.agent), state=state, outcome=event.text), event.at)
            case AgentCancelled():
                return self._ended(replace(self._lane(event.agent), state="cancelled", outcome=event.reason), event.at)
            case Pictured():
                lane = self._lane(event.agent)
                return self._with(replace(lane, pictures=lane.pictures + 1), at=event.at, pictures=(*self.pictures, event))
            case Verified():
                return self._with(at=event.at, verified=event.ok, checked_by=event.by)
            case RunStarted():
                return self._with(at=event.at, question=event.question, mode=str(event.mode), model=event.model)
            case RunEnded():
                return self._with(*self._winners(event.answer), at=event.at, answer=event.answer, verified=event.verified,
                                  usage=event.usage, why=event.why, reason=event.reason)
            case RunFailed():
                return self._with(at=event.at, failed=True)
        return self._with(at=event.at)

    def broken_off(self, at: float, reason: str) -> Board:
        """The board of a run that nobody follows any more."""
        running = (lane for lane in self.lanes.values() if lane.state in ("thinking", "waiting"))
        return self._with(*(replace(lane, state="cancelled", outcome=reason) for lane in running), at=at)

    def _lane(self, agent: str) -> Lane:
        return self.lanes.get(agent) or Lane(agent, None, "")

    def _with(self, *lanes: Lane, **changed: Any) -> Board:
        """The board with some of its lanes and fields changed."""
        if lanes:
            changed["lanes"] = {**self.lanes, **{lane.agent: lane for lane in lanes}}
        return replace(self, **changed)

    def _with_agent(self, event: AgentStarted) -> Board:
        parent = self.lanes.get(event.parent or "")
        if parent is None:
            return self._with(Lane(event.agent, None, event.task), at=event.at)
        lane = Lane(event.agent, parent.agent, event.task, parent.depth + 1)
        return self._with(replace(parent, state="waiting"), lane, at=event.at)

    def _ended(self, lane: Lane, at: float) -> Board:
        """With a lane that has ended; a parent whose last child this was thinks on."""
        board = self._with(lane, at=at)
        parent = board.lanes.get(lane.parent or "")
        if parent is None or parent.state != "waiting" or board.running(parent.agent):
            return board
        return board._with(replace(parent, state="thinking"))

    def running(self, parent: str) -> int:
        """How many children of an agent have not ended."""
        return sum(lane.parent == parent and lane.state in ("thinking", "waiting") for lane in self.lanes.values())

    def _winners(self, answer: str) -> list[Lane]:
        """The agents that had returned what became the answer."""
        return [replace(lane, state="won") for lane in self.lanes.values()
                if lane.state == "returned" and lane.outcome.strip() == answer.strip() != ""]
