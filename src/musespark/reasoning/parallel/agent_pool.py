"""Agents at work in parallel: sent, collected as they return, hedged when they are silent, cancelled when they are not needed.

`pool_watch` alone decides, by the rules of `stragglers`, which agents lag. The text of a straggler is not lost: it is asked for its
conclusion before it is cancelled.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Literal, Self

from musespark.content import Request
from musespark.errors import AllFailed, BadInput, MuseError
from musespark.events import Noted
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.concurrency import wait_cancelled
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.pool_watch import (
    NOT_BEFORE,
    TIME_ENDS,
    PoolWatch,
    RunningAgent,
)
from musespark.reasoning.parallel.run_agent import Outcome, run_agent
from musespark.reasoning.parallel.stragglers import VERY_SURE, StragglerPolicy
from musespark.reasoning.usage_node import UsageNode
from musespark.usage import Usage

LASTING = (400, 401, 403, 404, 422)
"""HTTP statuses of failures that asking again would not mend."""


@dataclass(frozen=True, slots=True)
class Straggler:
    """An agent that lags: another agent should be sent, or the same task be sent again."""

    task: AgentTask
    because: Literal["silent", "late"]
    """`silent`, or `late`: it writes, but its likely end lies beyond the deadline."""
    can_be_hedged: bool
    """True if a second request may help: not to a model in this process, and not to one machine that is busy with others."""


@dataclass
class AgentPool:
    """A batch of agents of one run. Leaving the `with` block cancels those still at work, and waits until they are gone."""

    run: RunContext
    node: UsageNode
    """Usage node of the parent of these agents."""
    policy: StragglerPolicy = field(default_factory=StragglerPolicy)
    known_lengths: Sequence[int] = ()
    """Lengths of such replies that are known from before, in tokens."""
    failures: dict[str, MuseError] = field(default_factory=dict)
    """Errors of those that failed, by agent."""
    used: dict[str, Usage] = field(default_factory=dict)
    """Usage of those that came back, by agent."""
    sent: int = field(default=0, init=False)
    """Number of agents that have been put to work, hedges apart."""
    hedges: int = field(default=0, init=False)
    """Number of hedge requests."""

    def __post_init__(self) -> None:
        self._watch = PoolWatch(
            self.policy, self.run.budget, self.failures, list(self.known_lengths)
        )
        self._spare: dict[str, Attempt] = {}
        """Replies that broke off, or are known to be wrong, while another request of the agent was still at work."""
        self._batch = self.node.new_batch()

    def next_batch(self) -> None:
        """Let those that are sent from here on work after those that were sent before."""
        self._batch = self.node.new_batch()

    @property
    def working(self) -> int:
        """Number of agents that have not come back."""
        return len({sent.name for sent in self._watch.working})

    def send(self, task: AgentTask) -> None:
        """Put an agent to work."""
        self.sent += 1
        self._start(task, task.agent)

    def hedge(self, task: AgentTask, request: Request | None = None) -> None:
        """Send an agent's task a second time, with a budget of its own if need be; the first of the two to answer counts."""
        self.hedges += 1
        self.run.emit(
            Noted(task.agent, "It is silent; its question is asked a second time beside it.")
        )
        first = next(sent for sent in self._watch.working if sent.task is task)
        again = replace(
            task,
            agent=f"{task.agent}-again",
            label=f"{task.label} (asked again)",
            request=request or task.request,
        )
        second = self._start(again, task.agent)
        second.is_hedge, second.since = True, first.since
        second.node.book(Usage(hedges=1))

    def _start(self, task: AgentTask, name: str) -> RunningAgent:
        node = self.node.add_child(task.agent, self._batch)
        if task.concludes:
            node.scope = (self.node.scope or self.run.budget).child()
        sent = RunningAgent(task, name, node)
        sent.future = asyncio.create_task(self._work(sent))
        self._watch.working.append(sent)
        self._watch.everyone.append(sent)
        return sent

    async def _work(self, sent: RunningAgent) -> Outcome:
        return await run_agent(self.run, sent.task, sent.node, lambda: sent.reason)

    async def next_outcome(self) -> tuple[AgentTask, Outcome] | Straggler | None:
        """The next to come back, or one that lags; None when none is left that is worth waiting for."""
        while self._watch.working:
            tasks = {sent.future for sent in self._watch.working}
            done, _ = await asyncio.wait(
                tasks, timeout=self._watch.seconds_to_act(), return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                sent = next(sent for sent in self._watch.working if sent.future in done)
                if (back := await self._take_back(sent)) is not None:
                    return back
            else:
                self._conclude_in_time()
                if self._watch.none_is_worth_waiting_for():
                    await self._abandon()
                elif straggler := self._next_straggler():
                    return straggler
        return None

    async def _abandon(self) -> None:
        """Ask those that have written something for their conclusion, once, and cancel the others."""
        for sent in self._watch.working:
            if sent.can_conclude:
                sent.node.ask_to_conclude(
                    "It fell silent" if not sent.is_hedge else "The others have answered"
                )
        await self._cancel(
            [
                sent
                for sent in self._watch.working
                if not sent.is_concluding or self._watch.conclusion_left(sent) <= NOT_BEFORE
            ],
            "it was silent when the others had answered",
        )

    def _next_straggler(self) -> Straggler | None:
        for sent in self._watch.working:
            if sent.is_reported or sent.is_hedge or sent.is_concluding:
                continue
            silent = self._watch.silent_in(sent, VERY_SURE) <= NOT_BEFORE
            if silent or self._watch.is_likely_too_late(sent):
                sent.is_reported = True
                return Straggler(
                    sent.task,
                    "silent" if silent else "late",
                    silent and self._watch.can_be_hedged(sent),
                )
        return None

    async def next_with_hedges(self) -> tuple[AgentTask, Outcome] | None:
        """The next to come back, with silent agents hedged meanwhile; None when none is left that is worth waiting for."""
        while (back := await self.next_outcome()) is not None:
            if not isinstance(back, Straggler):
                return back
            if back.can_be_hedged:
                self.hedge(back.task)
        return None

    def _conclude_in_time(self) -> None:
        for sent in self._watch.working:
            if self._watch.too_late_in(sent) <= NOT_BEFORE and sent.node.progress.state != "idle":
                sent.node.ask_to_conclude(TIME_ENDS)

    # Coming back.

    async def _take_back(self, sent: RunningAgent) -> tuple[AgentTask, Outcome] | None:
        """Take in an agent that came back; None if its hedge is still at work and may do better."""
        self._watch.working.remove(sent)
        self._watch.freed = time.monotonic()
        self.used[sent.task.agent] = sent.node.total
        outcome = sent.future.result()
        if isinstance(outcome, MuseError) or outcome.cut:
            self._watch.broken.add(sent.name)
        doubles = [other for other in self._watch.working if other.name == sent.name]
        if (
            isinstance(outcome, Attempt)
            and not outcome.cut
            and not (doubles and outcome.verified is False)
        ):
            if (
                outcome.verified is not False and not outcome.concluded
            ):  # a wrong answer is no reason to leave the others behind
                self._watch.latencies.append(sent.latency)
                self._watch.lengths.append(sent.node.progress.tokens)
            await self._cancel(
                doubles, "the same question was answered sooner by the other request"
            )
            return sent.task, outcome
        if isinstance(outcome, Attempt):
            other = self._spare.get(sent.name)
            self._spare[sent.name] = (
                outcome
                if other is None
                else max(other, outcome, key=lambda attempt: len(attempt.text))
            )
        if doubles:
            return None
        best = self._spare.get(sent.name, outcome)
        if isinstance(best, MuseError):
            self.failures[sent.name] = best
        return sent.task, best

    async def cancel_all(self, reason: str) -> None:
        """Cancel those at work, and wait until they have gone."""
        await self._cancel(list(self._watch.working), reason)

    async def _cancel(self, those: list[RunningAgent], reason: str) -> None:
        for sent in those:
            sent.reason = reason
            sent.future.cancel()
        try:
            await wait_cancelled(sent.future for sent in those)
        finally:
            self._watch.working = [sent for sent in self._watch.working if sent not in those]

    @property
    def all_failed_for_good(self) -> bool:
        """True if all so far have failed, more than one of them, all for the same reason, and for one that will not pass."""
        errors = list(self.failures.values())
        lasting = all(
            isinstance(error, BadInput) or getattr(error, "status", None) in LASTING
            for error in errors
        )
        return (
            not self._watch.latencies
            and len(errors) > 1
            and lasting
            and len({str(error) for error in errors}) == 1
        )

    def all_failed(self) -> AllFailed:
        """The error that lists what became of each agent."""
        return AllFailed(
            {agent: str(error) for agent, error in self.failures.items()}, self.failures.values()
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        await self.cancel_all("the run was stopped")
