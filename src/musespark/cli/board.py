"""What a person should see of a run, as a value: events are folded into it one by one. No terminal, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from musespark.events import (
    MAIN,
    AgentCancelled,
    AgentReturned,
    AgentStarted,
    AnswerDelta,
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
        board = replace(self, at=event.at)
        match event:
            case RunStarted():
                return replace(board, question=event.question, mode=str(event.mode), model=event.model)
            case AgentStarted():
                return board._with_agent(event)
            case Thought():
                lane = board._lane(event.agent)
                return board._with(replace(lane, thoughts=(lane.thoughts + event.text)[-KEPT_THOUGHTS:]))
            case Pictured():
                lane = board._lane(event.agent)
                board = replace(board, pictures=(*board.pictures, event))
                return board._with(replace(lane, pictures=lane.pictures + 1))
            case AgentReturned():
                state: State = "answered" if event.agent == MAIN else "returned"
                return board._ended(replace(board._lane(event.agent), state=state, outcome=event.text))
            case AgentCancelled():
                return board._ended(replace(board._lane(event.agent), state="cancelled", outcome=event.reason))
            case AnswerDelta():
                return replace(board, answer=board.answer + event.text)
            case Verified():
                return replace(board, verified=event.ok, checked_by=event.by)
            case Spent():
                return replace(board, usage=event.usage) if event.agent == MAIN else board
            case RunEnded():
                board = replace(board, answer=event.answer, verified=event.verified, usage=event.usage, why=event.why)
                return board._with_winners()
            case RunFailed():
                return replace(board, failed=True)

    def broken_off(self, at: float, reason: str) -> Board:
        """The board of a run that nobody follows any more."""
        running = (lane for lane in self.lanes.values() if lane.state in ("thinking", "waiting"))
        return replace(self, at=at)._with(*(replace(lane, state="cancelled", outcome=reason) for lane in running))

    def _lane(self, agent: str) -> Lane:
        return self.lanes.get(agent) or Lane(agent, None, "")

    def _with(self, *lanes: Lane) -> Board:
        return replace(self, lanes={**self.lanes, **{lane.agent: lane for lane in lanes}})

    def _with_agent(self, event: AgentStarted) -> Board:
        parent = self.lanes.get(event.parent or "")
        if parent is None:
            return self._with(Lane(event.agent, None, event.task))
        return self._with(replace(parent, state="waiting"),
                          Lane(event.agent, parent.agent, event.task, parent.depth + 1))

    def _ended(self, lane: Lane) -> Board:
        """With a lane that has ended; a parent whose last child this was thinks on."""
        board = self._with(lane)
        parent = board.lanes.get(lane.parent or "")
        if parent is None or parent.state != "waiting" or board.running(parent.agent):
            return board
        return board._with(replace(parent, state="thinking"))

    def running(self, parent: str) -> int:
        """How many children of an agent have not ended."""
        return sum(lane.parent == parent and lane.state in ("thinking", "waiting") for lane in self.lanes.values())

    def _with_winners(self) -> Board:
        """With the agents marked that had returned what became the answer."""
        answer = self.answer.strip()
        if not answer:
            return self
        return self._with(*(replace(lane, state="won") for lane in self.lanes.values()
                            if lane.state == "returned" and lane.outcome.strip() == answer))
