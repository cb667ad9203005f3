"""Agents at work side by side: sent out, heard as they come back, doubled when they lag, dismissed when they are not needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self, TypeAlias

from musespark.content import Request
from musespark.errors import AllFailed, BadInput, ModelFailed, MuseError
from musespark.events import AgentCancelled, AgentFailed, AgentReturned, AgentStarted, Noted
from musespark.reasoning.account import Account
from musespark.reasoning.agent import Brief, think
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.equivalence import blank
from musespark.reasoning.patience import Patience
from musespark.reasoning.run import Run, being_cancelled, gone
from musespark.usage import Usage

Outcome: TypeAlias = Attempt | MuseError

LASTING = (400, 401, 403, 404, 422)
"""What a server answers that it would answer again."""


async def errand(run: Run, brief: Brief, account: Account, why_cancelled: Callable[[], str], *, speak: bool = False) -> Outcome:
    """Send one agent, and tell how it went: it starts, and returns, fails or is cancelled. Raises only when it is cancelled."""
    run.emit(AgentStarted(brief.agent, brief.parent, brief.task))
    try:
        attempt = await think(run, brief, account, speak=speak)
    except asyncio.CancelledError:
        if being_cancelled():
            run.emit(AgentCancelled(brief.agent, why_cancelled()))
            raise
        return _failed(run, brief, ModelFailed(brief.model.name, "something it called cancelled itself"))
    except MuseError as error:
        return _failed(run, brief, error)
    except Exception as crash:  # a bug in an adapter; the others go on
        return _failed(run, brief, ModelFailed(brief.model.name, repr(crash)))
    if blank(attempt):
        return _failed(run, brief, ModelFailed(brief.model.name, _why_blank(attempt)))
    run.emit(AgentReturned(brief.agent, attempt.text))
    return attempt


def _why_blank(attempt: Attempt) -> str:
    if attempt.why not in ("length", "budget"):
        return "it answered nothing"
    return "its share of the budget ended before its answer began; allow more tokens, or ask fewer agents"


def _failed(run: Run, brief: Brief, error: MuseError) -> MuseError:
    run.emit(AgentFailed(brief.agent, type(error).__name__, str(error)))
    return error


@dataclass(eq=False)
class _Sent:
    """An agent at work."""

    brief: Brief
    name: str
    """Of the agent; it shares it with its double."""
    account: Account
    since: float = field(default_factory=time.monotonic)
    """When the agent was sent; a double is as late as the one it doubles."""
    task: asyncio.Task[Outcome] = field(init=False)
    doubled: bool = False
    """Whether it has a double, or is one."""
    reason: str = "the run was stopped"
    """Why it was cancelled, if it was."""

    def __post_init__(self) -> None:
        self._began = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds for which the agent has been waited for."""
        return time.monotonic() - self.since

    @property
    def may_be_doubled(self) -> bool:
        """Whether it helps to ask again beside it."""
        return not self.doubled and not self.brief.model.abilities.in_process

    @property
    def latency(self) -> float:
        """Seconds for which this one has been at work."""
        return time.monotonic() - self._began


@dataclass(frozen=True, slots=True)
class Lag:
    """Somebody lags: an agent has been at work for far longer than the others took."""

    brief: Brief


