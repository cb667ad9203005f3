"""The stages of a team, one after the other: explore, refine, aggregate. A run has its answer afterwards."""

from __future__ import annotations

import asyncio

from musespark.events import Decided, Noted, StageStarted
from musespark.reasoning.context import RunContext
from musespark.reasoning.team.aggregate import aggregator_of
from musespark.reasoning.team.answer_pool import AnswerPool, user_hook
from musespark.reasoning.team.explore import explore
from musespark.reasoning.team.refine import refine
from musespark.reasoning.team.team import Team

RECORDING = 5.0
"""Seconds that `Team.remember` may take."""


async def contemplate(run: RunContext, team: Team) -> None:
    """Run all stages. Raises `AllFailed` if no explorer has an answer."""
    if team.because:
        run.emit(Noted("main", team.because))
    answers = await explore(run, team)
    for number in range(1, team.rounds + 1):
        if not answers.stop_reason:
            await refine(run, team, answers, number)
    await _aggregate(run, team, answers)
    if team.remember is not None:
        await _remember(run, team, answers)


async def _aggregate(run: RunContext, team: Team, answers: AnswerPool) -> None:
    """Decide on one answer and publish it. Named aggregators watch the deadline themselves; a function is cancelled at it."""
    run.emit(StageStarted("aggregate"))
    decide = aggregator_of(team, answers)
    with user_hook("aggregate"):
        if decide is team.aggregate:
            decision = await run.within_deadline(decide(run, team, answers))
        else:
            decision = await decide(run, team, answers)
    run.emit(Decided(decision.by, decision.winners, decision.reason))
    decision.publish(run)
    if (answers.budget_limited or run.budget.stopped) and not answers.stop_reason:
        run.finish_reason = "budget"


async def _remember(run: RunContext, team: Team, answers: AnswerPool) -> None:
    """Call `Team.remember` in a worker thread. The answer is published already: a failure here is only noted."""
    assert team.remember is not None
    try:
        async with asyncio.timeout(RECORDING):
            await asyncio.to_thread(team.remember, run, answers)
    except Exception as error:
        run.emit(
            Noted(
                "main",
                f"The votes of this run could not be stored: {error or type(error).__name__}",
            )
        )
