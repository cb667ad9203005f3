"""Formulas in floating point, at a point."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping

from musespark.reasoning.consensus.equivalence.reading.trees import CONSTANTS, Tree

_FUNCTIONS: Mapping[str, Callable[[complex], complex]] = {
    "sin": cmath.sin,
    "cos": cmath.cos,
    "tan": cmath.tan,
    "asin": cmath.asin,
    "acos": cmath.acos,
    "atan": cmath.atan,
    "sinh": cmath.sinh,
    "cosh": cmath.cosh,
    "tanh": cmath.tanh,
    "ln": cmath.log,
    "abs": abs,
    "cot": lambda value: 1 / cmath.tan(value),
    "sec": lambda value: 1 / cmath.cos(value),
    "csc": lambda value: 1 / cmath.sin(value),
}


def evaluate(tree: Tree, point: Mapping[str, float]) -> tuple[complex, float]:
    """The value of a formula at a point in floating point, and the largest value that it was reached through.

    Raises `ArithmeticError` or `ValueError` if it has none, or is no formula of numbers.
    """
    kind = tree[0]
    if kind == "num":
        value: complex = float(tree[1])
        return value, abs(value)
    if kind == "sym":
        value = CONSTANTS[tree[1]] if tree[1] in CONSTANTS else complex(point[tree[1]])
        return value, abs(value)
    if kind not in ("add", "mul", "pow", "call"):
        raise ValueError(kind)
    inner = [
        evaluate(item, point)
        for item in (tree[1] if kind in ("add", "mul") else tree[2] if kind == "call" else tree[1:])
    ]
    values = [value for value, _ in inner]
    largest = max(size for _, size in inner)
    if kind == "add":
        value = sum(values)
    elif kind == "mul":
        value = math.prod(values)
    elif kind == "pow":
        value = values[0] ** values[1]
    elif tree[1] in _FUNCTIONS and len(values) == 1:
        value = complex(_FUNCTIONS[tree[1]](values[0]))
    else:
        raise ValueError(tree[1])
    if not cmath.isfinite(value):
        raise OverflowError
    return value, max(largest, abs(value))
