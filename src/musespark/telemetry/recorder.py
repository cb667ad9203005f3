"""The events of one run as spans."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from musespark.events import (
    MAIN,
    AgentCancelled,
    AgentFailed,
    AgentReturned,
    AgentStarted,
    Event,
    RunEnded,
    RunFailed,
    RunStarted,
    Spent,
    StageStarted,
    ToolCalled,
    ToolReturned,
)
from musespark.telemetry.attributes import (
    difference,
    fail,
    messages,
    model_attributes,
    usage_attributes,
)
from musespark.usage import Usage

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

_NANOSECONDS = 1_000_000_000
_log = logging.getLogger(__name__)


async def with_spans(
    events: AsyncGenerator[Event, None], recorder: SpanRecorder | None
) -> AsyncGenerator[Event, None]:
    """The same events, each recorded before it is passed on; spans still open end with the stream."""
    async with aclosing(events):
        try:
            async for event in events:
                if recorder is not None:
                    recorder.record((event,))
                yield event
        finally:
            if recorder is not None:
                recorder.close()


@dataclass
class _AgentSpan:
    """An agent's span, and what is known of the model call that it is in."""

    span: Span
    parent: str | None
    model: str
    free_at: int
    """Nanoseconds since the epoch at which it could make its next call."""
    used: Usage = field(default_factory=Usage)
    """Usage of the agent and of all it spawned, as `Spent` last said."""
    own: Usage = field(default_factory=Usage)
    """The part of it that is the agent's own."""
    recorded: Usage = field(default_factory=Usage)
    """The part of its own that spans of calls have shown."""
    spent_at: int = 0
    """Nanoseconds since the epoch of the last `Spent`."""
    ended: bool = False


