"""Weigh: every vote counts by what is known of its model's reliability on such questions."""

from __future__ import annotations

from dataclasses import replace

from musespark.reasoning.consensus.reliability import effective_votes
from musespark.reasoning.context import RunContext
from musespark.reasoning.team.aggregate.vote import vote
from musespark.reasoning.team.answer_pool import AnswerPool
from musespark.reasoning.team.decision import Decision
from musespark.reasoning.team.team import Team


async def weigh(run: RunContext, team: Team, answers: AnswerPool) -> Decision:
    """Return the group with the most weight; the plain vote's if no reliability is known."""
    if team.panel is None:
        fallback = await vote(run, team, answers)
        return replace(
            fallback, reason=f"No reliability is known of these models. {fallback.reason}"
        )
    choice = team.panel.weigh(answers.groups)
    answered = {attempt.model for group in answers.groups.ranked for attempt in group.attempts}
    voters = {model: team.panel.weights.get(model, 0.0) for model in answered}
    worth = effective_votes(voters, team.panel.correlation)
    return Decision(
        by="weigh",
        winner=choice.attempt,
        winners=choice.winner.agents,
        reason=f"{choice.reason}; these {len(voters)} models are worth {worth:.1f} independent voters.",
    )
