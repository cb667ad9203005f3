"""Vote: the largest group of equal answers wins; of equal groups the earlier one."""

from __future__ import annotations

from musespark.reasoning.consensus import voting
from musespark.reasoning.context import RunContext
from musespark.reasoning.team.answer_pool import AnswerPool
from musespark.reasoning.team.decision import Decision
from musespark.reasoning.team.team import Team


async def vote(run: RunContext, team: Team, answers: AnswerPool) -> Decision:
    """The answer most agents gave (Wang et al., Self-Consistency, 2022)."""
    choice = voting.vote(answers.groups)
    reason = "It is the only answer" if choice.of == 1 else choice.reason
    if all(attempt.abstained for attempt in answers.attempts):
        reason = "No agent gave an answer"
    return Decision(
        by="vote", winner=choice.attempt, winners=choice.winner.agents, reason=f"{reason}."
    )