@dataclass
class Crew:
    """A batch of agents of one run. Leaving the `with` block cancels whoever is still at work, and waits until they are gone."""

    run: Run
    account: Account
    """Whose work it is."""
    patience: Patience = field(default_factory=Patience)
    failures: dict[str, MuseError] = field(default_factory=dict)
    """What became of those that failed, by agent."""
    used: dict[str, Usage] = field(default_factory=dict)
    """What those who came back had used, by agent."""
    sent: int = field(default=0, init=False)
    """How many have been put to work, doubles apart."""

    def __post_init__(self) -> None:
        self._working: list[_Sent] = []
        self._latencies: list[float] = []
        self._spare: dict[str, Attempt] = {}
        """Replies that broke off while a double was still at work."""
        self._seconds = self.run.budget.seconds_left()
        self._batch = self.account.batch()

    def wave(self) -> None:
        """Whoever is sent from here on works after those who were sent before."""
        self._batch = self.account.batch()

    @property
    def working(self) -> int:
        """How many have not come back."""
        return len({sent.name for sent in self._working})

    def send(self, brief: Brief) -> None:
        """Put an agent to work."""
        self.sent += 1
        self._start(brief, brief.agent)

    def double(self, brief: Brief, request: Request | None = None) -> None:
        """Put a second agent to the same work, with a share of its own if need be; the first of the two to answer counts."""
        self.run.emit(Noted(brief.agent, "It lags; its question is asked a second time beside it."))
        first = next(sent for sent in self._working if sent.brief is brief)
        again = replace(brief, agent=f"{brief.agent}-again", task=f"{brief.task} (doubled)", request=request or brief.request)
        second = self._start(again, brief.agent)
        second.doubled, second.since = True, first.since

    def _start(self, brief: Brief, name: str) -> _Sent:
        sent = _Sent(brief, name, self.account.open(brief.agent, self._batch))
        sent.task = asyncio.create_task(self._work(sent))
        self._working.append(sent)
        return sent

    async def _work(self, sent: _Sent) -> Outcome:
        return await errand(self.run, sent.brief, sent.account, lambda: sent.reason)

    async def outcome(self) -> tuple[Brief, Outcome] | Lag | None:
        """The next to come back, or somebody who lags; None when there is nobody left worth waiting for."""
        while self._working:
            leave, double = self._thresholds()
            tasks = {sent.task for sent in self._working}
            done, _ = await asyncio.wait(tasks, timeout=self._timeout(leave, double), return_when=asyncio.FIRST_COMPLETED)
            if done:
                sent = next(sent for sent in self._working if sent.task in done)
                if (back := await self._back(sent)) is not None:
                    return back
            elif leave is not None and all(sent.age >= leave for sent in self._working):
                await self.dismiss("it lagged behind the others, who were enough to decide")
            elif double is not None:
                for sent in self._working:
                    if sent.age >= double and sent.may_be_doubled:
                        sent.doubled = True
                        return Lag(sent.brief)
        return None

    def _thresholds(self) -> tuple[float | None, float | None]:
        alive = self.sent - len(self.failures)
        return self.patience.leave_at(self._latencies, alive), self.patience.double_at(self._latencies, self._seconds)

    def _timeout(self, leave: float | None, double: float | None) -> float | None:
        """Seconds until the next of those at work crosses a threshold."""
        waits = [double - sent.age for sent in self._working if double is not None and sent.may_be_doubled]
        if leave is not None:
            waits.append(max(leave - sent.age for sent in self._working))
        return max(0.0, min(waits)) if waits else None

    async def _back(self, sent: _Sent) -> tuple[Brief, Outcome] | None:
        """Take in who came back; None where its double is still at work and may do better."""
        self._working.remove(sent)
        self.used[sent.brief.agent] = sent.account.total
        outcome = sent.task.result()
        doubles = [other for other in self._working if other.name == sent.name]
        if isinstance(outcome, Attempt) and not outcome.cut:
            if outcome.verified is not False:  # what is known to be wrong is no reason to leave the others behind
                self._latencies.append(sent.latency)
            await self._cancel(doubles, "its double was faster")
            return sent.brief, outcome
        if isinstance(outcome, Attempt):
            self._spare[sent.name] = outcome
        if doubles:
            return None
        best = self._spare.get(sent.name, outcome)
        if isinstance(best, MuseError):
            self.failures[sent.name] = best
        return sent.brief, best

    async def dismiss(self, reason: str) -> None:
        """Cancel whoever is at work, and wait until they have gone."""
        await self._cancel(list(self._working), reason)

    async def _cancel(self, those: list[_Sent], reason: str) -> None:
        for sent in those:
            sent.reason = reason
            sent.task.cancel()
        try:
            await gone(sent.task for sent in those)
        finally:
            self._working = [sent for sent in self._working if sent not in those]

    @property
    def hopeless(self) -> bool:
        """Whether everyone so far has failed, more than one of them, all for the same reason, and for one that will not pass."""
        errors = list(self.failures.values())
        lasting = all(isinstance(error, BadInput) or getattr(error, "status", None) in LASTING for error in errors)
        return not self._latencies and len(errors) > 1 and lasting and len({str(error) for error in errors}) == 1

    def all_failed(self) -> AllFailed:
        """The error that lists what became of everyone."""
        return AllFailed({agent: str(error) for agent, error in self.failures.items()}, self.failures.values())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        await self.dismiss("the run was stopped")
