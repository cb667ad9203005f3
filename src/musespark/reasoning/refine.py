"""Refine: where they disagree, each agent sees its rivals' answers and keeps or changes its own.

After Du et al., Improving Factuality and Reasoning through Multiagent Debate (2023), with guards against herding: the rivals
are anonymous, shuffled, and each distinct answer is shown once, so that nobody sees how many stand behind it; an answer that
was verified is never up for change.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from musespark.content import Image, Message, Text, ToolResult
from musespark.errors import BudgetExhausted
from musespark.events import Changed, Noted, StageStarted
from musespark.models.model import Model
from musespark.reasoning.agent import Brief
from musespark.reasoning.agent_pool import AgentPool, Straggler
from musespark.reasoning.agreement import Group, side_by_side
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.run import Run
from musespark.reasoning.shares import DECIDING, limited
from musespark.reasoning.table import Table, part, short

if TYPE_CHECKING:
    from musespark.reasoning.team import Team

IMAGES = 2
"""Pictures behind an answer that are shown beside it."""
MOST = 8
"""Rivals that an agent is shown."""
_REASONS = 4000
"""Characters of a rival's reasoning that are shown: its end, where the conclusion is."""


async def refine(run: Run, team: Team, table: Table, round: int) -> None:
    """One round, where there is a disagreement to resolve and models that can read it; the table holds the answers after it."""
    able = [attempt for attempt in table.attempts if not attempt.verified and not attempt.cut
            and team.model_of(attempt, "refiner").abilities.conversation]
    if len(table.groups.leading) < 2 or not able:
        return
    groups = table.groups.leading
    named = {f"{attempt.agent}/round-{round}": attempt for attempt in able}
    briefs = []
    for agent, attempt in named.items():
        rivals = [group.first for group in groups if attempt not in group.attempts]
        briefs.append(_brief(run, team, attempt, agent, rivals[:MOST]))
    sent = _payable(run, team, table, round, briefs, [_seat(groups, attempt) for attempt in able])
    if not sent:
        return
    run.emit(StageStarted("refine", round))
    after = {attempt.agent: attempt for attempt in table.attempts}
    async with AgentPool(run, run.main, team.stragglers) as pool, side_by_side() as comparing:
        for brief in sent:
            pool.send(brief)
        while (back := await pool.next_outcome()) is not None:
            if isinstance(back, Straggler):
                if back.can_be_hedged:
                    pool.hedge(back.brief)
                continue
            brief, outcome = back
            table.shares.saw(brief, outcome, pool.used[brief.agent])
            before = named[brief.agent.removesuffix("-again")]
            if isinstance(outcome, Attempt) and not outcome.cut:
                after[before.agent] = replace(outcome, agent=before.agent)
                comparing.create_task(_compared(run, table, before, outcome))
            else:
                table.short |= isinstance(outcome, BudgetExhausted)
                run.emit(Noted("main", f"{before.agent} could not reconsider, and keeps its answer."))
    await table.replace(after.values())
    with part("enough"):
        enough, reason = team.is_enough(table, 0)
    table.settled = reason if enough and len(table.groups.leading) == 1 else ""
    table.agreed()


def _payable(run: Run, team: Team, table: Table, round: int, briefs: list[Brief], seats: list[tuple[int, int]]) -> list[Brief]:
    """Those who can be paid for reconsidering, each with its share; nobody rather than one alone."""
    if not limited(run):
        return briefs
    ordered = [brief for _, brief in sorted(zip(seats, briefs, strict=True), key=lambda pair: pair[0])]
    planned = len(ordered) * (team.rounds - round + 1) + DECIDING
    sent = table.shares.dealt(ordered, len(ordered), team.price(run, table), planned=planned, half=round < team.rounds)
    if len(sent) < min(2, len(briefs)):
        sent = []
    if len(sent) < len(briefs):
        table.short = True
        run.emit(Noted("main", f"The budget lets {len(sent) or 'none'} of {len(briefs)} agents reconsider."))
    return sent


def _seat(groups: Sequence[Group], attempt: Attempt) -> tuple[int, int]:
    """Who is asked first where not all can be: one of each group, the largest first, then the second of each."""
    at = next((at for at, group in enumerate(groups) if attempt in group.attempts), len(groups))
    return (groups[at].attempts.index(attempt) if at < len(groups) else at), at


async def _compared(run: Run, table: Table, before: Attempt, after: Attempt) -> None:
    """Tell whether an agent kept its answer; where there is no time to compare them, whether it wrote the same."""
    try:
        with part("same"):
            kept = await run.in_time(table.same.same(before, after))
    except BudgetExhausted:
        table.short = True
        kept = before.answer == after.answer
    run.emit(Changed(before.agent, short(before), short(after), kept))


def _brief(run: Run, team: Team, attempt: Attempt, agent: str, rivals: Sequence[Attempt]) -> Brief:
    shuffled = list(rivals)
    random.Random(f"{run.request.seed} {agent}").shuffle(shuffled)
    model = team.model_of(attempt, "refiner")
    told = Message.user(*rebuttal(shuffled))
    conversation = (*run.request.messages, *attempt.transcript, *_unanswered(attempt), told)
    return Brief(agent=agent, model=model, request=replace(run.request, messages=conversation), task=f"{model.name}: reconsiders",
                 tools=team.tools if model.abilities.tools else (), verify=team.verify)


def _unanswered(attempt: Attempt) -> list[Message]:
    """Results for the calls that were the answer: a conversation cannot go on over open ones."""
    results = tuple(ToolResult(call.id, (Text("Not carried out yet."),)) for call in attempt.calls)
    return [Message("tool", results)] if results else []


def rebuttal(rivals: Sequence[Attempt]) -> list[str]:
    """What an agent is told of its rivals: each distinct answer with its reasons, and nothing of who or how many."""
    parts = ["Others answered the same question differently. Their answers, in no particular order:\n"]
    for rival in rivals:
        parts.append(f"\n<answer>\n{reasons(rival)}\n</answer>\n")
    parts.append(
        "\nAny of them may be wrong, and so may yours; that somebody disagrees is no evidence. Find the first step where the "
        "reasoning differs and decide by working it out which is right. Change your answer only for an error you can name. "
        "Then answer the original question in full, in the form that was asked for."
    )
    return parts


def reasons(attempt: Attempt) -> str:
    """An answer with its reasons, as another model gets to read it."""
    said = attempt.text or attempt.thoughts
    calls = "".join(f"\n(calls {call.name} with {call.arguments})" for call in attempt.calls)
    return ("…" + said[-_REASONS:] if len(said) > _REASONS else said) + calls


def shown(attempts: Sequence[Attempt], model: Model) -> tuple[Image, ...]:
    """The pictures behind some answers, the latest of each, for a model that can see them."""
    if not model.abilities.pictures_in:
        return ()
    return tuple(image for attempt in attempts for image in attempt.image_parts[-IMAGES:])
