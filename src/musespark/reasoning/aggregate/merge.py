"""Merge: a model writes one answer from the best of them; what it writes is streamed as it is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from musespark.content import Message
from musespark.errors import MuseError
from musespark.events import AgentCancelled, AgentFailed, AgentReturned, AgentStarted, AnswerDropped
from musespark.reasoning.agent import Brief, think
from musespark.reasoning.aggregate.decision import Decision
from musespark.reasoning.aggregate.vote import vote
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.refine import reasons
from musespark.reasoning.run import Run
from musespark.reasoning.table import Table

if TYPE_CHECKING:
    from musespark.reasoning.team import Team

MOST = 8
"""Distinct answers that are merged."""
NAME = "merge"


async def merge(run: Run, team: Team, table: Table) -> Decision:
    """One answer written from the distinct ones; the vote's where there is nobody to write it, or the writer fails."""
    model = team.player("merger", run.request)
    best = [group.first for group in table.groups.leading[:MOST]]
    if model is None or len(best) == 1:
        fallback = await vote(run, team, table)
        return fallback if model is not None else replace(fallback, reason=f"No model here can merge. {fallback.reason}")
    request = replace(team.limited(run, run.request), tools=(), tool_choice="auto")
    brief = Brief(agent=NAME, model=model, task=f"{model.name}: writes one answer from {len(best)}",
                  request=replace(request, messages=(*request.messages, _asked(best))), verify=team.verify)
    merged = await _written(run, brief)
    if isinstance(merged, MuseError):
        fallback = await vote(run, team, table)
        return replace(fallback, reason=f"Merging failed: {merged} {fallback.reason}")
    return Decision(by="merge", winner=merged, winners=tuple(attempt.agent for attempt in best), written=True,
                    reason=f"{model.name} wrote it from {len(best)} different answers.")


async def _written(run: Run, brief: Brief) -> Attempt | MuseError:
    run.main.batch()
    run.emit(AgentStarted(brief.agent, brief.parent, brief.task))
    try:
        merged = await think(run, brief, run.main.open(brief.agent), speak=True)
    except MuseError as error:
        run.emit(AgentFailed(brief.agent, type(error).__name__, str(error)))
        return error
    except BaseException:
        run.emit(AgentCancelled(brief.agent, "the run was stopped"))
        raise
    run.emit(AgentReturned(brief.agent, merged.text))
    if merged.cut and run.why != "budget":
        run.emit(AnswerDropped("its writer broke off"))
        return MuseError("The reply broke off before its end.")
    return merged


def _asked(best: list[Attempt]) -> Message:
    given = "".join(f"\n<answer>\n{reasons(attempt)}\n</answer>\n" for attempt in best)
    return Message.user(
        "Several people answered the question above independently, and differently:\n" + given +
        "\nWrite the one best answer to the question: keep what is right in each, settle what they contradict each other in by "
        "working it out, and add nothing that you cannot support. Answer the question directly, in the form that was asked "
        "for; do not mention the answers above.",
        *(picture for attempt in best for picture in attempt.images),
    )
