"""A panel: the models to call, in order, the weights of their votes and a threshold to stop at; learned from votes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from musespark.reasoning.consensus.groups import AnswerGroups
from musespark.reasoning.consensus.reliability import (
    Correlation,
    by_question,
    choose,
    effective_votes,
    error_correlation,
    log_odds,
    reliabilities,
    unlabelled,
)
from musespark.reasoning.consensus.voting import VoteResult, weigh
from musespark.store import Vote, VoteStore

AT_MOST = 16
"""Models on a panel."""
CALLS = 3.0
"""Calls a question that a panel may make on average."""
LABELS = 10
"""Labelled questions from which on reliability is read off the labels, and below that off agreement."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Models in calling order. Each answer moves the odds; the panel has enough when one answer is sure."""

    models: tuple[str, ...]
    weights: Mapping[str, float]
    """The log-odds of each being right."""
    sure: float
    """Probability of the leading answer at which no other model is called."""
    correlation: Correlation = field(default_factory=dict, repr=False)
    """Correlation of their errors."""

    @classmethod
    def from_store(cls, store: VoteStore, task_kind: str, calls: float = CALLS) -> Self | None:
        """The panel for questions of a kind; None if the store knows fewer than three models."""
        votes = store.votes(task_kind)
        return cls.from_votes(votes, calls) if len({vote.model for vote in votes}) >= 3 else None

    @classmethod
    def from_votes(
        cls, votes: Sequence[Vote], calls: float = CALLS, at_most: int = AT_MOST
    ) -> Self:
        """The panel that these votes recommend, within this many calls per question on average.

        Only these votes are used: reliability is estimated from labels, or from agreement if there are too few, and the number of
        calls by replaying the panel on these questions.
        """
        labelled = {vote.question for vote in votes if vote.right is not None}
        if len(labelled) >= LABELS:
            known = [vote for vote in votes if vote.right is not None]
            reliability, correlation = reliabilities(known), error_correlation(known)
        else:
            reliability, correlation = unlabelled(votes), {}
        models = tuple(choose(reliability, correlation, at_most))
        weights = {model: log_odds(reliability[model]) for model in models}
        return cls(
            models,
            weights,
            threshold(list(by_question(votes).values()), models, weights, calls),
            correlation,
        )

    def weigh(self, groups: AnswerGroups) -> VoteResult:
        """The group that the panel's votes favour."""
        return weigh(groups, self.weights, otherwise=0.0)

    def probability(self, groups: AnswerGroups) -> float:
        """Probability that the leading answer is right, if models err independently; perhaps none is."""
        return probability(
            [
                sum(self.weights.get(attempt.model, 0.0) for attempt in group.attempts)
                for group in groups.ranked
            ]
        )

    def enough(self, groups: AnswerGroups) -> tuple[bool, str]:
        """True if no other model is needed, and the reason in a few words."""
        if len(groups) == 0:
            return False, "there is no answer yet"
        probability = self.probability(groups)
        sign = "at least" if probability >= self.sure else "less than"
        return (
            probability >= self.sure,
            f"the leading answer is right with probability {probability:.3f}, {sign} {self.sure:.3f}",
        )

    @property
    def effective(self) -> float:
        """Number of independent voters that the panel is worth."""
        return effective_votes(self.weights, self.correlation)


def probability(weights: Iterable[float]) -> float:
    """Probability of the heaviest of several answers, given the log-odds that each has gathered."""
    gathered = list(weights)
    lead = max(gathered, default=0.0)
    return (
        1 / (sum(math.exp(weight - lead) for weight in gathered) + math.exp(-lead))
        if gathered
        else 0.0
    )


def threshold(
    answers: Sequence[Mapping[str, str | None]],
    models: Sequence[str],
    weights: Mapping[str, float],
    calls: float,
) -> float:
    """The highest probability that a panel can wait for within this many calls on average, replayed on these questions.

    answers: for each question the group of each model's answer. Labels are not used.
    """
    paths = [_path(given, models, weights) for given in answers]
    reached = sorted({probability for path in paths for probability in path}, reverse=True)
    low, high = 0, len(reached)
    while (
        low < high
    ):  # calls fall with the threshold: find the first of the falling thresholds that is cheap enough
        middle = (low + high) // 2
        asked = sum(_asked(path, reached[middle]) for path in paths)
        low, high = (low, middle) if asked <= calls * len(paths) else (middle + 1, high)
    if low == 0 and len(models) <= calls:
        return 1.0
    return reached[low] if low < len(reached) else 0.5


def _path(
    given: Mapping[str, str | None], models: Sequence[str], weights: Mapping[str, float]
) -> list[float]:
    """The leading answer's probability after each answer."""
    gathered: dict[str, float] = {}
    path = []
    for model in models:
        group = given.get(model)
        if group is not None:
            gathered[group] = gathered.get(group, 0.0) + weights[model]
        path.append(probability(gathered.values()))
    return path


def _asked(path: Sequence[float], sure: float) -> int:
    return next(
        (count for count, probability in enumerate(path, 1) if probability >= sure), len(path)
    )
