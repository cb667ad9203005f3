"""Observation of a pool: which of the agents at work lag, and how long it may wait before it has to act. Changes nothing itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from musespark.budget import Budget
from musespark.errors import MuseError
from musespark.reasoning.agent import conclude
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.parallel.run_agent import Outcome
from musespark.reasoning.parallel.stragglers import SURE, VERY_SURE, StragglerPolicy, likely_length
from musespark.reasoning.usage_node import UsageNode

NOT_BEFORE = 1e-3
"""Seconds; a limit that is nearer than that is reached."""
TIME_ENDS = "Time is about to end"
"""Why an agent is asked for its conclusion before the deadline; it then has until the deadline."""
_PACE = 30.0
"""Tokens a second that a model is taken to write before it has written any."""
_LOOK_AGAIN, _LOOK_AGAIN_LEAST = 0.1, 0.05
"""The agents are looked at again after this part of the time since the first was sent; the other is in seconds."""


@dataclass(eq=False)
class RunningAgent:
    """An agent at work."""

    task: AgentTask
    name: str
    """Agent name, shared with its hedge."""
    node: UsageNode
    since: float = field(default_factory=lambda: time.monotonic())
    """Time when the agent was sent; a hedge has the time of the agent that it repeats."""
    future: asyncio.Task[Outcome] = field(init=False)
    is_hedge: bool = False
    is_reported: bool = False
    """True if it has been reported as a straggler."""
    reason: str = "the run was stopped"
    """Why it was cancelled, if it was."""

    def __post_init__(self) -> None:
        self._began = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds for which the agent has been waited for."""
        return time.monotonic() - self.since

    @property
    def latency(self) -> float:
        """Seconds for which this one has been at work."""
        return time.monotonic() - self._began

    @property
    def is_concluding(self) -> bool:
        """True once it has been asked for its conclusion."""
        return bool(self.node.conclude_because)

    @property
    def can_conclude(self) -> bool:
        """True if it has something to conclude from, and a scope of its own that can be ended."""
        return self.task.concludes and not self.is_concluding and self.node.progress.characters > 0


