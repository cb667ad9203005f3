"""The three modes: a request becomes a run, with one agent or a team at work in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing

from musespark.budget import Budget
from musespark.content import Mode, Request
from musespark.errors import BudgetExhausted
from musespark.events import Event, Noted, Verified
from musespark.models.model import open_model
from musespark.reasoning.agent.agent import run_task
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.context import RunContext
from musespark.reasoning.team.contemplate import contemplate
from musespark.reasoning.team.team import Team


async def run(
    team: Team, request: Request, budget: Budget | None = None
) -> AsyncGenerator[Event, None]:
    """Answer a request, as a stream of events.

    In contemplating mode the team runs its stages, unless it is `solo`; instant and thinking run its first explorer alone.
    If a token limit, the budget or a broken reply ends the run early, the best answer so far is returned, with its
    `RunEnded.finish_reason`. Closing or cancelling the stream cancels all calls; their usage until then is booked.

    Raises `BeyondModel` before the first event. After a `RunFailed` it raises the model's `MuseError`, `AllFailed` if no explorer
    has an answer, and `ModelFailed` for anything else.
    """
    async with aclosing(run_batches(team, request, budget)) as found:
        async for burst in found:
            for event in burst:
                yield event


async def run_batches(
    team: Team, request: Request, budget: Budget | None = None
) -> AsyncGenerator[list[Event], None]:
    """The same events in batches, each with all that came since the last one: for consumers that handle many events at the cost of
    one."""
    team.require(request)
    work = contemplate if request.mode is Mode.CONTEMPLATING and not team.solo else _alone
    current = RunContext(
        request.checked(), budget or Budget(), team.name, call_policy=team.call_policy
    )
    async with aclosing(current.batches(_held_open(current, team, work))) as found:
        async for burst in found:
            yield burst


async def _held_open(
    run: RunContext, team: Team, work: Callable[[RunContext, Team], Awaitable[None]]
) -> None:
    """Work with connections that last from the first call to the last."""
    async with AsyncExitStack() as held:
        for model in team.models:
            await held.enter_async_context(open_model(model))
        await work(run, team)


def ignored_models(names: Sequence[str], mode: Mode) -> str:
    """A notice that a mode of one model ignores all models but the first; empty if only one was named."""
    first, *others = dict.fromkeys(names)
    told = f"Only {first} is asked, and not {', '.join(others)}: {mode} is one model's; {Mode.CONTEMPLATING} asks them all."
    return told if others else ""


async def _alone(run: RunContext, team: Team) -> None:
    """Run one agent, the first explorer: its text streams as the answer."""
    model = team.explorers[0]
    if told := ignored_models([each.name for each in team.explorers], run.request.mode):
        run.emit(Noted(run.main.agent, told))
    task = AgentTask(
        agent=run.main.agent,
        model=model,
        request=run.request,
        tools=team.tools,
        verify=team.verify,
        fits=team.fits,
    )
    try:
        attempt = await run_task(run, task, run.main, speak=True)
    except BudgetExhausted as error:
        began = run.main.total.calls and (
            error.resource == "seconds" or run.has_thought or run.answer
        )
        if not began:  # without any output there is only the error to show
            raise
        run.finish_reason = "budget"
        return
    run.set_outcome(attempt)
    if team.verify is not None and attempt.verified is not None:
        run.emit(Verified(attempt.verified, attempt.verified_by))
