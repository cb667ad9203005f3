"""Judge: a model compares the finalists in pairs, each pair in both orders, all at once.

A verdict counts only if both orders agree: judges favour a position (Zheng et al., Judging LLM-as-a-Judge, 2023).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, permutations

from musespark.content import Message, Mode
from musespark.errors import BudgetExhausted
from musespark.events import Judged
from musespark.models.model import Model
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.agent_pool import AgentPool
from musespark.reasoning.team.aggregate.verdict import TIE, Verdict, verdict_in
from musespark.reasoning.team.aggregate.vote import vote
from musespark.reasoning.team.answer_pool import AnswerPool
from musespark.reasoning.team.decision import Decision
from musespark.reasoning.team.prompts import reasons, shown
from musespark.reasoning.team.team import Team
from musespark.sampling import Sampling

FINALISTS = 3
"""Most distinct answers that are compared, the largest groups first: three make six parallel calls. Two if the budget does not pay
for three."""
VERDICT = 400
"""Tokens that a verdict is taken to need at most."""


async def judge(run: RunContext, team: Team, answers: AnswerPool) -> Decision:
    """Return the finalist with most wins; the order of the vote breaks ties, and decides if no verdict counts."""
    model = team.model_for("judge", run.request)
    ranked = answers.groups.ranked
    finalists = [group.representative for group in ranked[:FINALISTS]]
    fallback = await vote(run, team, answers)
    if model is None:
        return replace(fallback, reason=f"No model here can judge. {fallback.reason}")
    if len(finalists) == 1:
        return fallback
    compared = _payable(run, team, finalists, answers)
    if not compared:
        answers.budget_limited = True
        return replace(fallback, reason=f"The budget does not pay for a judge. {fallback.reason}")
    wins, reason, why = await _compared(run, team, model, compared, answers)
    if not wins:
        return replace(fallback, reason=f"{why} {fallback.reason}")
    winner = max(
        finalists, key=lambda attempt: wins[attempt.agent]
    )  # of equals, max takes the first
    group = next(group for group in ranked if group.representative is winner)
    return Decision(by="judge", winner=winner, winners=group.agents, reason=reason[winner.agent])


def comparisons(run: RunContext, team: Team, finalists: Sequence[Attempt]) -> list[AgentTask]:
    """Tasks that compare every pair in both orders; none if no model here can judge."""
    model = team.model_for("judge", run.request)
    if model is None:
        return []
    return [
        _task(run, team, model, f"judge-{number}", *pair)
        for number, pair in enumerate(permutations(finalists, 2), 1)
    ]


_Pair = tuple[Attempt, Attempt]


def _payable(
    run: RunContext, team: Team, finalists: list[Attempt], answers: AnswerPool
) -> list[tuple[AgentTask, _Pair]]:
    """Tasks for as many finalists as can all be compared, each with its token limit."""
    for count in range(len(finalists), 1, -1):
        tasks = comparisons(run, team, finalists[:count])
        funded = answers.allocator.allocate(tasks, len(tasks), most=VERDICT, planned=len(tasks))
        if len(funded) == len(tasks):
            return list(zip(funded, permutations(finalists[:count], 2), strict=True))
    return []


async def _compared(
    run: RunContext,
    team: Team,
    model: Model,
    compared: list[tuple[AgentTask, _Pair]],
    answers: AnswerPool,
) -> tuple[Counter[str], dict[str, str], str]:
    """Wins by agent, a judge's sentence for each winner, and the reason if no verdict counts."""
    pairs = {task.agent: pair for task, pair in compared}
    verdicts: dict[tuple[str, str], Verdict] = {}
    async with AgentPool(run, run.main, team.stragglers) as pool:
        for task, _ in compared:
            pool.send(task)
        while (back := await pool.next_with_hedges()) is not None:
            task, outcome = back
            first, second = pairs[task.agent.removesuffix("-again")]
            if isinstance(outcome, Attempt):
                verdicts[first.agent, second.agent] = verdict_in(outcome.text)
            answers.budget_limited |= isinstance(outcome, BudgetExhausted)
    finalists = dict.fromkeys(first.agent for first, _ in pairs.values())
    wins, reason, without = _counted(run, model, list(finalists), verdicts)
    failed = next(iter(pool.failures.values()), None)
    return wins, reason, f"The judge failed: {failed}" if failed else without


_WITHOUT = {
    "tie": "called {} and {} equally good",
    "none": "gave no verdict on {} and {} that can be read",
    "order": "favoured neither of {} and {} in both orders",
}


def _counted(
    run: RunContext, model: Model, finalists: list[str], verdicts: Mapping[tuple[str, str], Verdict]
) -> tuple[Counter[str], dict[str, str], str]:
    """Wins by agent for verdicts that agree in both orders, a sentence for each winner, and the reason if there is no win."""
    wins: Counter[str] = Counter()
    reason: dict[str, str] = {}
    without: list[str] = []
    for one, other in combinations(finalists, 2):
        first, second = (
            verdicts.get(pair, Verdict(None, "")) for pair in ((one, other), (other, one))
        )
        match first.better, second.better:
            case "A", "B":
                winner, loser, said = one, other, first.reason
            case "B", "A":
                winner, loser, said = other, one, second.reason
            case both:
                kind = "none" if None in both else "tie" if both == (TIE, TIE) else "order"
                without.append(f"The judge {_WITHOUT[kind].format(one, other)}.")
                run.emit(Judged(model.name, "", other, without[-1]))
                continue
        wins[winner] += 1
        reason[winner] = said
        run.emit(Judged(model.name, winner, loser, said))
    return wins, reason, " ".join(without)


def _task(
    run: RunContext, team: Team, model: Model, agent: str, first: Attempt, second: Attempt
) -> AgentTask:
    # The limit of a reply is for answers; a verdict needs what it needs.
    request = replace(
        run.request,
        stage="judge",
        max_tokens=None,
        mode=Mode.THINKING,
        tools=(),
        tool_choice="auto",
        stop=(),
        schema=None,
        json_mode=False,
        sampling=Sampling(),
    )
    asked = Message.user(
        "Two people answered the question above.\n"
        f'\n<answer id="A">\n{reasons(first)}\n</answer>\n\n<answer id="B">\n{reasons(second)}\n</answer>\n'
        "\nWhich answer is right, or else better? Work out for yourself what differs between them; length and confidence count "
        'for nothing. Reply with one JSON object: {"reason": "<one sentence>", "better": "A" or "B" or "neither"}',
        *shown((first, second), model),
    )
    return AgentTask(
        agent=agent,
        model=model,
        label=f"{model.name}: {first.agent} or {second.agent}?",
        tools=team.tools if model.abilities.tools else (),
        request=replace(request, messages=(*request.messages, asked)),
    )
