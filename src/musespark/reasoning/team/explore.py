"""Explore: agents that know nothing of each other answer the same question, until more of them would change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from musespark.errors import BadOption, BudgetExhausted, MuseError
from musespark.events import Noted, StageStarted
from musespark.reasoning.agent.agent import Brief
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.context import Run
from musespark.reasoning.parallel.agent_pool import AgentPool, Straggler
from musespark.reasoning.parallel.budget_split import DECIDING, Shares, limited
from musespark.reasoning.team.answer_pool import Table, part
from musespark.reasoning.team.clarify import clarify

if TYPE_CHECKING:
    from musespark.reasoning.team.team import Team

_LAGS = {"silent": "silent", "late": "likely to end after the deadline"}
GROWTH = 4
"""Each wave is so many times as large as the one before."""


async def explore(run: Run, team: Team) -> Table:
    """The answers of as many explorers as it takes. Raises AllFailed where none came back with any, `Stopped` likewise."""
    run.emit(StageStarted("explore"))
    waiting = _briefs(run, team)
    everyone = len(waiting)
    briefs = {brief.agent: brief for brief in waiting}
    shares = Shares(run)
    table = Table(run, team.equivalence(run, shares.comparing), shares)
    wave = team.first
    async with AgentPool(run, run.main, team.stragglers, team.reply_tokens) as pool:

        def send(count: int) -> None:
            sent = _payable(run, team, table, waiting, count)
            if not (sent or pool.sent):  # that even one is too much is for the budget to say
                sent = waiting[:1]
            names = {brief.agent for brief in sent}
            waiting[:] = [brief for brief in waiting if brief.agent not in names]
            for brief in sent:
                pool.send(brief)

        send(wave)
        while pool.working and not table.settled:
            match await pool.next_outcome():
                case Straggler(brief, because, can_be_hedged):
                    # Another agent thinks of something new; the same question again is for when none is left.
                    if waiting:
                        run.emit(Noted(brief.agent, f"It is {_LAGS[because]}; another agent is sent."))
                        send(1)
                    elif can_be_hedged and (again := _payable(run, team, table, [brief], 1)):
                        pool.hedge(brief, again[0].request)
                case brief, outcome:
                    table.shares.saw(brief, outcome, pool.used[brief.agent])
                    await _taken(table, team, brief, outcome, pool.working + len(waiting))
                    if _over(outcome) or pool.all_failed_for_good or run.budget.seconds_left() == 0:
                        waiting.clear()
                    elif isinstance(outcome, MuseError):
                        send(1)
            if not pool.working and not table.settled:
                pool.next_batch()
                wave *= GROWTH
                send(wave)
        await pool.cancel_all(table.settled or "the others were enough to decide")
    if not table.attempts:
        raise run.budget.overdue() if run.budget.stopped else pool.all_failed()
    if waiting and not table.settled:
        table.short = True
        run.emit(Noted("main", f"The budget pays for {everyone - len(waiting)} of {everyone} agents; the others are not asked."))
    await clarify(run, team, table, briefs)
    table.explored = table.groups.leading
    return table


def _over(outcome: Attempt | MuseError) -> bool:
    """Whether a limit ended that holds for everybody; of tokens and money another agent may need less."""
    return isinstance(outcome, BudgetExhausted) and outcome.resource in ("seconds", "calls")


def _payable(run: Run, team: Team, table: Table, waiting: Sequence[Brief], count: int) -> list[Brief]:
    """Those of the next who can be paid, each with its share; what deciding between the answers so far will cost is kept back."""
    if not limited(run):
        return list(waiting[:count])
    if not table.whole:  # what a reply takes is not known yet
        count = min(count, team.first)
    planned = len(waiting) + team.agents * team.rounds + DECIDING
    return table.shares.dealt(waiting, count, team.price(run, table), planned=planned, half=len(waiting) > count,
                              anyone=not table.whole)


def _briefs(run: Run, team: Team) -> list[Brief]:
    with part("explore"):
        briefs = list(team.explore(run, team))
    names = {brief.agent for brief in briefs}
    if not briefs or len(names) < len(briefs):
        raise BadOption("explore", ", ".join(brief.agent for brief in briefs), "agents of different names, at least one")
    return briefs


async def _taken(table: Table, team: Team, brief: Brief, outcome: Attempt | MuseError, remaining: int) -> None:
    """Lay an answer on the table, and see whether it settles the question."""
    if isinstance(outcome, BudgetExhausted) or (isinstance(outcome, Attempt) and outcome.why == "budget"):
        table.short = True
    if not isinstance(outcome, Attempt):
        return
    await table.lay(outcome)
    if outcome.verified:
        table.settled = "an answer was verified"
    elif table.sound:
        with part("enough"):
            enough, reason = team.is_enough(table, remaining)
        table.settled = reason if enough and remaining else ""
    table.agreed()
