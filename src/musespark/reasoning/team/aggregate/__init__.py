"""Aggregation: how a team settles on one answer. A new way is one small file, one line here and one name in `team.AGGREGATES`.

automatic.py   `auto`: chooses one of the others by what is known of the answers, and says why
vote.py        `vote`: the largest group of equal answers
weigh.py       `weigh`: votes weighed by what is known of each model's reliability
judge.py       `judge`: a model compares the finalists in pairs; `verdict.py` reads its verdicts
merge.py       `merge`: a model writes one answer from several
"""

from __future__ import annotations

from collections.abc import Mapping

from musespark.reasoning.team.aggregate.automatic import automatic
from musespark.reasoning.team.aggregate.judge import judge
from musespark.reasoning.team.aggregate.merge import merge
from musespark.reasoning.team.aggregate.vote import vote
from musespark.reasoning.team.aggregate.weigh import weigh
from musespark.reasoning.team.answer_pool import AnswerPool
from musespark.reasoning.team.team import Aggregator, Team

AGGREGATORS: Mapping[str, Aggregator] = {
    "auto": automatic,
    "vote": vote,
    "weigh": weigh,
    "judge": judge,
    "merge": merge,
}


def aggregator_of(team: Team, answers: AnswerPool) -> Aggregator:
    """The function that a team aggregates with; a verified answer needs none of the named ways, and `auto` says so."""
    if not isinstance(team.aggregate, str):
        return team.aggregate
    return AGGREGATORS["auto" if answers.verified else team.aggregate]


__all__ = ["AGGREGATORS", "aggregator_of"]
