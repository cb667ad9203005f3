"""The aggregator that chooses among the others by what is known, and says why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from musespark.reasoning.aggregate.decision import Decision
from musespark.reasoning.aggregate.judge import judge
from musespark.reasoning.aggregate.merge import merge
from musespark.reasoning.aggregate.vote import vote
from musespark.reasoning.aggregate.weigh import weigh
from musespark.reasoning.equivalence.automatic import prose
from musespark.reasoning.run import Run
from musespark.reasoning.table import Table

if TYPE_CHECKING:
    from musespark.reasoning.team import Team

async def automatic(run: Run, team: Team, table: Table) -> Decision:
    """Verified answers win; else the vote, weighed where reliabilities are known; else a judge; else a merger of prose."""
    leading = table.groups.leading
    if table.verified:
        return _because(await vote(run, team, table), "it was checked and found right", by="verified")
    if len(leading) == 1:
        return _because(await vote(run, team, table), "all answers that count agree")
    if team.panel is not None:
        return _because(await weigh(run, team, table), "the models' reliability on such questions is known")
    if table.settled or len(leading[0]) > len(leading[1]):
        return _because(await vote(run, team, table), "it has the most votes")
    able = team.player("judge", run.request) is not None and run.budget.seconds_left() != 0
    if not able:
        return _because(await vote(run, team, table), "the vote is tied and no model here can judge: the first answer counts")
    if all(prose(group.answer) and not group.first.calls for group in leading):
        return _because(await merge(run, team, table), "the answers are prose that no vote can count")
    return _because(await judge(run, team, table), "the vote is tied")


def _because(decision: Decision, why: str, by: str | None = None) -> Decision:
    return replace(decision, by=by or decision.by, reason=f"{why[0].upper()}{why[1:]}. {decision.reason}".strip())
