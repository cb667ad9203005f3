"""How a team settles on one answer. Adding a way is one small file and one line here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from musespark.errors import BadOption
from musespark.reasoning.context import RunContext
from musespark.reasoning.team.aggregate.decision import Decision
from musespark.reasoning.team.answer_pool import AnswerPool

if TYPE_CHECKING:
    from musespark.reasoning.team.team import Team

Aggregator: TypeAlias = "Callable[[RunContext, Team, AnswerPool], Awaitable[Decision]]"

AGGREGATORS: Mapping[str, str] = {
    "auto": "musespark.reasoning.team.aggregate.automatic:automatic",
    "vote": "musespark.reasoning.team.aggregate.vote:vote",
    "weigh": "musespark.reasoning.team.aggregate.weigh:weigh",
    "judge": "musespark.reasoning.team.aggregate.judge:judge",
    "merge": "musespark.reasoning.team.aggregate.merge:merge",
}


def aggregator_named(name: str) -> Aggregator:
    """The aggregator of that name; raises `BadOption`."""
    if name not in AGGREGATORS:
        raise BadOption("aggregate", name, f"one of {', '.join(AGGREGATORS)}")
    module, _, attribute = AGGREGATORS[name].partition(":")
    found: Aggregator = getattr(import_module(module), attribute)
    return found


__all__ = ["AGGREGATORS", "Aggregator", "Decision", "aggregator_named"]
