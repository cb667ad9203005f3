"""A single agent with its events: it starts, and returns, fails or is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from musespark.errors import ContentFiltered, EmptyReply, ModelFailed, MuseError
from musespark.events import AgentCancelled, AgentFailed, AgentReturned, AgentStarted
from musespark.reasoning.agent.agent import run_task
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.concurrency import is_being_cancelled
from musespark.reasoning.consensus.equivalence import blank
from musespark.reasoning.context import RunContext
from musespark.reasoning.usage_node import UsageNode

Outcome: TypeAlias = Attempt | MuseError


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
    if blank(attempt):
        return _failed(run, task, _blank_error(attempt, task.model.name))
    run.emit(AgentReturned(task.agent, attempt.text))
    return attempt


def _blank_error(attempt: Attempt, model: str) -> ModelFailed:
    """The error for an attempt that says nothing."""
    match attempt.finish_reason:
        case "filtered":
            return ContentFiltered(model)
        case "length" | "budget":
            reason = "its share of the budget ended before its answer began; allow more tokens, or ask fewer agents"
            return ModelFailed(model, reason)
    return EmptyReply(model)


def _failed(run: RunContext, task: AgentTask, error: MuseError) -> MuseError:
    run.emit(AgentFailed(task.agent, type(error).__name__, str(error)))
    return error
