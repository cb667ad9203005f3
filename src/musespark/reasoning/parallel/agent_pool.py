"""Agents at work in parallel: sent, collected as they return, hedged when they are silent, cancelled when they are not needed.

Only the rules of `stragglers` decide which agents lag. The text of a straggler is not lost: it is asked for its conclusion before
it is cancelled.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Literal, Self, TypeAlias

from musespark.content import Request
from musespark.errors import AllFailed, BadInput, ContentFiltered, ModelFailed, MuseError
from musespark.events import AgentCancelled, AgentFailed, AgentReturned, AgentStarted, Noted
from musespark.reasoning.agent import conclude
from musespark.reasoning.agent.agent import run_task
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.concurrency import is_being_cancelled, wait_cancelled
from musespark.reasoning.consensus.equivalence import blank
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.stragglers import SURE, VERY_SURE, StragglerPolicy, likely_length
from musespark.reasoning.usage_node import UsageNode
from musespark.usage import Usage

Outcome: TypeAlias = Attempt | MuseError

LASTING = (400, 401, 403, 404, 422)
"""HTTP statuses of failures that asking again would not mend."""
_PACE = 30.0
"""Tokens a second that a model is taken to write before it has written any."""
_LOOK_AGAIN, _LOOK_AGAIN_LEAST = 0.1, 0.05
"""The agents are looked at again after this part of the time since the first was sent; the other is in seconds."""
_NOT_BEFORE = 1e-3
"""Seconds; a limit that is nearer than that is reached."""


async def run_agent(
    run: RunContext,
    task: AgentTask,
    node: UsageNode,
    cancel_reason: Callable[[], str],
    *,
    speak: bool = False,
) -> Outcome:
    """Run one agent and emit its events: it starts, and returns, fails or is cancelled. Raises only if it is cancelled."""
    run.emit(AgentStarted(task.agent, task.parent, task.label, task.model.name))
    try:
        attempt = await run_task(run, task, node, speak=speak)
    except asyncio.CancelledError:
        if is_being_cancelled():
            run.emit(AgentCancelled(task.agent, cancel_reason()))
            raise
        return _failed(
            run, task, ModelFailed(task.model.name, "something it called cancelled itself")
        )
    except MuseError as error:
        return _failed(run, task, error)
    except Exception as crash:  # a bug in an adapter; the others go on
        return _failed(run, task, ModelFailed(task.model.name, repr(crash)))
    if blank(attempt) and attempt.finish_reason == "filtered":
        return _failed(run, task, ContentFiltered(task.model.name))
    if blank(attempt):
        return _failed(run, task, ModelFailed(task.model.name, _why_blank(attempt)))
    run.emit(AgentReturned(task.agent, attempt.text))
    return attempt


def _why_blank(attempt: Attempt) -> str:
    if attempt.finish_reason not in ("length", "budget"):
        return "it answered nothing"
    return "its share of the budget ended before its answer began; allow more tokens, or ask fewer agents"


def _failed(run: RunContext, task: AgentTask, error: MuseError) -> MuseError:
    run.emit(AgentFailed(task.agent, type(error).__name__, str(error)))
    return error


@dataclass(eq=False)
class _Sent:
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
        self._working: list[_Sent] = []
        self._all: list[_Sent] = []
        self._latencies: list[float] = []
        self._lengths = list(self.known_lengths)
        """Tokens of the replies that came to their end, here and before."""
        self._spare: dict[str, Attempt] = {}
        """Replies that broke off, or are known to be wrong, while another request of the agent was still at work."""
        self._broken: set[str] = set()
        """Names of agents with a request that failed or broke off."""
        self._seconds = self.run.budget.seconds_left()
        self._began = time.monotonic()
        self._batch = self.node.new_batch()
        self._freed = self._began
        """When a call last came to its end: one machine may only then have begun with those that waited."""

    def next_batch(self) -> None:
        """Let those that are sent from here on work after those that were sent before."""
        self._batch = self.node.new_batch()

    @property
    def working(self) -> int:
        """Number of agents that have not come back."""
        return len({sent.name for sent in self._working})

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
        first = next(sent for sent in self._working if sent.task is task)
        again = replace(
            task,
            agent=f"{task.agent}-again",
            label=f"{task.label} (asked again)",
            request=request or task.request,
        )
        second = self._start(again, task.agent)
        second.is_hedge, second.since = True, first.since
        second.node.book(Usage(hedges=1))

    def _start(self, task: AgentTask, name: str) -> _Sent:
        node = self.node.add_child(task.agent, self._batch)
        if task.concludes:
            node.scope = (self.node.scope or self.run.budget).child()
        sent = _Sent(task, name, node)
        sent.future = asyncio.create_task(self._work(sent))
        self._working.append(sent)
        self._all.append(sent)
        return sent

    async def _work(self, sent: _Sent) -> Outcome:
        return await run_agent(self.run, sent.task, sent.node, lambda: sent.reason)

    async def next_outcome(self) -> tuple[AgentTask, Outcome] | Straggler | None:
        """The next to come back, or one that lags; None when none is left that is worth waiting for."""
        while self._working:
            tasks = {sent.future for sent in self._working}
            done, _ = await asyncio.wait(
                tasks, timeout=self._seconds_to_act(), return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                sent = next(sent for sent in self._working if sent.future in done)
                if (back := await self._take_back(sent)) is not None:
                    return back
            else:
                self._conclude_in_time()
                if self._none_is_worth_waiting_for():
                    await self._abandon()
                elif straggler := self._next_straggler():
                    return straggler
        return None

    # When something is to be done, if none comes back before: each limit as seconds from now.

    def _seconds_to_act(self) -> float | None:
        limits = [
            self._silent_in(sent, VERY_SURE) for sent in self._working if not sent.is_reported
        ]
        # Knowledge of waits and pauses grows while agents write, and no event wakes the pool then.
        limits.append(max(_LOOK_AGAIN_LEAST, _LOOK_AGAIN * (time.monotonic() - self._began)))
        limits += [self._too_late_in(sent) for sent in self._working]
        if (abandon := self._abandon_after()) is not None:
            # While one still writes, the time to abandon the silent ones does not come nearer by waiting for it.
            silence = [
                max(abandon - sent.age, min(self._silent_in(sent), 1e9))
                for sent in self._working
                if not sent.is_hedge
            ]
            limits.append(max(silence, default=abandon - min(sent.age for sent in self._working)))
            limits += [self._conclusion_left(sent) for sent in self._working if sent.is_concluding]
        waits = [max(_NOT_BEFORE, limit) for limit in limits if limit < 1e9]
        return min(waits) if waits else None

    def _silent_in(self, sent: _Sent, sure: float = SURE) -> float:
        """Seconds until an agent counts as silent if it says nothing; infinite if it cannot, because its tools are at work."""
        progress = sent.node.progress
        if progress.state == "idle":
            return float("inf")
        since = progress.last_sign
        if (
            sent.task.model.abilities.one_machine
        ):  # which may have begun with this one only when it was done with another
            since = max(since, self._freed)
        return since + self._silence_limit(sent, sure) - time.monotonic()

    def _silence_limit(self, sent: _Sent, sure: float) -> float:
        # A reply that broke off says nothing of how long others may take.
        sound = [other for other in self._all if other.name not in self._broken]
        peers = [other for other in sound if other.task.model.name == sent.task.model.name]
        peers = peers if len(peers) > 2 else sound
        if sent.node.progress.state == "writing":
            pauses = [
                other.node.progress.longest_gap
                for other in peers
                if other.node.progress.first_gap is not None
            ]
            # A pause is at most as suspicious as a late start: streams stall when whole machines do.
            start = self._first_silence_limit(peers, sure) if sure > SURE else 0.0
            return max(start, self.policy.pause_limit(pauses, sent.age, sure))
        limit = self._first_silence_limit(peers, sure)
        abandon = self._abandon_after()
        streams = any(other.node.progress.comes_in_pieces for other in peers)
        if sure > SURE or abandon is None or not streams:
            return limit
        # The whole replies of many others are a bound for the wait for a first piece.
        return min(limit, abandon) if len(self._latencies) >= self.policy.many else limit

    def _first_silence_limit(self, peers: list[_Sent], sure: float) -> float:
        if not any(other.node.progress.comes_in_pieces for other in peers):
            sure = VERY_SURE
        gaps = [
            other.node.progress.first_gap
            for other in peers
            if other.node.progress.first_gap is not None
        ]
        return self.policy.first_silence_limit(gaps, len(peers), self._seconds, sure)

    def _abandon_after(self) -> float | None:
        return self.policy.abandon_after(self._latencies, self.sent - len(self.failures))

    def _conclusion_left(self, sent: _Sent) -> float:
        return self.policy.conclude_until(self._latencies) - sent.age

    def _none_is_worth_waiting_for(self) -> bool:
        """True if enough have answered, and each of the others is silent, or had its time to conclude. A hedge alone is no reason
        to wait longer than the others took."""
        abandon = self._abandon_after()
        return abandon is not None and all(
            self._conclusion_left(sent) <= _NOT_BEFORE
            if sent.is_concluding and not self._before_deadline(sent)
            else sent.age + _NOT_BEFORE >= abandon
            and (sent.is_hedge or self._silent_in(sent) <= _NOT_BEFORE)
            for sent in self._working
        )

    async def _abandon(self) -> None:
        """Ask those that have written something for their conclusion, once, and cancel the others."""
        for sent in self._working:
            if sent.can_conclude:
                sent.node.ask_to_conclude(
                    "It fell silent" if not sent.is_hedge else "The others have answered"
                )
        await self._cancel(
            [
                sent
                for sent in self._working
                if not sent.is_concluding or self._conclusion_left(sent) <= _NOT_BEFORE
            ],
            "it was silent when the others had answered",
        )

    def _next_straggler(self) -> Straggler | None:
        for sent in self._working:
            if sent.is_reported or sent.is_hedge or sent.is_concluding:
                continue
            silent = self._silent_in(sent, VERY_SURE) <= _NOT_BEFORE
            if silent or self._likely_too_late(sent):
                sent.is_reported = True
                return Straggler(
                    sent.task, "silent" if silent else "late", silent and self._can_be_hedged(sent)
                )
        return None

    def _can_be_hedged(self, sent: _Sent) -> bool:
        abilities = sent.task.model.abilities
        if not self.policy.hedge or abilities.in_process or sent.node.progress.state == "pausing":
            return False
        busy = abilities.one_machine and any(
            other is not sent
            and other.task.model.abilities.one_machine
            and self._silent_in(other) > _NOT_BEFORE
            for other in self._working
        )
        return not busy

    # The deadline.

    def _too_late_in(self, sent: _Sent) -> float:
        """Seconds until an agent has to conclude to be in time; infinite if there is no deadline, if it was asked already, and
        while its reply is likely to end before."""
        left = self.run.budget.seconds_left()
        if (
            left is None
            or not sent.can_conclude
            or (self._lengths and not self._likely_too_late(sent))
        ):
            return float("inf")
        first_gaps = [
            other.node.progress.first_gap
            for other in self._all
            if other.node.progress.first_gap is not None
        ]
        paces = [other.node.progress.tokens_per_second or 0.0 for other in (sent, *self._all)]
        pace = next((each for each in paces if each), _PACE)
        elapsed = time.monotonic() - self._began
        return self.policy.conclude_at(elapsed + left, first_gaps, pace, conclude.TOKENS) - elapsed

    def _before_deadline(self, sent: _Sent) -> bool:
        """True if an agent concludes because time ends, and not because it was abandoned: it then has until the deadline."""
        return sent.node.conclude_because == _TIME_ENDS

    def _likely_too_late(self, sent: _Sent) -> bool:
        """True if an agent writes, but not fast enough for its likely end to come before the deadline."""
        left, progress = self.run.budget.seconds_left(), sent.node.progress
        pace = progress.tokens_per_second
        if left is None or pace is None or not self._lengths:
            return False
        return (likely_length(progress.tokens, self._lengths) - progress.tokens) / pace > left

    def _conclude_in_time(self) -> None:
        for sent in self._working:
            if self._too_late_in(sent) <= _NOT_BEFORE and sent.node.progress.state != "idle":
                sent.node.ask_to_conclude(_TIME_ENDS)

    # Coming back.

    async def _take_back(self, sent: _Sent) -> tuple[AgentTask, Outcome] | None:
        """Take in an agent that came back; None if its hedge is still at work and may do better."""
        self._working.remove(sent)
        self._freed = time.monotonic()
        self.used[sent.task.agent] = sent.node.total
        outcome = sent.future.result()
        if isinstance(outcome, MuseError) or outcome.cut:
            self._broken.add(sent.name)
        doubles = [other for other in self._working if other.name == sent.name]
        if (
            isinstance(outcome, Attempt)
            and not outcome.cut
            and not (doubles and outcome.verified is False)
        ):
            if (
                outcome.verified is not False and not outcome.concluded
            ):  # a wrong answer is no reason to leave the others behind
                self._latencies.append(sent.latency)
                self._lengths.append(sent.node.progress.tokens)
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
        await self._cancel(list(self._working), reason)

    async def _cancel(self, those: list[_Sent], reason: str) -> None:
        for sent in those:
            sent.reason = reason
            sent.future.cancel()
        try:
            await wait_cancelled(sent.future for sent in those)
        finally:
            self._working = [sent for sent in self._working if sent not in those]

    @property
    def all_failed_for_good(self) -> bool:
        """True if all so far have failed, more than one of them, all for the same reason, and for one that will not pass."""
        errors = list(self.failures.values())
        lasting = all(
            isinstance(error, BadInput) or getattr(error, "status", None) in LASTING
            for error in errors
        )
        return (
            not self._latencies
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


_TIME_ENDS = "Time is about to end"
