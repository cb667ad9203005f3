"""Weigh: every vote counts by what is known of its model's reliability on such questions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from musespark.reasoning import voting
from musespark.reasoning.aggregate.decision import Decision
from musespark.reasoning.aggregate.vote import vote
from musespark.reasoning.run import Run
from musespark.reasoning.table import Table

if TYPE_CHECKING:
    from musespark.reasoning.team import Team


async def weigh(run: Run, team: Team, table: Table) -> Decision:
    """The group with the most weight; the plain vote's where no reliability is known."""
    if team.weights is None:
        fallback = await vote(run, team, table)
        return replace(fallback, reason=f"No reliability is known of these models. {fallback.reason}")
    choice = voting.weigh(table.groups, team.weights)
    return Decision(by="weigh", winner=choice.winner.first, winners=choice.winner.agents, reason=f"{choice.reason}.")
