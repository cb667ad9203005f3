"""Explore: agents that know nothing of each other answer the same question, until more of them would change nothing."""

from __future__ import annotations

from collections.abc import Sequence

from musespark.errors import BadOption, BudgetExhausted, MuseError
from musespark.events import Noted, StageStarted
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.agent_pool import AgentPool, Straggler
from musespark.reasoning.parallel.budget_split import DECIDING, TokenAllocator, is_limited
from musespark.reasoning.team.aggregate.automatic import decision_cost
from musespark.reasoning.team.answer_pool import AnswerPool, user_hook
from musespark.reasoning.team.clarify import clarify
from musespark.reasoning.team.team import Team

_LAGS = {"silent": "silent", "late": "likely to end after the deadline"}
GROWTH = 4
"""Each wave is this many times as large as the one before."""


async def explore(run: RunContext, team: Team) -> AnswerPool:
    """The answers of as many explorers as it takes. Raises AllFailed if none came back with any, `Stopped` likewise."""
    run.emit(StageStarted("explore"))
    waiting = _tasks(run, team)
    everyone = len(waiting)
    tasks = {task.agent: task for task in waiting}
    allocator = TokenAllocator(run)
    answers = AnswerPool(run, team.equivalence(run, allocator.comparison_budget), allocator)
    wave = team.first_wave
    async with AgentPool(run, run.main, team.stragglers, team.reply_tokens) as pool:

        def send(count: int) -> None:
            sent = _payable(run, team, answers, waiting, count)
            if not (sent or pool.sent):  # that even one is too much is for the budget to say
                sent = waiting[:1]
            names = {task.agent for task in sent}
            waiting[:] = [task for task in waiting if task.agent not in names]
            for task in sent:
                pool.send(task)

        send(wave)
        while pool.working and not answers.stop_reason:
            match await pool.next_outcome():
                case Straggler(task, because, can_be_hedged):
                    # Another agent thinks of something new; the same question again is for when none is left.
                    if waiting:
                        run.emit(
                            Noted(task.agent, f"It is {_LAGS[because]}; another agent is sent.")
                        )
                        send(1)
                    elif can_be_hedged and (again := _payable(run, team, answers, [task], 1)):
                        pool.hedge(task, again[0].request)
                case task, outcome:
                    answers.allocator.observe(task, outcome, pool.used[task.agent])
                    await _taken(answers, team, task, outcome, pool.working + len(waiting))
                    if _over(outcome) or pool.all_failed_for_good or run.budget.seconds_left() == 0:
                        waiting.clear()
                    elif isinstance(outcome, MuseError):
                        send(1)
            if not pool.working and not answers.stop_reason:
                pool.next_batch()
                wave *= GROWTH
                send(wave)
        await pool.cancel_all(answers.stop_reason or "the others were enough to decide")
    if not answers.attempts:
        raise run.budget.overdue() if run.budget.stopped else pool.all_failed()
    if waiting and not answers.stop_reason:
        answers.budget_limited = True
        run.emit(
            Noted(
                "main",
                f"The budget pays for {everyone - len(waiting)} of {everyone} agents; the others are not asked.",
            )
        )
    await clarify(run, team, answers, tasks)
    answers.initial_groups = answers.groups.ranked
    return answers


def _over(outcome: Attempt | MuseError) -> bool:
    """True if a limit ended that holds for all agents; of tokens and money another agent may need less."""
    return isinstance(outcome, BudgetExhausted) and outcome.resource in ("seconds", "calls")


def _payable(
    run: RunContext, team: Team, answers: AnswerPool, waiting: Sequence[AgentTask], count: int
) -> list[AgentTask]:
    """The next tasks that the budget pays for, each with its token limit; the likely cost of a decision is kept back."""
    if not is_limited(run):
        return list(waiting[:count])
    if not answers.has_complete:  # what a reply takes is not known yet
        count = min(count, team.first_wave)
    planned = len(waiting) + team.agents * team.rounds + DECIDING
    return answers.allocator.allocate(
        waiting,
        count,
        decision_cost(run, team, answers),
        planned=planned,
        half=len(waiting) > count,
        anyone=not answers.has_complete,
    )


def _tasks(run: RunContext, team: Team) -> list[AgentTask]:
    with user_hook("explore"):
        tasks = list(team.explore(run, team))
    names = {task.agent for task in tasks}
    if not tasks or len(names) < len(tasks):
        raise BadOption(
            "explore",
            ", ".join(task.agent for task in tasks),
            "agents of different names, at least one",
        )
    return tasks


async def _taken(
    answers: AnswerPool, team: Team, task: AgentTask, outcome: Attempt | MuseError, remaining: int
) -> None:
    """Add an answer, and decide if it ends the stage."""
    if isinstance(outcome, BudgetExhausted) or (
        isinstance(outcome, Attempt) and outcome.finish_reason == "budget"
    ):
        answers.budget_limited = True
    if not isinstance(outcome, Attempt):
        return
    await answers.add(outcome)
    if outcome.verified:
        answers.stop_reason = "an answer was verified"
    elif answers.comparable:
        with user_hook("enough"):
            enough, reason = team.is_enough(answers, remaining)
        answers.stop_reason = reason if enough and remaining else ""
    answers.publish_agreement()
