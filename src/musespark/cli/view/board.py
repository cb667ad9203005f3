"""The visible state of a run, as a value into which events are folded one by one. No terminal, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from musespark.budget import Limits
from musespark.cli.view.groups import LetteredGroup, relabel
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

LaneState: TypeAlias = Literal[
    "thinking", "waiting", "returned", "won", "cancelled", "failed", "answered"
]

RUNNING = ("thinking", "waiting")

KEPT_THOUGHTS = 1000
"""Characters of an agent's latest thoughts: more than any terminal shows of one lane."""

_ROUND = re.compile(r"/round-\d+$")


@dataclass(frozen=True, slots=True)
class ActiveToolCall:
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
    """Number of agents above it."""
    state: LaneState = "thinking"
    thoughts: str = ""
    """The latest of them."""
    note: str = ""
    """Latest note since its last thought: a tool's result, or the reason it waits."""
    tools: tuple[ActiveToolCall, ...] = ()
    """Tool calls under way."""
    outcome: str = ""
    """Its return value, or the reason it was cancelled or failed."""
    changed: Changed | None = None
    """Its decision after it saw its rivals' answers."""
    images: int = 0
    """Number of images it drew."""
    usage: Usage = field(default_factory=Usage)

    @property
    def running(self) -> bool:
        """True if it has not ended."""
        return self.state in RUNNING

    @property
    def base_name(self) -> str:
        """Agent name without the round of refinement."""
        return _ROUND.sub("", self.agent)


