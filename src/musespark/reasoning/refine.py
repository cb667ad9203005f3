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

from musespark.content import Message
from musespark.events import Changed, Noted, StageStarted
from musespark.reasoning.agent import Brief
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.crew import Crew
from musespark.reasoning.run import Run
from musespark.reasoning.table import Table, short

if TYPE_CHECKING:
    from musespark.reasoning.team import Team

_REASONS = 4000
"""Characters of a rival's reasoning that are shown: its end, where the conclusion is."""


async def refine(run: Run, team: Team, table: Table, round: int) -> None:
    """One round, where there is a disagreement to resolve and models that can read it; the table holds the answers after it."""
    able = [attempt for attempt in table.attempts if not attempt.verified and not attempt.cut
            and team.model_of(attempt, "refiner").abilities.conversation]
    if len(table.groups.leading) < 2 or not able:
        return
    run.emit(StageStarted("refine", round))
    rivals = [group.first for group in table.groups.leading]
    after = {attempt.agent: attempt for attempt in table.attempts}
    named = {f"{attempt.agent}/round-{round}": attempt for attempt in able}
    async with Crew(run, run.main, team.patience) as crew:
        for agent, attempt in named.items():
            crew.send(_brief(run, team, attempt, agent, rivals))
        while (back := await crew.outcome()) is not None:
            if not isinstance(back, tuple):
                crew.double(back.brief)
                continue
            brief, outcome = back
            before = named[brief.agent.removesuffix("-again")]
            if isinstance(outcome, Attempt) and not outcome.cut:
                kept = await table.same.same(before, outcome)
                after[before.agent] = replace(outcome, agent=before.agent)
                run.emit(Changed(before.agent, short(before), short(outcome), kept))
            else:
                run.emit(Noted(before.agent, "It could not reconsider, and keeps its answer."))
    await table.replace(after.values())
    enough, reason = team.enough(table.groups.counts, 0)
    table.settled = reason if enough and len(table.groups.leading) == 1 else ""
    table.agreed()


def _brief(run: Run, team: Team, attempt: Attempt, agent: str, rivals: Sequence[Attempt]) -> Brief:
    others = [rival for rival in rivals if rival.agent != attempt.agent and rival.answer != attempt.answer]
    random.Random(f"{run.request.seed} {agent}").shuffle(others)
    model = team.model_of(attempt, "refiner")
    request = team.limited(run, run.request)
    conversation = (*request.messages, *attempt.transcript, Message.user(*rebuttal(others)))
    return Brief(agent=agent, model=model, request=replace(request, messages=conversation), task="reconsiders",
                 tools=team.tools, verify=team.verify)


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
