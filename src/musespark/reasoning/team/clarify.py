"""Clarify: a vote without a winner, mended in two steps.

First, answers that broke off and guesses (the number or option that a reply mentions last) are counted, too. If there still is no
winner, agents with an unclear reply are asked once more, for the answer alone. If one answer leads, no agent is asked: on a weak
model each such question costs more tokens than it is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from musespark.events import Noted
from musespark.reasoning.agent.conclude import ONLY_THE_ANSWER, conclusion_request
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.groups import AnswerGroups
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.agent_pool import AgentPool, Straggler
from musespark.reasoning.team.aggregate.automatic import decision_cost
from musespark.reasoning.team.answer_pool import AnswerPool
from musespark.reasoning.team.team import Team

_AT_MOST = 2
"""Most agents that are asked; more cost a small model more tokens than plain sampling does."""
_SUFFIX = "/answer"
"""Ending of the name of an agent that is asked again."""


async def clarify(
    run: RunContext, team: Team, answers: AnswerPool, asked: Mapping[str, AgentTask]
) -> None:
    """Look for a winner among unclear answers; answers stay as they are if the budget does not pay for a question.

    asked: the explorers' tasks, by agent.
    """
    if all(task.asks_for is not None for task in asked.values()):
        await answers.include_partial()
    if has_winner(answers.groups):
        return
    unclear = _worth_asking(answers, asked)
    tasks = [_task(asked[attempt.agent], attempt) for attempt in unclear[:_AT_MOST]]
    if tasks and (
        sent := answers.allocator.allocate(tasks, len(tasks), decision_cost(run, team, answers))
    ):
        asking = (
            "their agents are asked"
            if len(sent) == len(unclear)
            else f"{len(sent)} of their agents are asked"
        )
        run.emit(
            Noted(
                "main",
                f"In {len(unclear)} of {len(answers.attempts)} replies no answer can be told; {asking}.",
            )
        )
        await _ask(run, team, answers, sent)


def has_winner(groups: AnswerGroups) -> bool:
    """True if one group is larger than all others and an answer in it is clear, or guessed from its reply."""
    counts = groups.counts
    if groups.leader is None or counts.count(counts[0]) > 1:
        return False
    return any(attempt.guessed or not attempt.unclear for attempt in groups.leader.attempts)


def _worth_asking(answers: AnswerPool, asked: Mapping[str, AgentTask]) -> list[Attempt]:
    """The unclear replies whose agents can be asked; a guess is good enough beside answers that agree."""
    some_agree = max(answers.groups.counts, default=0) > 1
    return [
        attempt
        for attempt in answers.attempts
        if attempt.unclear
        and attempt.finish_reason != "cut"
        and attempt.agent in asked
        and not (attempt.guessed and some_agree)
    ]


async def _ask(
    run: RunContext, team: Team, answers: AnswerPool, tasks: Sequence[AgentTask]
) -> None:
    """Run these tasks, and put clear answers in the place of the unclear ones."""
    current = {attempt.agent: attempt for attempt in answers.attempts}
    async with AgentPool(run, run.main, team.stragglers) as pool:
        for task in tasks:
            pool.send(task)
        while (back := await pool.next_outcome()) is not None:
            if isinstance(back, Straggler):
                continue  # not worth a hedge: the unclear reply counts
            task, outcome = back
            before = current[task.agent.removesuffix(_SUFFIX)]
            if isinstance(outcome, Attempt) and not outcome.unclear:
                current[before.agent] = _clarified(before, outcome)
    await answers.replace(current.values())
    answers.publish_agreement()


def _task(asked: AgentTask, attempt: Attempt) -> AgentTask:
    asking = ONLY_THE_ANSWER if asked.asks_for is None else asked.asks_for.asking
    request = conclusion_request(asked.request, asked.model, list(attempt.transcript), asking)
    return replace(
        asked,
        agent=f"{attempt.agent}{_SUFFIX}",
        label=f"{asked.model.name}: the answer alone",
        request=replace(request, stage="clarify"),
        tools=(),
        concludes=False,
    )


def _clarified(before: Attempt, after: Attempt) -> Attempt:
    """The reply with the clear answer below it, to show if it wins."""
    return replace(
        after,
        agent=before.agent,
        text=f"{before.text.rstrip()}\n\n{after.text.strip()}",
        concluded=before.cut,
        transcript=(*before.transcript, *after.transcript),
        thoughts=before.thoughts,
        images=before.images,
        usage=before.usage + after.usage,
        answer_tokens=before.answer_tokens + after.answer_tokens,
        finish_reason=before.finish_reason,
    )