@dataclass(eq=False)
class PoolWatch:
    """Agents of a pool and the waits observed in it, from which each limit follows, as seconds from now."""

    policy: StragglerPolicy
    budget: Budget
    failures: Mapping[str, MuseError]
    """Errors of those that failed, by agent; the pool adds to them."""
    lengths: list[int]
    """Tokens of the replies that came to their end, here and before."""
    latencies: list[float] = field(default_factory=list)
    """Seconds of those that answered."""
    working: list[RunningAgent] = field(default_factory=list)
    everyone: list[RunningAgent] = field(default_factory=list)
    """Agents at work, and those that came back."""
    broken: set[str] = field(default_factory=set)
    """Names of agents with a request that failed or broke off."""

    def __post_init__(self) -> None:
        self._seconds = self.budget.seconds_left()
        self._began = time.monotonic()
        self.freed = self._began
        """When a call last came to its end: one machine may only then have begun with those that waited."""

    @property
    def _expected(self) -> int:
        return sum(not agent.is_hedge for agent in self.everyone) - len(self.failures)

    def seconds_to_act(self) -> float | None:
        """Seconds until something is to be done if no agent comes back before; None if nothing is."""
        limits = [
            self.silent_in(agent, VERY_SURE) for agent in self.working if not agent.is_reported
        ]
        # Knowledge of waits and pauses grows while agents write, and no event wakes the pool then.
        limits.append(max(_LOOK_AGAIN_LEAST, _LOOK_AGAIN * (time.monotonic() - self._began)))
        limits += [self.too_late_in(agent) for agent in self.working]
        if (abandon := self._abandon_after()) is not None:
            # While one still writes, the time to abandon the silent ones does not come nearer by waiting for it.
            silence = [
                max(abandon - agent.age, min(self.silent_in(agent), 1e9))
                for agent in self.working
                if not agent.is_hedge
            ]
            limits.append(max(silence, default=abandon - min(agent.age for agent in self.working)))
            limits += [self.conclusion_left(agent) for agent in self.working if agent.is_concluding]
        waits = [max(NOT_BEFORE, limit) for limit in limits if limit < 1e9]
        return min(waits) if waits else None

    def silent_in(self, agent: RunningAgent, sure: float = SURE) -> float:
        """Seconds until an agent counts as silent if it says nothing; infinite if it cannot, because its tools are at work."""
        progress = agent.node.progress
        if progress.state == "idle":
            return float("inf")
        since = progress.last_sign
        if (
            agent.task.model.abilities.one_machine
        ):  # which may have begun with this one only when it was done with another
            since = max(since, self.freed)
        return since + self._silence_limit(agent, sure) - time.monotonic()

    def _silence_limit(self, agent: RunningAgent, sure: float) -> float:
        # A reply that broke off says nothing of how long others may take.
        sound = [other for other in self.everyone if other.name not in self.broken]
        peers = [other for other in sound if other.task.model.name == agent.task.model.name]
        peers = peers if len(peers) > 2 else sound
        if agent.node.progress.state == "writing":
            pauses = [
                other.node.progress.longest_gap
                for other in peers
                if other.node.progress.first_gap is not None
            ]
            # A pause is at most as suspicious as a late start: streams stall when whole machines do.
            start = self._first_silence_limit(peers, sure) if sure > SURE else 0.0
            return max(start, self.policy.pause_limit(pauses, agent.age, sure))
        limit = self._first_silence_limit(peers, sure)
        abandon = self._abandon_after()
        streams = any(other.node.progress.comes_in_pieces for other in peers)
        if sure > SURE or abandon is None or not streams:
            return limit
        # The whole replies of many others are a bound for the wait for a first piece.
        return min(limit, abandon) if len(self.latencies) >= self.policy.many else limit

    def _first_silence_limit(self, peers: list[RunningAgent], sure: float) -> float:
        if not any(other.node.progress.comes_in_pieces for other in peers):
            sure = VERY_SURE
        gaps = [
            other.node.progress.first_gap
            for other in peers
            if other.node.progress.first_gap is not None
        ]
        return self.policy.first_silence_limit(gaps, len(peers), self._seconds, sure)

    def _abandon_after(self) -> float | None:
        return self.policy.abandon_after(self.latencies, self._expected)

    def conclusion_left(self, agent: RunningAgent) -> float:
        """Seconds that an abandoned agent has left to conclude."""
        return self.policy.conclude_until(self.latencies) - agent.age

    def none_is_worth_waiting_for(self) -> bool:
        """True if enough have answered, and each of the others is silent, or had its time to conclude. A hedge alone is no reason
        to wait longer than the others took."""
        abandon = self._abandon_after()
        return abandon is not None and all(
            self.conclusion_left(agent) <= NOT_BEFORE
            if agent.is_concluding and not self._concludes_for_deadline(agent)
            else agent.age + NOT_BEFORE >= abandon
            and (agent.is_hedge or self.silent_in(agent) <= NOT_BEFORE)
            for agent in self.working
        )

    def can_be_hedged(self, agent: RunningAgent) -> bool:
        """True if a second request of a silent agent may help."""
        abilities = agent.task.model.abilities
        if not self.policy.hedge or abilities.in_process or agent.node.progress.state == "pausing":
            return False
        busy = abilities.one_machine and any(
            other is not agent
            and other.task.model.abilities.one_machine
            and self.silent_in(other) > NOT_BEFORE
            for other in self.working
        )
        return not busy

    def too_late_in(self, agent: RunningAgent) -> float:
        """Seconds until an agent has to conclude to be in time; infinite if there is no deadline, if it was asked already, and
        while its reply is likely to end before."""
        left = self.budget.seconds_left()
        if (
            left is None
            or not agent.can_conclude
            or (self.lengths and not self.is_likely_too_late(agent))
        ):
            return float("inf")
        first_gaps = [
            other.node.progress.first_gap
            for other in self.everyone
            if other.node.progress.first_gap is not None
        ]
        paces = [other.node.progress.tokens_per_second or 0.0 for other in (agent, *self.everyone)]
        pace = next((each for each in paces if each), _PACE)
        elapsed = time.monotonic() - self._began
        return self.policy.conclude_at(elapsed + left, first_gaps, pace, conclude.TOKENS) - elapsed

    def _concludes_for_deadline(self, agent: RunningAgent) -> bool:
        """True if an agent concludes because time ends, and not because it was abandoned: it then has until the deadline."""
        return agent.node.conclude_because == TIME_ENDS

    def is_likely_too_late(self, agent: RunningAgent) -> bool:
        """True if an agent writes, but not fast enough for its likely end to come before the deadline."""
        left, progress = self.budget.seconds_left(), agent.node.progress
        pace = progress.tokens_per_second
        if left is None or pace is None or not self.lengths:
            return False
        return (likely_length(progress.tokens, self.lengths) - progress.tokens) / pace > left