class SpanRecorder:
    """Turns the events of one run into spans. Times are those of the events, so a stored run can be recorded as well."""

    def __init__(self, tracer: Tracer, *, content: bool = False) -> None:
        """content: let questions, answers, and the arguments and results of tools into the spans."""
        self._tracer, self._content = tracer, content
        self._run: Span | None = None
        self._stage: Span | None = None
        self._agents: dict[str, _AgentSpan] = {}
        self._tools: dict[tuple[str, str], Span] = {}
        self._began = 0
        self._now = 0
        self._model = ""
        self._mode = ""

    def record(self, events: Iterable[Event]) -> None:
        """Take the next events. A fault of the recorder is logged and ends the recording, never the run."""
        try:
            for event in events:
                self._take(event)
        except Exception:
            _log.exception("The spans of this run are incomplete: recording failed.")
            self._run = None

    def _take(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._start_run(event)
        if self._run is None:
            return
        self._now = self._began + round(event.at * _NANOSECONDS)
        match event:
            case StageStarted():
                self._start_stage(event)
            case AgentStarted():
                self._start_agent(event)
            case Spent():
                self._spend(event)
            case ToolCalled():
                self._start_tool(event)
            case ToolReturned():
                self._end_tool(event)
            case AgentReturned() | AgentCancelled() | AgentFailed():
                self._end_agent(event)
            case RunEnded() | RunFailed():
                self._end_run(event)

    def close(self) -> None:
        """End every span that is still open: the stream was closed before the run ended."""
        if self._run is not None:
            self._run.set_attribute("muse.outcome", "cancelled")
            self._end_all()

    def _start_run(self, event: RunStarted) -> None:
        self._now = time.time_ns()
        self._began = self._now - round(event.at * _NANOSECONDS)
        self._mode, self._model = str(event.mode), event.model
        self._run = self._start(
            f"invoke_workflow {self._mode}",
            None,
            {
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.workflow.name": self._mode,
                "muse.run.id": event.run,
                **model_attributes(self._model_of_all),
            },
        )
        if self._content:
            self._run.set_attribute("gen_ai.input.messages", messages("user", event.question))

    @property
    def _model_of_all(self) -> str:
        """The model of every agent; empty in a team of several."""
        return "" if " + " in self._model else self._model

    def _start_stage(self, event: StageStarted) -> None:
        if self._stage is not None:
            self._stage.end(self._now)
        name = f"{event.stage} {event.round}" if event.round else event.stage
        self._stage = self._start(
            f"stage {name}",
            self._parent(None),
            {"muse.stage": event.stage, "muse.stage.round": event.round},
        )

    def _parent(self, agent: str | None) -> Span | None:
        """The span below which those of an agent's children go; agents that the team sends go below their stage."""
        if agent == MAIN and self._stage is not None:
            return self._stage
        found = self._agents.get(agent or MAIN)
        return found.span if found else self._run

    def _start_agent(self, event: AgentStarted) -> None:
        model = event.model or self._model_of_all
        above = self._run if event.parent is None else self._parent(event.parent)
        span = self._start(
            f"invoke_agent {event.agent}",
            above,
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": event.agent,
                **model_attributes(model),
            },
        )
        self._agents[event.agent] = _AgentSpan(span, event.parent, model, self._now)

    def _spend(self, event: Spent) -> None:
        agent = self._agents.get(event.agent)
        if agent is None or agent.ended:
            return
        below = [child.used for child in self._agents.values() if child.parent == event.agent]
        own = difference(event.usage, below)
        if own.calls > agent.own.calls > agent.recorded.calls:
            self._end_call(agent)  # it was followed by another: a call that was tried again
        agent.used, agent.own, agent.spent_at = event.usage, own, self._now

    def _end_call(self, agent: _AgentSpan) -> None:
        """The span of the call that an agent has just made, if it has made one."""
        if agent.own.calls <= agent.recorded.calls:
            return
        used = difference(agent.own, [agent.recorded])
        name = agent.model.partition(":")[2] or agent.model
        span = self._start(
            f"chat {name}".rstrip(),
            agent.span,
            {
                "gen_ai.operation.name": "chat",
                **model_attributes(agent.model),
                **usage_attributes(used),
            },
            began=agent.free_at,
            client=True,
        )
        span.end(max(agent.spent_at, agent.free_at))
        agent.recorded, agent.free_at = agent.own, agent.spent_at

    def _start_tool(self, event: ToolCalled) -> None:
        agent = self._agents.get(event.agent)
        if agent is None:
            return
        self._end_call(agent)
        span = self._start(
            f"execute_tool {event.tool}",
            agent.span,
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": event.tool,
                "gen_ai.tool.call.id": event.call,
                "gen_ai.tool.type": "function",
            },
        )
        if self._content:
            span.set_attribute("gen_ai.tool.call.arguments", event.arguments)
        self._tools[event.agent, event.call] = span

    def _end_tool(self, event: ToolReturned) -> None:
        span = self._tools.pop((event.agent, event.call), None)
        if span is None:
            return
        if self._content:
            span.set_attribute("gen_ai.tool.call.result", event.text)
        if event.failed:
            fail(span, "tool_failed", event.text if self._content else "")
        span.end(self._now)
        if event.agent in self._agents:
            self._agents[event.agent].free_at = self._now

    def _end_agent(self, event: AgentReturned | AgentCancelled | AgentFailed) -> None:
        agent = self._agents.get(event.agent)
        if agent is None or agent.ended:
            return
        for key in [key for key in self._tools if key[0] == event.agent]:
            self._tools.pop(key).end(self._now)
        self._end_call(agent)
        agent.span.set_attributes(usage_attributes(agent.used))
        outcome = event.kind.removeprefix("agent_")
        agent.span.set_attribute("muse.outcome", outcome)
        if isinstance(event, AgentFailed):
            fail(agent.span, event.error, event.message)
        agent.span.end(self._now)
        agent.ended = True

    def _end_run(self, event: RunEnded | RunFailed) -> None:
        if self._run is None:
            return
        values = event.to_json()
        if isinstance(event, RunFailed):
            fail(self._run, event.error, event.message)
            self._run.set_attribute("muse.outcome", "failed")
        else:
            usage = event.usage
            self._run.set_attributes(
                {
                    **usage_attributes(usage),
                    "muse.outcome": "finished",
                    "muse.finish_reason": values["why"],
                    "muse.status": values["status"],
                    "muse.calls": usage.calls,
                    "muse.threads": usage.threads,
                    "muse.hedges": usage.hedges,
                    "muse.critical_path": usage.critical_path,
                }
            )
            if self._content:
                self._run.set_attribute(
                    "gen_ai.output.messages", messages("assistant", event.answer)
                )
        self._end_all()

    def _end_all(self) -> None:
        """End what is open, the innermost first."""
        for tool in self._tools.values():
            tool.end(self._now)
        for agent in reversed(self._agents.values()):
            if not agent.ended:
                self._end_call(agent)
                agent.span.set_attributes(usage_attributes(agent.used))
                agent.span.end(self._now)
        for span in (self._stage, self._run):
            if span is not None:
                span.end(self._now)
        self._run = self._stage = None
        self._agents.clear()
        self._tools.clear()

    def _start(
        self,
        name: str,
        parent: Span | None,
        attributes: Mapping[str, Any],
        *,
        began: int | None = None,
        client: bool = False,
    ) -> Span:
        from opentelemetry.trace import SpanKind, set_span_in_context

        context = None if parent is None else set_span_in_context(parent)
        return self._tracer.start_span(
            name,
            context,
            kind=SpanKind.CLIENT if client else SpanKind.INTERNAL,
            attributes=attributes,
            start_time=self._now if began is None else began,
        )
