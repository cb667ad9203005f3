"""What a person should see of a run, as a value: events are folded into it one by one. No terminal, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from musespark.budget import Limits
from musespark.cli.agreeing import Group, regrouped
from musespark.events import (
    MAIN,
    Abstained,
    AgentCancelled,
    AgentFailed,
    AgentReturned,
    AgentStarted,
    Agreed,
    AnswerDelta,
    AnswerDropped,
    Changed,
    Decided,
    Event,
    FinishReason,
    Judged,
    Noted,
    Pictured,
    RunEnded,
    RunFailed,
    RunStarted,
    Spent,
    StageStarted,
    Status,
    Thought,
    ToolCalled,
    ToolReturned,
    Verified,
)
from musespark.usage import Usage

State: TypeAlias = Literal["thinking", "waiting", "returned", "won", "cancelled", "failed", "answered"]

RUNNING = ("thinking", "waiting")

KEPT_THOUGHTS = 1000
"""Characters of an agent's latest thoughts: more than any terminal shows of one lane."""

_ROUND = re.compile(r"/round-\d+$")


@dataclass(frozen=True, slots=True)
class Use:
    """A tool at work for an agent."""

    call: str
    tool: str
    arguments: str
    """JSON text, as the model wrote it."""


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
    note: str = ""
    """What else there is to know since its latest thought: what a tool gave back, why it waits."""
    tools: tuple[Use, ...] = ()
    """Those it is using now."""
    outcome: str = ""
    """What it returned, or why it was cancelled or failed."""
    changed: Changed | None = None
    """What it did about its rivals' answers."""
    pictures: int = 0
    """How many it drew."""
    usage: Usage = field(default_factory=Usage)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.state in RUNNING

    @property
    def who(self) -> str:
        """The agent; the same in every round of refinement."""
        return _ROUND.sub("", self.agent)


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
    abstained: str = ""
    """Why the model abstained; empty where it did not."""
    usage: Usage = field(default_factory=Usage)
    finish_reason: FinishReason | None = None
    """None until the run has ended with an answer, and for good where it was stopped or failed."""
    detail: str = ""
    """What more the model said about why it stopped."""
    failed: bool = False
    at: float = 0.0
    """Seconds from the start to the latest event."""
    limits: Limits = field(default_factory=Limits)
    """What the run may cost, where that is known."""
    stages: tuple[StageStarted, ...] = ()
    """Those of a team, the latest last; a model that works alone has none."""
    groups: tuple[Group, ...] = ()
    """Who agrees with whom, the leading group first."""
    settled: str = ""
    """Why more answers would not change the winner; empty while they might."""
    verdicts: tuple[Judged, ...] = ()
    decided: Decided | None = None

    @property
    def status(self) -> Status:
        """Certainty of the answer."""
        if self.abstained:
            return "abstained"
        return "verified" if self.verified else "refuted" if self.checked_by else "unchecked"

    @property
    def team(self) -> bool:
        """Whether a team is at work, and not one model."""
        return bool(self.stages)

    @property
    def threads(self) -> int:
        """How many agents were spawned."""
        return self.usage.threads or sum(lane.depth > 0 for lane in self.lanes.values())

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.finish_reason is not None or self.failed

    def after(self, event: Event) -> Board:
        """The board once this has happened, too."""
        match event:
            case Thought() | ToolCalled() | ToolReturned() | Noted() | Pictured() | Changed():
                return self._lived(event)
            case AnswerDelta():
                return self._with(at=event.at, answer=self.answer + event.text)
            case AnswerDropped():
                return self._with(at=event.at, answer="", verified=False, checked_by="", abstained="")
            case Spent() if event.agent == MAIN:
                return self._with(at=event.at, usage=event.usage)
            case Spent():
                known = [lane] if (lane := self.lanes.get(event.agent)) else []
                return self._with(*(replace(lane, usage=event.usage) for lane in known), at=event.at)
            case AgentStarted():
                return self._with_agent(event)
            case AgentReturned():
                state: State = "answered" if event.agent == MAIN else "returned"
                return self._ended(replace(self._lane(event.agent), state=state, outcome=event.text), event.at)
            case AgentCancelled():
                return self._ended(replace(self._lane(event.agent), state="cancelled", outcome=event.reason), event.at)
            case AgentFailed():
                return self._ended(replace(self._lane(event.agent), state="failed", outcome=event.message), event.at)
            case Verified():
                return self._with(at=event.at, verified=event.ok, checked_by=event.by, abstained="")
            case Abstained():
                return self._with(at=event.at, verified=False, checked_by="", abstained=event.reason)
            case StageStarted() | Agreed() | Judged() | Decided():
                return self._together(event)
            case RunStarted():
                return self._with(at=event.at, question=event.question, mode=str(event.mode), model=event.model)
            case RunEnded():
                won = [] if self.team else self._returned(event.answer)
                return self._with(*won, at=event.at, answer=event.answer, verified=event.verified, usage=event.usage,
                                  finish_reason=event.finish_reason, detail=event.detail)
            case RunFailed():
                return self._with(at=event.at, failed=True)

    def group(self, lane: Lane) -> Group | None:
        """The group that an agent's answer is in."""
        own = next((group for group in self.groups if lane.agent in group.agents or lane.who in group.agents), None)
        if lane.changed is None or lane.changed.kept:
            return own
        # Until all have reconsidered, the groups are those from before the round.
        after = next((group for group in self.groups if group.answer == lane.changed.after), None)
        return after or (own if own and own.answer != lane.changed.before else None)

    def tokens(self, lane: Lane) -> int:
        """What an agent has used, in all rounds."""
        return sum(each.usage.tokens for each in self.lanes.values() if each.who == lane.who)

    def broken_off(self, at: float, reason: str) -> Board:
        """The board of a run that nobody follows any more."""
        running = (lane for lane in self.lanes.values() if lane.running)
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
        return sum(lane.parent == parent and lane.running for lane in self.lanes.values())

    def _lived(self, event: Thought | ToolCalled | ToolReturned | Noted | Pictured | Changed) -> Board:
        """The board after something in the life of one agent."""
        lane = self._lane(event.agent)
        match event:
            case Thought():
                lane = replace(lane, thoughts=(lane.thoughts + event.text)[-KEPT_THOUGHTS:], note="")
            case ToolCalled():
                lane = replace(lane, tools=(*lane.tools, Use(event.call, event.tool, event.arguments)), note="")
            case ToolReturned():
                left = tuple(use for use in lane.tools if use.call != event.call)
                lane = replace(lane, tools=left, note=f"→ {gist(event)}")
            case Noted():
                lane = replace(lane, note=event.text)
            case Changed():
                return self._with(*(replace(each, changed=event) for each in self._all_of(event.agent)), at=event.at)
            case Pictured():
                lane = replace(lane, pictures=lane.pictures + 1)
                return self._with(lane, at=event.at, pictures=(*self.pictures, event))
        return self._with(lane, at=event.at)

    def _together(self, event: StageStarted | Agreed | Judged | Decided) -> Board:
        """The board after something that concerns the team."""
        match event:
            case StageStarted():
                return self._with(at=event.at, stages=(*self.stages, event))
            case Agreed():
                settled = (event.reason or "enough answers agree") if event.enough else ""
                return self._with(at=event.at, groups=regrouped(self.groups, event), settled=settled)
            case Judged():
                return self._with(at=event.at, verdicts=(*self.verdicts, event))
            case Decided():
                winners = (lane for who in event.winners for lane in self._all_of(who) if lane.state == "returned")
                return self._with(*(replace(lane, state="won") for lane in winners), at=event.at, decided=event)

    def _all_of(self, agent: str) -> list[Lane]:
        """The lanes of an agent, one for each round."""
        return [lane for lane in self.lanes.values() if agent in (lane.agent, lane.who)]

    def _returned(self, answer: str) -> list[Lane]:
        """The agents that had returned what became the answer; they have won."""
        return [replace(lane, state="won") for lane in self.lanes.values()
                if lane.state == "returned" and lane.outcome.strip() == answer.strip() != ""]


def gist(event: ToolReturned) -> str:
    """What a tool gave back, in short; an error says at its end what went wrong."""
    text = event.text.strip()
    return (text.rpartition("\n")[2] if event.failed else text)[:KEPT_THOUGHTS]
