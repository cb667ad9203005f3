"""Merge: a model writes one answer from the best ones; it streams as it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from musespark.content import Message
from musespark.errors import BudgetExhausted, MuseError, StreamCut
from musespark.events import AnswerDropped
from musespark.models.model import Model
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.run_agent import run_agent
from musespark.reasoning.team.aggregate.vote import vote
from musespark.reasoning.team.answer_pool import AnswerPool
from musespark.reasoning.team.decision import Decision
from musespark.reasoning.team.prompts import reasons, shown
from musespark.reasoning.team.team import Team

MOST = 8
"""Distinct answers that are merged."""
NAME = "merge"


async def merge(run: RunContext, team: Team, answers: AnswerPool) -> Decision:
    """Write one answer from the distinct ones; falls back to the vote if no model can write it, or the writer fails."""
    model = team.model_for("merger", run.request)
    best = [group.representative for group in answers.groups.ranked[:MOST]]
    if model is None or len(best) == 1:
        fallback = await vote(run, team, answers)
        return (
            fallback
            if model is not None
            else replace(fallback, reason=f"No model here can merge. {fallback.reason}")
        )
    if any(attempt.calls for attempt in best):
        # Calls are run by the caller: no text says them, and of two calls only one may be meant.
        fallback = await vote(run, team, answers)
        return replace(
            fallback, reason=f"Answers that call tools are voted on, not merged. {fallback.reason}"
        )
    for count in range(len(best), 1, -1):
        best = best[:count]
        if funded := answers.allocator.allocate(writing(run, team, best), 1):
            break
    else:
        answers.budget_limited = True
        fallback = await vote(run, team, answers)
        return replace(fallback, reason=f"The budget does not pay for a merger. {fallback.reason}")
    task = funded[0]
    merged = await _written(run, task)
    if isinstance(merged, MuseError):
        answers.budget_limited |= isinstance(merged, BudgetExhausted)
        fallback = await vote(run, team, answers)
        return replace(fallback, reason=f"Merging failed: {merged} {fallback.reason}")
    return Decision(
        by="merge",
        winner=merged,
        winners=tuple(attempt.agent for attempt in best),
        written=True,
        reason=f"{model.name} wrote it from {len(best)} different answers.",
    )


def writing(run: RunContext, team: Team, best: Sequence[Attempt]) -> list[AgentTask]:
    """The task of the writer; none if no model can write."""
    model = team.model_for("merger", run.request)
    if model is None:
        return []
    request = replace(
        run.request,
        stage="merge",
        tools=(),
        tool_choice="auto",
        messages=(*run.request.messages, _asked(best, model)),
    )
    return [
        AgentTask(
            agent=NAME,
            model=model,
            label=f"{model.name}: writes one answer from {len(best)}",
            request=request,
            verify=team.verify,
            fits=team.fits,
        )
    ]


async def _written(run: RunContext, task: AgentTask) -> Attempt | MuseError:
    merged = await run_agent(
        run, task, run.main.add_child(task.agent), lambda: "the run was stopped", speak=True
    )
    if isinstance(merged, Attempt) and merged.finish_reason in ("cut", "budget"):
        merged = StreamCut(task.model.name)
    if isinstance(merged, MuseError) and run.answer:
        run.emit(AnswerDropped("its writer failed"))
    return merged


def _asked(best: Sequence[Attempt], model: Model) -> Message:
    given = "".join(f"\n<answer>\n{reasons(attempt)}\n</answer>\n" for attempt in best)
    return Message.user(
        "Several people answered the question above independently, and differently:\n"
        + given
        + "\nWrite the one best answer to the question: keep what is right in each, settle what they contradict each other in by "
        "working it out, and add nothing that you cannot support. Answer the question directly, in the form that was asked "
        "for; do not mention the answers above.",
        *shown(best, model),
    )
