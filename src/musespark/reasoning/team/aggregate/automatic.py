"""The aggregator that chooses among the others by what is known, and says why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from musespark.budget import Cost
from musespark.reasoning.consensus.equivalence.automatic import prose
from musespark.reasoning.context import Run
from musespark.reasoning.parallel.budget_split import NOTHING
from musespark.reasoning.team.aggregate import Aggregator, aggregator_named
from musespark.reasoning.team.aggregate.decision import Decision
from musespark.reasoning.team.aggregate.judge import VERDICT, comparisons, judge
from musespark.reasoning.team.aggregate.merge import merge, writing
from musespark.reasoning.team.aggregate.vote import vote
from musespark.reasoning.team.aggregate.weigh import weigh
from musespark.reasoning.team.answer_pool import Table

if TYPE_CHECKING:
    from musespark.reasoning.team.team import Team


async def automatic(run: Run, team: Team, table: Table) -> Decision:
    """Verified answers win; else the vote, weighed where reliabilities are known; a tie goes to a judge where one was named or
    helped in calibration, and prose that differs to a merger. Otherwise a tie is decided by who came first, and is told as a
    tie."""
    decide, why = _choice(run, team, table)
    return _because(await decide(run, team, table), why, by="verified" if table.verified else None)


def _choice(run: Run, team: Team, table: Table) -> tuple[Aggregator, str]:
    leading = table.groups.leading
    if table.verified:
        return vote, "it was checked and found right"
    if len(leading) == 1:
        return vote, "all answers that count agree"
    if team.panel is not None:
        return weigh, "the models' reliability on such questions is known"
    if table.settled or len(leading[0]) > len(leading[1]):
        return vote, "it has the most votes"
    able = team.player("judge", run.request) is not None and run.budget.seconds_left() != 0
    if able and all(prose(group.answer) and not group.first.calls for group in leading):
        return merge, "the answers are prose that no vote can count"
    if not (team.judge or team.judge_ties):
        return vote, ""
    if not able:
        return vote, "no model here can judge between them"
    return judge, "the vote is tied"


def price(run: Run, team: Team, table: Table) -> Cost:
    """What deciding between the two leading answers so far is likely to cost, by who would decide; nothing where a vote does."""
    if len(table.groups) < 2:
        return NOTHING
    decide = aggregator_named(team.aggregate) if isinstance(team.aggregate, str) else team.aggregate
    if decide is automatic:
        decide, _ = _choice(run, team, table)
    finalists = [group.first for group in table.groups.leading[:2]]
    if decide is judge:
        cost = table.shares.cost(comparisons(run, team, finalists), VERDICT)
    else:
        cost = table.shares.cost(writing(run, team, finalists)) if decide is merge else NOTHING
    compared = team.judge is not None and team.same is None and any(prose(each.answer) for each in finalists)
    return table.shares.and_comparing(cost) if compared and cost != NOTHING else cost


def _because(decision: Decision, why: str, by: str | None = None) -> Decision:
    first = f"{why[0].upper()}{why[1:]}. " if why else ""
    return replace(decision, by=by or decision.by, reason=f"{first}{decision.reason}".strip())
