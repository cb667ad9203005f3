"""Explore: agents that know nothing of each other answer the same question, until more of them would change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musespark.errors import BudgetExhausted, MuseError
from musespark.events import StageStarted
from musespark.reasoning.agent import Brief
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.crew import Crew, Lag
from musespark.reasoning.run import Run
from musespark.reasoning.table import Table

if TYPE_CHECKING:
    from musespark.reasoning.team import Team


async def explore(run: Run, team: Team) -> Table:
    """The answers of as many explorers as it takes. Raises AllFailed where none came back with any."""
    run.emit(StageStarted("explore"))
    briefs = team.explore(run, team)
    waiting = list(reversed(briefs))
    table = Table(run, team.equivalence(run))
    wave = max(1, team.first)
    async with Crew(run, run.main, team.patience) as crew:

        def send(count: int) -> None:
            for _ in range(min(count, len(waiting))):
                crew.send(waiting.pop())

        send(wave)
        while crew.working and not table.settled:
            match await crew.outcome():
                case Lag(brief):
                    # Somebody new thinks of something new; the same question again is for when nobody is left.
                    send(1) if waiting else crew.double(brief)
                case brief, outcome:
                    await _taken(table, team, brief, outcome, crew.working + len(waiting))
                    if isinstance(outcome, BudgetExhausted) or crew.hopeless:
                        waiting.clear()
                    elif isinstance(outcome, MuseError):
                        send(1)
            if not crew.working and not table.settled:
                send(wave)
                wave *= 2
        await crew.dismiss(table.settled or "the others were enough to decide")
    if not table.attempts:
        raise crew.all_failed()
    return table


async def _taken(table: Table, team: Team, brief: Brief, outcome: Attempt | MuseError, remaining: int) -> None:
    """Lay an answer on the table, and see whether it settles the question."""
    if isinstance(outcome, BudgetExhausted) or (isinstance(outcome, Attempt) and outcome.why == "budget"):
        table.run.why = "budget"
    if not isinstance(outcome, Attempt):
        return
    await table.lay(outcome)
    if outcome.verified:
        table.settled = "an answer was verified"
    elif table.sound:
        enough, reason = team.is_enough(table, remaining)
        table.settled = reason if enough and remaining else ""
    table.agreed()
