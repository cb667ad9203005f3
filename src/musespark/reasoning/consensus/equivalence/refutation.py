"""Floating point at chosen points: it tells formulas apart, and never shows that they are equal."""

from __future__ import annotations

import random
from collections.abc import Iterable

from musespark.reasoning.consensus.equivalence.reading.evaluation import evaluate
from musespark.reasoning.consensus.equivalence.reading.trees import Tree, symbols

DIFFERENT = 1e-7
"""Relative distance from which on floating point tells values apart, whatever was lost on the way."""
POINTS = 6


def _points(names: frozenset[str]) -> Iterable[dict[str, float]]:
    """Points that depend on the names alone: all positive, all negative, mixed."""
    for turn in range(POINTS):
        chance = random.Random(f"{turn} {sorted(names)}")
        yield {
            name: chance.uniform(0.3, 3.7)
            * (1 if turn < 3 or (turn > 4 and chance.random() < 0.5) else -1)
            for name in sorted(names)
        }


def _values(left: Tree, right: Tree) -> Iterable[tuple[complex, complex, float]]:
    """Values of both at points where both have one that counts: real, unless a formula speaks of complex numbers itself."""
    complex_too = "'I'" in repr((left, right))
    names = symbols(left) | symbols(right)
    for point in _points(names) if names else [{}]:
        try:
            (one, size), (other, largest) = evaluate(left, point), evaluate(right, point)
        except (ArithmeticError, ValueError, KeyError, TypeError):
            continue
        if complex_too or all(
            abs(value.imag) <= 1e-9 * max(1.0, abs(value)) for value in (one, other)
        ):
            yield one, other, max(size, largest, 1e-300)


def refuted(left: Tree, right: Tree) -> bool:
    """True if the two differ at a point by more than floating point could lose."""
    return any(
        abs(one - other) > DIFFERENT * largest for one, other, largest in _values(left, right)
    )


def proportional(left: Tree, right: Tree, positive: bool) -> bool | None:
    """False if the ratio of the two is not the same at all points, or has the wrong sign."""
    ratios = [
        one / other
        for one, other, _ in _values(left, right)
        if abs(other) > 1e-9 and abs(one) > 1e-9
    ]
    if not ratios:
        return None
    if positive and any(ratio.real < 0 for ratio in ratios):
        return False
    return (
        False if any(abs(ratio - ratios[0]) > 1e-6 * abs(ratios[0]) for ratio in ratios) else None
    )
