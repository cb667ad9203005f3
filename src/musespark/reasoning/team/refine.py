"""Refine: each agent sees rival answers and keeps or changes its own.

After Du et al., Improving Factuality and Reasoning through Multiagent Debate (2023), with guards against herding: rivals are
anonymous, shuffled, and each distinct answer is shown once, so that the number of its supporters stays hidden. A verified answer is
never reconsidered.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from musespark.content import Message, Text, ToolResult
from musespark.errors import BudgetExhausted
from musespark.events import Changed, Noted, StageStarted
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.concurrency import task_group
from musespark.reasoning.consensus.groups import AnswerGroup
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.agent_pool import AgentPool
from musespark.reasoning.parallel.budget_split import DECIDING, is_limited
from musespark.reasoning.team.aggregate.automatic import decision_cost
from musespark.reasoning.team.answer_pool import AnswerPool, one_line, user_hook
from musespark.reasoning.team.prompts import rebuttal
from musespark.reasoning.team.team import Team

MOST = 8
"""Rivals that an agent is shown."""


async def refine(run: RunContext, team: Team, answers: AnswerPool, round: int) -> None:
    """Run one round, if answers differ and models can read them; `answers` holds the results."""
    able = [
        attempt
        for attempt in answers.attempts
        if not attempt.verified
        and not attempt.cut
        and team.model_of(attempt, "refiner").abilities.conversation
    ]
    if len(answers.groups.ranked) < 2 or not able:
        return
    groups = answers.groups.ranked
    named = {f"{attempt.agent}/round-{round}": attempt for attempt in able}
    tasks = []
    for agent, attempt in named.items():
        rivals = [group.representative for group in groups if attempt not in group.attempts]
        tasks.append(_task(run, team, attempt, agent, rivals[:MOST]))
    sent = _payable(
        run, team, answers, round, tasks, [_priority(groups, attempt) for attempt in able]
    )
    if not sent:
        return
    run.emit(StageStarted("refine", round))
    after = {attempt.agent: attempt for attempt in answers.attempts}
    async with AgentPool(run, run.main, team.stragglers) as pool, task_group() as comparing:
        for task in sent:
            pool.send(task)
        while (back := await pool.next_with_hedges()) is not None:
            task, outcome = back
            answers.allocator.observe(task, outcome, pool.used[task.agent])
            before = named[task.agent.removesuffix("-again")]
            if isinstance(outcome, Attempt) and not outcome.cut:
                after[before.agent] = replace(outcome, agent=before.agent)
                comparing.create_task(_compared(run, answers, before, outcome))
            else:
                answers.budget_limited |= isinstance(outcome, BudgetExhausted)
                run.emit(
                    Noted("main", f"{before.agent} could not reconsider, and keeps its answer.")
                )
    await answers.replace(after.values())
    with user_hook("enough"):
        enough, reason = team.is_enough(answers, 0)
    answers.stop_reason = reason if enough and len(answers.groups.ranked) == 1 else ""
    answers.publish_agreement()


def _payable(
    run: RunContext,
    team: Team,
    answers: AnswerPool,
    round: int,
    tasks: list[AgentTask],
    priorities: list[tuple[int, int]],
) -> list[AgentTask]:
    """The tasks that the budget pays for, each with its token limit; none rather than a single one."""
    if not is_limited(run):
        return tasks
    ordered = [
        task for _, task in sorted(zip(priorities, tasks, strict=True), key=lambda pair: pair[0])
    ]
    planned = len(ordered) * (team.rounds - round + 1) + DECIDING
    kept = decision_cost(run, team, answers)
    sent = answers.allocator.allocate(
        ordered, len(ordered), kept, planned=planned, half=round < team.rounds
    )
    if len(sent) < min(2, len(tasks)):
        sent = []
    if len(sent) < len(tasks):
        answers.budget_limited = True
        run.emit(
            Noted(
                "main", f"The budget lets {len(sent) or 'none'} of {len(tasks)} agents reconsider."
            )
        )
    return sent


def _priority(groups: Sequence[AnswerGroup], attempt: Attempt) -> tuple[int, int]:
    """Priority if not all agents can reconsider: one of each group, the largest group first, then the second of each."""
    at = next((at for at, group in enumerate(groups) if attempt in group.attempts), len(groups))
    return (groups[at].attempts.index(attempt) if at < len(groups) else at), at


async def _compared(run: RunContext, answers: AnswerPool, before: Attempt, after: Attempt) -> None:
    """Emit if an agent kept its answer; without time to compare, if it wrote the same text."""
    try:
        with user_hook("same"):
            kept = await run.within_deadline(answers.equivalence.same(before, after))
    except BudgetExhausted:
        answers.budget_limited = True
        kept = before.answer == after.answer
    run.emit(Changed(before.agent, one_line(before), one_line(after), kept))


def _task(
    run: RunContext, team: Team, attempt: Attempt, agent: str, rivals: Sequence[Attempt]
) -> AgentTask:
    shuffled = list(rivals)
    random.Random(f"{run.request.seed} {agent}").shuffle(shuffled)
    model = team.model_of(attempt, "refiner")
    told = Message.user(*rebuttal(shuffled))
    conversation = (*run.request.messages, *attempt.transcript, *_unanswered(attempt), told)
    request = replace(run.request, stage="refine", messages=conversation)
    return AgentTask(
        agent=agent,
        model=model,
        request=request,
        label=f"{model.name}: reconsiders",
        tools=team.tools if model.abilities.tools else (),
        verify=team.verify,
        fits=team.fits,
    )


def _unanswered(attempt: Attempt) -> list[Message]:
    """Results for the calls that were the answer: a conversation cannot go on over open ones."""
    results = tuple(ToolResult(call.id, (Text("Not carried out yet."),)) for call in attempt.calls)
    return [Message("tool", results)] if results else []
