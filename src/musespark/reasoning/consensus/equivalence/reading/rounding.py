"""When a decimal fraction stands for a number that it is not equal to.

A decimal is an approximation of a number that rounds, or is cut, to exactly its digits. It counts as the same where the question
asks for a decimal and it has as many places as were asked for, and otherwise only where it is precise: ten significant digits, six
of a fraction that repeats, or the sixteen and more that floating point leaves behind.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal as Exact, localcontext
from fractions import Fraction

from musespark.reasoning.consensus.equivalence.reading.answer import Decimal, Formula
from musespark.reasoning.consensus.equivalence.reading.evaluation import evaluate
from musespark.reasoning.consensus.equivalence.reading.expectation import Expectation
from musespark.reasoning.consensus.equivalence.reading.trees import Tree, symbols

PRECISE = 10
"""Significant digits from which on a decimal stands for a number unasked."""
REPEATING = 6
"""Significant digits from which on it stands for a fraction that repeats."""
FLOATING = (16, 17)
"""Significant digits of a double that was printed whole."""
ASKED = 3
"""Significant digits that a rounded answer has to have where the question does not say how many."""


def stands_for(left: Formula, right: Formula, expected: Expectation) -> bool:
    """True if one of two numbers is a decimal that stands for the other. Percentages are left to exact comparison."""
    if left.percent != right.percent or (left.unit != right.unit and left.unit and right.unit):
        return False
    return _is_for(left, right, expected) or _is_for(right, left, expected)


def _is_for(short: Formula, long: Formula, expected: Expectation) -> bool:
    """True if the first is a decimal (or a rounded whole number) that stands for the second."""
    if (
        long.decimal
        and long.decimal.digits in FLOATING
        and short.tree[0] == long.tree[0] == "num"
        and not (short.decimal and short.decimal.digits >= long.decimal.digits)
    ):
        return _is_noise(short.tree[1], long.tree[1])
    precision = short.decimal or (Decimal(0, 0) if expected.rounded else None)
    if precision is None or short.tree[0] != "num" or symbols(long.tree):
        return False
    shift = 2 if short.percent else 0
    places = precision.places + shift
    if expected.rounded and _is_asked(precision, expected, shift):
        return is_rounding(short.tree[1], places, long.tree)
    repeats = long.tree[0] == "num" and long.decimal is None and long.tree[1].denominator <= 1000
    return precision.digits >= (REPEATING if repeats else PRECISE) and is_rounding(
        short.tree[1], places, long.tree
    )


def _is_asked(precision: Decimal, expected: Expectation, shift: int) -> bool:
    if expected.places is not None:  # to tens or hundreds, 225 is a wrong answer where 200 is right
        return precision.places + shift >= expected.places >= 0
    return precision.digits >= ASKED


def is_rounding(short: Fraction, places: int, tree: Tree) -> bool:
    """True if a number rounds, or is cut, to the decimal with that many places."""
    if tree[0] == "num":
        scaled = tree[1] * Fraction(10) ** places
        wanted = short * Fraction(10) ** places
        half = Fraction(1, 2)
        return wanted in (math.floor(scaled + half), math.ceil(scaled - half), math.trunc(scaled))
    try:
        value, _ = evaluate(tree, {})
    except (ArithmeticError, ValueError, KeyError):
        return False
    # Floating point knows some fifteen digits of it, and no more can be said.
    if abs(value.imag) > 1e-12 * max(1.0, abs(value.real)) or not math.isfinite(value.real):
        return False
    known = Fraction(value.real)
    slack = abs(known) * Fraction(2, 10**15)
    return any(
        is_rounding(short, places, ("num", each)) for each in (known, known + slack, known - slack)
    )


def _is_noise(short: Fraction, long: Fraction) -> bool:
    """True if a printed double is the decimal but for its last digits."""
    with localcontext() as context:
        context.prec = 15
        for mode in (ROUND_HALF_EVEN, ROUND_HALF_UP):
            context.rounding = mode
            if Fraction(Exact(long.numerator) / Exact(long.denominator)) == short:
                return True
    return False
