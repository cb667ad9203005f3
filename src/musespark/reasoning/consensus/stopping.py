"""The rule that stops a run: would more answers still change the winner?"""

from __future__ import annotations

import math
from collections.abc import Sequence

CONFIDENCE = 0.85
"""Confidence of `enough` that more samples would not change the winner: two that agree at once are enough, one is not."""


def enough(
    counts: Sequence[float], remaining: int, confidence: float = CONFIDENCE
) -> tuple[bool, str]:
    """Decide if `remaining` more samples would leave the winner as it is with this confidence; returns the reason, too.

    counts: votes of each group, in any order; they may be fractions, because voters with correlated errors count less.

    The rule of Adaptive-Consistency (Aggarwal et al., 2023), for the samples that are left instead of infinitely many: the leader's
    share against the runner-up has a uniform prior, all remaining votes go to one of the two, and the probability of a change is
    their beta-binomial tail. A tie at the end counts as half a change.
    """
    ordered = sorted((count for count in counts if count > 0), reverse=True)
    if remaining <= 0:
        return True, "all have answered"
    if not ordered:
        return False, "there is no answer yet"
    leader, runner_up = ordered[0], ordered[1] if len(ordered) > 1 else 0.0
    change = overtaken(leader, runner_up, remaining)
    return (
        change <= 1 - confidence,
        f"{remaining} more would change the winner with probability {change:.2f}",
    )


def overtaken(leader: float, runner_up: float, remaining: int) -> float:
    """Probability that a runner-up wins after `remaining` more votes, each for one of the two."""
    needed = (remaining + leader - runner_up) / 2
    # Sum the shorter tail of the beta-binomial; rounding noise would otherwise decide close calls.
    total = 0.0
    for won in range(max(0, math.ceil(needed - 1e-9)), remaining + 1):
        tie = abs(won - needed) < 1e-9
        total += (0.5 if tie else 1.0) * _beta_binomial(won, remaining, runner_up + 1, leader + 1)
    return min(1.0, total)


def _beta_binomial(won: int, of: int, alpha: float, beta: float) -> float:
    choose = math.lgamma(of + 1) - math.lgamma(won + 1) - math.lgamma(of - won + 1)
    return math.exp(choose + _log_beta(won + alpha, of - won + beta) - _log_beta(alpha, beta))


def _log_beta(alpha: float, beta: float) -> float:
    return math.lgamma(alpha) + math.lgamma(beta) - math.lgamma(alpha + beta)
