"""Reliability of models by kind of question, and correlation of their errors, estimated from votes.

With labels, a model's reliability is the mean of a Beta posterior whose prior is fitted to all models of the kind (empirical
Bayes): fifty labels say little about one model and much about forty. Without labels it follows from the agreement between models
(Dawid & Skene, 1979; in the rank-one form of Parisi et al., 2014).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from musespark.store import Vote

Correlation = Mapping[tuple[str, str], float]
"""Correlation of the errors of two models, symmetric; 0 for a pair that is missing."""

LEAST = 5
"""Models on a panel at the least: with fewer, a strong one could not be outvoted."""
COPY = 0.8
"""Error correlation from which a model counts as a copy of another, and is not called beside it."""
_SHRINK = 50
"""Questions that a measured correlation has to weigh as much as what all pairs have in common."""


def log_odds(reliability: float) -> float:
    """The weight of a vote that is right so often: optimal for independent voters (Nitzan & Paroush, 1982). Never below 0."""
    certain = min(max(reliability, 0.01), 0.99)
    return max(0.0, math.log(certain / (1 - certain)))


def reliabilities(votes: Iterable[Vote]) -> dict[str, float]:
    """Reliability of each model, from votes with a label: the mean of its Beta posterior.

    Mean and strength of the prior are those of all models together, by the method of moments; the strength is 2 to 200 answers.
    """
    trials: dict[str, int] = defaultdict(int)
    hits: dict[str, int] = defaultdict(int)
    for vote in votes:
        if vote.right is not None:
            trials[vote.model] += 1
            hits[vote.model] += vote.right
    if not trials:
        return {}
    shares = {model: hits[model] / trials[model] for model in trials}
    mean = sum(shares.values()) / len(shares)
    noise = sum(share * (1 - share) / trials[model] for model, share in shares.items()) / len(
        shares
    )
    spread = sum((share - mean) ** 2 for share in shares.values()) / max(1, len(shares) - 1) - noise
    strength = min(max(mean * (1 - mean) / max(spread, 1e-4) - 1, 2.0), 200.0)
    # no model is certain, even if all were right
    mean = min(max(mean, 0.01), 0.99)
    return {model: (hits[model] + mean * strength) / (trials[model] + strength) for model in trials}


def unlabelled(votes: Iterable[Vote]) -> dict[str, float]:
    """Reliability of each model, from agreement alone: wrong answers scatter and right ones coincide.

    Two models agree about as often as both are right, so the matrix of agreements is nearly of rank one, and its factor is the
    reliabilities. Needs three models with questions in common; others get the mean of the rest.
    """
    answers = by_question(votes)
    models = sorted({model for given in answers.values() for model in given})
    agree: dict[str, dict[str, float]] = {model: {} for model in models}
    for one, other in combinations(models, 2):
        both = [
            (given[one], given[other])
            for given in answers.values()
            if one in given and other in given
        ]
        if both:
            share = sum(left == right and left is not None for left, right in both) / len(both)
            agree[one][other] = agree[other][one] = share
    estimate = dict.fromkeys(models, 0.7)
    for _ in range(200):
        new = {}
        for model in models:
            below = sum(estimate[other] ** 2 for other in agree[model])
            above = sum(share * estimate[other] for other, share in agree[model].items())
            new[model] = min(max(above / below, 0.05), 0.98) if below else estimate[model]
        estimate = {model: (estimate[model] + new[model]) / 2 for model in models}
    return estimate


def error_correlation(votes: Iterable[Vote]) -> dict[tuple[str, str], float]:
    """The phi coefficient of the errors of each pair of models, from votes with a label.

    Shrunk towards the mean of all pairs, because one pair errs too seldom to tell. Between 0 and 1.
    """
    right: dict[str, dict[str, bool]] = defaultdict(dict)
    for vote in votes:
        if vote.right is not None:
            right[vote.model][vote.question] = vote.right
    measured: dict[tuple[str, str], tuple[float, int]] = {}
    for one, other in combinations(sorted(right), 2):
        common = right[one].keys() & right[other].keys()
        phi = _phi([(right[one][question], right[other][question]) for question in common])
        if phi is not None:
            measured[one, other] = phi, len(common)
    if not measured:
        return {}
    mean = sum(phi for phi, _ in measured.values()) / len(measured)
    shrunk = {
        pair: min(max((count * phi + _SHRINK * mean) / (count + _SHRINK), 0.0), 1.0)
        for pair, (phi, count) in measured.items()
    }
    return shrunk | {(other, one): value for (one, other), value in shrunk.items()}


def _phi(outcomes: Sequence[tuple[bool, bool]]) -> float | None:
    count = len(outcomes)
    one, other = sum(left for left, _ in outcomes), sum(right for _, right in outcomes)
    scale = one * (count - one) * other * (count - other)
    if not scale:
        return None
    return (count * sum(left and right for left, right in outcomes) - one * other) / math.sqrt(
        scale
    )


def effective_votes(weights: Mapping[str, float], correlation: Correlation) -> float:
    """Number of independent equal voters that these are worth: (sum w)^2 / (w' R w), after Kish (1965). 0 if all weigh nothing."""
    models = [model for model, weight in weights.items() if weight > 0]
    total = sum(weights[model] for model in models)
    together = sum(
        weights[one]
        * weights[other]
        * (1.0 if one == other else correlation.get((one, other), 0.0))
        for one in models
        for other in models
    )
    return total * total / together if together else 0.0


def choose(reliability: Mapping[str, float], correlation: Correlation, at_most: int) -> list[str]:
    """The models to call, in order: few strong voters rather than many weak ones.

    The best comes first. Beyond the first `LEAST`, a model is included only if three like it outweigh two like the best; a copy of
    an included model is left out.
    """
    ranked = sorted(reliability, key=lambda model: (-reliability[model], model))
    chosen: list[str] = []
    for model in ranked:
        strong = not chosen or 3 * log_odds(reliability[model]) >= 2 * log_odds(
            reliability[chosen[0]]
        )
        if len(chosen) >= at_most or (not strong and len(chosen) >= LEAST):
            break
        if all(correlation.get((model, other), 0.0) < COPY for other in chosen):
            chosen.append(model)
    return chosen


def by_question(votes: Iterable[Vote]) -> dict[str, dict[str, str | None]]:
    """For each question what each model answered, by group."""
    answers: dict[str, dict[str, str | None]] = defaultdict(dict)
    for vote in votes:
        answers[vote.question][vote.model] = vote.group
    return answers
