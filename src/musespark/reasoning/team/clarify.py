"""Clarify: where no answer wins, agents whose replies hold none that can be told are asked for the answer alone, once.

Before that, answers that broke off and those that were only guessed (the number or option that a reply mentions last) are counted
too. Where one answer leads nobody is asked: on a weak model each such question costs more tokens than it is worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from musespark.events import Noted
from musespark.reasoning.agent.conclude import ONLY_THE_ANSWER, conclusion_request
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.agent_pool import AgentPool, Straggler
from musespark.reasoning.team.aggregate.automatic import decision_cost
from musespark.reasoning.team.answer_pool import AnswerPool
from musespark.reasoning.team.team import Team

_AT_MOST = 2
"""Agents that are asked; more cost a small model more tokens than plain sampling does."""


async def clarify(run: RunContext, team: Team, answers: AnswerPool, asked: Mapping[str, AgentTask]) -> None:
    """Put the answers of those that could not be understood on the table; what cannot be paid for stays as it is.

    asked: what each agent was sent with.
    """
    if all(task.asks_for is not None for task in asked.values()):
        await answers.include_partial()
    counts, leader = answers.groups.counts, answers.groups.leader
    leads = len(counts) == 1 or (len(counts) > 1 and counts[0] > counts[1])
    if leads and leader is not None and any(attempt.guessed or not attempt.unclear for attempt in leader.attempts):
        return
    unclear = {attempt.agent: attempt for attempt in answers.attempts if attempt.unclear and attempt.finish_reason != "cut"
               and attempt.agent in asked and not (attempt.guessed and max(counts, default=0) > 1)}
    if not unclear:
        return
    tasks = [_task(asked[agent], attempt) for agent, attempt in list(unclear.items())[:_AT_MOST]]
    sent = answers.allocator.allocate(tasks, len(tasks), decision_cost(run, team, answers))
    if not sent:
        return
    count = len(unclear)
    asking = "their agents are asked" if len(sent) == count else f"{len(sent)} of their agents are asked"
    run.emit(Noted("main", f"In {count} of {len(answers.attempts)} replies no answer can be told; {asking}."))
    after = {attempt.agent: attempt for attempt in answers.attempts}
    async with AgentPool(run, run.main, team.stragglers) as pool:
        for task in sent:
            pool.send(task)
        while (back := await pool.next_outcome()) is not None:
            if isinstance(back, Straggler):
                continue  # the reply that there is counts
            task, outcome = back
            before = unclear[task.agent.removesuffix("/answer")]
            if isinstance(outcome, Attempt) and not outcome.unclear:
                after[before.agent] = _clarified(before, outcome)
    await answers.replace(after.values())
    answers.publish_agreement()


def _task(asked: AgentTask, attempt: Attempt) -> AgentTask:
    asking = ONLY_THE_ANSWER if asked.asks_for is None else asked.asks_for.asking
    request = conclusion_request(asked.request, asked.model, list(attempt.transcript), asking)
    return replace(asked, agent=f"{attempt.agent}/answer", label=f"{asked.model.name}: the answer alone", request=request, tools=(),
                   concludes=False)


def _clarified(before: Attempt, after: Attempt) -> Attempt:
    """The reply with the answer below it: what the one who asked is shown if it wins."""
    return replace(after, agent=before.agent, text=f"{before.text.rstrip()}\n\n{after.text.strip()}", concluded=before.cut,
                   transcript=(*before.transcript, *after.transcript), thoughts=before.thoughts, pictures=before.pictures,
                   usage=before.usage + after.usage, finish_reason=before.finish_reason)