@dataclass(frozen=True, slots=True)
class Board:
    """The state of a run; `Board()` is the state before its first event."""

    question: str = ""
    mode: str = ""
    model: str = ""
    lanes: Mapping[str, Lane] = field(default_factory=dict)
    """Lanes by agent, in the order of their start."""
    images: tuple[Pictured, ...] = ()
    answer: str = ""
    verified: bool = False
    checked_by: str = ""
    """Verifier of the answer; empty without one."""
    abstained: str = ""
    """Reason of an abstention; empty without one."""
    usage: Usage = field(default_factory=Usage)
    finish_reason: FinishReason | None = None
    """Finish reason; None until the run has ended with an answer, and for good if it was stopped or failed."""
    detail: str = ""
    """Detail of the finish reason, as the model gave it."""
    failed: bool = False
    at: float = 0.0
    """Seconds from the start to the latest event."""
    limits: Limits = field(default_factory=Limits)
    """Limits of the run, if known."""
    stages: tuple[StageStarted, ...] = ()
    """Stages of a team, the latest last; a single model has none."""
    groups: tuple[LetteredGroup, ...] = ()
    """Groups of equal answers, the leading one first."""
    settled: str = ""
    """Reason to stop asking for more answers; empty while they might change the winner."""
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
        """True if a team works on it rather than one model."""
        return bool(self.stages)

    @property
    def threads(self) -> int:
        """Number of spawned agents."""
        return self.usage.threads or sum(lane.depth > 0 for lane in self.lanes.values())

    @property
    def over(self) -> bool:
        """True if the run has ended."""
        return self.finish_reason is not None or self.failed

    def after(self, event: Event) -> Board:
        """The board after one more event."""
        match event:
            case Thought() | ToolCalled() | ToolReturned() | Noted() | Pictured() | Changed():
                return self._lived(event)
            case AnswerDelta():
                return self._with(at=event.at, answer=self.answer + event.text)
            case AnswerDropped():
                return self._with(
                    at=event.at, answer="", verified=False, checked_by="", abstained=""
                )
            case Spent() if event.agent == MAIN:
                return self._with(at=event.at, usage=event.usage)
            case Spent():
                known = [lane] if (lane := self.lanes.get(event.agent)) else []
                return self._with(
                    *(replace(lane, usage=event.usage) for lane in known), at=event.at
                )
            case AgentStarted():
                return self._with_agent(event)
            case AgentReturned():
                state: LaneState = "answered" if event.agent == MAIN else "returned"
                return self._ended(
                    replace(self._lane(event.agent), state=state, outcome=event.text), event.at
                )
            case AgentCancelled():
                return self._ended(
                    replace(self._lane(event.agent), state="cancelled", outcome=event.reason),
                    event.at,
                )
            case AgentFailed():
                return self._ended(
                    replace(self._lane(event.agent), state="failed", outcome=event.message),
                    event.at,
                )
            case Verified():
                return self._with(at=event.at, verified=event.ok, checked_by=event.by, abstained="")
            case Abstained():
                return self._with(
                    at=event.at, verified=False, checked_by="", abstained=event.reason
                )
            case StageStarted() | Agreed() | Judged() | Decided():
                return self._together(event)
            case RunStarted():
                return self._with(
                    at=event.at, question=event.question, mode=str(event.mode), model=event.model
                )
            case RunEnded():
                won = [] if self.team else self._returned(event.answer)
                return self._with(
                    *won,
                    at=event.at,
                    answer=event.answer,
                    verified=event.verified,
                    usage=event.usage,
                    finish_reason=event.finish_reason,
                    detail=event.detail,
                )
            case RunFailed():
                return self._with(at=event.at, failed=True)

    def group(self, lane: Lane) -> LetteredGroup | None:
        """The group that an agent's answer is in."""
        own = next(
            (
                group
                for group in self.groups
                if lane.agent in group.agents or lane.base_name in group.agents
            ),
            None,
        )
        if lane.changed is None or lane.changed.kept:
            return own
        # Until all have reconsidered, the groups are those from before the round.
        after = next((group for group in self.groups if group.answer == lane.changed.after), None)
        return after or (own if own and own.answer != lane.changed.before else None)

    def tokens(self, lane: Lane) -> int:
        """Tokens of an agent, in all rounds."""
        return sum(
            each.usage.tokens for each in self.lanes.values() if each.base_name == lane.base_name
        )

    def broken_off(self, at: float, reason: str) -> Board:
        """The board of a run that was stopped: running lanes are cancelled."""
        running = (lane for lane in self.lanes.values() if lane.running)
        return self._with(
            *(replace(lane, state="cancelled", outcome=reason) for lane in running), at=at
        )

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
        """The board with a lane that has ended; its parent resumes if this was the last child."""
        board = self._with(lane, at=at)
        parent = board.lanes.get(lane.parent or "")
        if parent is None or parent.state != "waiting" or board.running(parent.agent):
            return board
        return board._with(replace(parent, state="thinking"))

    def running(self, parent: str) -> int:
        """Number of an agent's children that have not ended."""
        return sum(lane.parent == parent and lane.running for lane in self.lanes.values())

    def _lived(
        self, event: Thought | ToolCalled | ToolReturned | Noted | Pictured | Changed
    ) -> Board:
        """The board after an event of one agent."""
        lane = self._lane(event.agent)
        match event:
            case Thought():
                lane = replace(
                    lane, thoughts=(lane.thoughts + event.text)[-KEPT_THOUGHTS:], note=""
                )
            case ToolCalled():
                lane = replace(
                    lane,
                    tools=(*lane.tools, ActiveToolCall(event.call, event.tool, event.arguments)),
                    note="",
                )
            case ToolReturned():
                left = tuple(use for use in lane.tools if use.call != event.call)
                lane = replace(lane, tools=left, note=f"→ {gist(event)}")
            case Noted():
                lane = replace(lane, note=event.text)
            case Changed():
                return self._with(
                    *(replace(each, changed=event) for each in self._all_of(event.agent)),
                    at=event.at,
                )
            case Pictured():
                lane = replace(lane, images=lane.images + 1)
                return self._with(lane, at=event.at, images=(*self.images, event))
        return self._with(lane, at=event.at)

    def _together(self, event: StageStarted | Agreed | Judged | Decided) -> Board:
        """The board after an event of the team."""
        match event:
            case StageStarted():
                return self._with(at=event.at, stages=(*self.stages, event))
            case Agreed():
                settled = (event.reason or "enough answers agree") if event.enough else ""
                return self._with(at=event.at, groups=relabel(self.groups, event), settled=settled)
            case Judged():
                return self._with(at=event.at, verdicts=(*self.verdicts, event))
            case Decided():
                winners = (
                    lane
                    for who in event.winners
                    for lane in self._all_of(who)
                    if lane.state == "returned"
                )
                return self._with(
                    *(replace(lane, state="won") for lane in winners), at=event.at, decided=event
                )

    def _all_of(self, agent: str) -> list[Lane]:
        """The lanes of an agent, one for each round."""
        return [lane for lane in self.lanes.values() if agent in (lane.agent, lane.base_name)]

    def _returned(self, answer: str) -> list[Lane]:
        """Agents whose returned value became the answer; they have won."""
        return [
            replace(lane, state="won")
            for lane in self.lanes.values()
            if lane.state == "returned" and lane.outcome.strip() == answer.strip() != ""
        ]


def gist(event: ToolReturned) -> str:
    """A tool's result in short: its beginning, or the last line of an error."""
    text = event.text.strip()
    return (text.rpartition("\n")[2] if event.failed else text)[:KEPT_THOUGHTS]
