"""The store of what teams learn across runs: votes by kind of question, and the panels and strategies that follow from them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from musespark.models.model import Model
from musespark.reasoning.consensus.panel import Panel
from musespark.reasoning.context import RunContext
from musespark.reasoning.team.answer_pool import AnswerPool
from musespark.reasoning.team.strategy import Strategy
from musespark.store import Vote, VoteStore


def load_panel(
    task_kind: str, store: Path | None, models: Sequence[Model]
) -> tuple[Panel | None, tuple[Model, ...]]:
    """The panel for this kind of question, and its models in calling order; no panel and all models if nothing is known.

    Raises `StoreUnusable`.
    """
    with VoteStore(store) as kept:
        panel = Panel.from_store(kept, task_kind)
    rank = {name: index for index, name in enumerate(panel.models if panel else ())}
    known = tuple(
        sorted(
            (model for model in models if model.name in rank), key=lambda model: rank[model.name]
        )
    )
    return (panel, known) if known else (None, tuple(models))


def load_strategy(task_kind: str, store: Path | None, models: Sequence[Model]) -> Strategy | None:
    """The strategy that calibration found for such questions; None if it was not calibrated, or models are mixed, which a panel
    is for.

    Raises `StoreUnusable`.
    """
    names = {model.name for model in models}
    if len(names) != 1:
        return None
    with VoteStore(store) as kept:
        text = kept.strategy(task_kind, names.pop())
    return None if text is None else Strategy.from_json(text)


def vote_recorder(task_kind: str, store: Path | None) -> Callable[[RunContext, AnswerPool], None]:
    """Keeps the votes of a run."""

    def keep(run: RunContext, answers: AnswerPool) -> None:
        question = hashlib.sha256(
            run.request.question.encode("utf-8", "surrogatepass")
        ).hexdigest()[:24]
        votes = [
            Vote(task_kind, question, attempt.model, str(number), attempt.verified)
            for number, group in enumerate(answers.initial_groups)
            for attempt in group.attempts
        ]
        with VoteStore(store) as kept:
            kept.add({vote.model: vote for vote in reversed(votes)}.values())

    return keep
