"""The aggregator that chooses among the others by what is known, and says why."""

from __future__ import annotations

from dataclasses import replace

from musespark.budget import Cost
from musespark.reasoning.consensus.equivalence.automatic import prose
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.budget_split import NO_COST
from musespark.reasoning.team.aggregate.judge import VERDICT, comparisons, judge
from musespark.reasoning.team.aggregate.merge import merge, writing
from musespark.reasoning.team.aggregate.vote import vote
from musespark.reasoning.team.aggregate.weigh import weigh
from musespark.reasoning.team.answer_pool import AnswerPool
from musespark.reasoning.team.decision import Decision
from musespark.reasoning.team.team import Aggregator, Team


async def automatic(run: RunContext, team: Team, answers: AnswerPool) -> Decision:
    """Choose the way to aggregate. In this order: a vote if answers are verified, or all that count agree; a weighted vote if a
    panel is known; a vote if one answer leads. A tie between prose answers goes to a merger, another tie to a judge if one was
    named or helped in calibration, and otherwise the earliest answer wins, reported as a tie."""
    decide, why = _choice(run, team, answers)
    return _because(
        await decide(run, team, answers), why, by="verified" if answers.verified else None
    )


def _choice(run: RunContext, team: Team, answers: AnswerPool) -> tuple[Aggregator, str]:
    ranked = answers.groups.ranked
    if answers.verified:
        return vote, "it was checked and found right"
    if len(ranked) == 1:
        return vote, "all answers that count agree"
    if team.panel is not None:
        return weigh, "the models' reliability on such questions is known"
    if answers.stop_reason or len(ranked[0]) > len(ranked[1]):
        return vote, "it has the most votes"
    able = team.model_for("judge", run.request) is not None and run.budget.seconds_left() != 0
    if able and all(prose(group.answer) and not group.representative.calls for group in ranked):
        return merge, "the answers are prose that no vote can count"
    if not (team.judge or team.judge_ties):
        return vote, ""
    if not able:
        return vote, "no model here can judge between them"
    return judge, "the vote is tied"


def decision_cost(run: RunContext, team: Team, answers: AnswerPool) -> Cost:
    """Likely cost of deciding between the two leading answers; nothing if a vote decides."""
    if len(answers.groups) < 2:
        return NO_COST
    decide = team.aggregate
    if decide in ("auto", automatic):
        decide, _ = _choice(run, team, answers)
    finalists = [group.representative for group in answers.groups.ranked[:2]]
    if decide in ("judge", judge):
        cost = answers.allocator.cost(comparisons(run, team, finalists), VERDICT)
    else:
        cost = (
            answers.allocator.cost(writing(run, team, finalists))
            if decide in ("merge", merge)
            else NO_COST
        )
    compared = (
        team.judge is not None
        and team.same is None
        and any(prose(each.answer) for each in finalists)
    )
    return answers.allocator.with_comparisons(cost) if compared and cost != NO_COST else cost


def _because(decision: Decision, why: str, by: str | None = None) -> Decision:
    first = f"{why[0].upper()}{why[1:]}. " if why else ""
    return replace(decision, by=by or decision.by, reason=f"{first}{decision.reason}".strip())
