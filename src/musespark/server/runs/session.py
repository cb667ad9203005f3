"""One run: its solver, its budget and where it is stored, and the stream of its events."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

from musespark.budget import Budget, Limits
from musespark.errors import BudgetExhausted, EmptyReply, MuseError, Stopped, StoreUnusable
from musespark.events import AgentFailed, Event, RunEnded, RunFailed, RunStarted
from musespark.reasoning.modes import run_batches
from musespark.server.http.schema import require_match
from musespark.server.metrics import Metrics
from musespark.server.resolve.resolve import ResolvedRequest
from musespark.server.runs.run_store import RunStore
from musespark.store.runs.record import RunCost, RunHeader, RunStatus
from musespark.telemetry import SpanRecorder

_LOG = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class RunSession:
    """A resolved request with everything its run needs. `batches` runs it, once."""

    resolved: ResolvedRequest
    runs: RunStore | None
    """Store of the run; None if it is not stored."""
    budget: Budget
    caller: str = ""
    metrics: Metrics | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    is_disconnected: bool = False
    """True once the client has left."""
    spans: SpanRecorder | None = None
    """Recorder of telemetry; None if it is off."""
    redact: Callable[[Event], Event] | None = None
    """Leaves out of an event what only the operator is to know; None for the operator's own runs."""

    def mark_disconnected(self) -> None:
        """Note that the client has left: the run then counts as cancelled and not as interrupted."""
        self.is_disconnected = True

    async def batches(self, header: RunHeader) -> AsyncGenerator[list[Event], None]:
        """Yield the run's events, under its id, as they happen. Await `flush` before showing any of them to anyone.

        Raises what the run raises, and `SchemaNotMet`.
        """
        status: RunStatus = "interrupted"
        recorder = self.metrics.start_run(str(self.resolved.request.mode)) if self.metrics else None
        try:
            if self.runs is not None:
                await self.runs.start(header)
            async with aclosing(
                run_batches(self.resolved.team, self.resolved.request, self.budget)
            ) as found:
                async for batch in found:
                    batch[0], batch[-1] = self._own(batch[0]), self._own(batch[-1])
                    if self.redact is not None:
                        batch = [self._redacted(event) for event in batch]
                    last = batch[-1]
                    if self.runs is not None:
                        await self.runs.append_events(self.id, batch)
                    if isinstance(last, RunEnded | RunFailed):
                        await self._flush_books()
                    if recorder is not None:
                        recorder.observe(batch)
                    if self.spans is not None:
                        self.spans.record(batch)
                    if isinstance(last, RunEnded):
                        try:
                            self._require_answer(last)
                        except MuseError:
                            yield batch[:-1]
                            raise
                        status = "finished"
                    yield batch
        except Stopped:
            status = "cancelled"
            raise
        except Exception:
            status = "failed"
            raise
        finally:
            status = "cancelled" if self.is_disconnected and status == "interrupted" else status
            cost = RunCost(
                tokens=self.budget.spent.tokens,
                usd=self.budget.spent.usd,
                calls=self.budget.spent.calls,
            )
            if recorder is not None:
                recorder.finish(status, cost)
            if self.spans is not None:
                self.spans.close()
            if self.runs is not None:
                self.runs.end(self.id, status, cost)

    async def flush(self) -> None:
        """Return once everything so far is stored for good. Raises `StoreUnusable`."""
        if self.runs is not None:
            await self.runs.flush(self.id)

    async def _flush_books(self) -> None:
        """Return once the run and its cost are stored for good. Raises `StoreUnusable` if the run is to be stored."""
        if self.runs is not None:
            await self.flush()
            return
        with suppress(StoreUnusable):  # it is recorded once the store can be used again
            await self.budget.recorded()

    def _redacted(self, event: Event) -> Event:
        assert self.redact is not None
        shown = self.redact(event)
        if shown is not event and isinstance(event, AgentFailed):
            _LOG.warning("An agent of the run %s failed: %s", self.id, event.message)
        return shown

    def _own(self, event: Event) -> Event:
        """Return the event under this run's id and, if a single tool call is wanted, with the first of its calls alone."""
        match event:
            case RunStarted():
                return replace(event, run=self.id)
            case RunEnded() if self.resolved.parsed.single_tool_call:
                return replace(event, calls=event.calls[:1])
        return event

    def _require_answer(self, ended: RunEnded) -> None:
        """Raise if the run ended without an answer: a limit came before any text, or the text does not match the schema."""
        request, strict_tools = self.resolved.request, self.resolved.parsed.strict_tools
        if ended.finish_reason == "budget" and not ended.answer.strip() and not ended.calls:
            limits = self.resolved.limits or Limits()
            raise (
                self.budget.overdue()
                if self.budget.seconds_left() == 0
                else BudgetExhausted("tokens", limits.tokens or 0)
            )
        name = self.resolved.team.name
        if self._is_empty(ended):
            raise EmptyReply(name)
        if request.schema is not None and not ended.calls and ended.finish_reason == "finished":
            require_match(ended.answer, request.schema, name)
        for call in ended.calls:
            if call.name in strict_tools:
                require_match(
                    call.arguments,
                    next(tool.parameters for tool in request.tools if tool.name == call.name),
                    name,
                )

    def _is_empty(self, ended: RunEnded) -> bool:
        """Return True if the answer is nothing at all, although no limit, filter or stop text has ended it."""
        return (
            ended.finish_reason == "finished"
            and not ended.answer.strip()
            and not (ended.calls or ended.images or self.resolved.request.stop)
            and ended.stop is None
        )
