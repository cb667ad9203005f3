"""Intervals of real numbers that inequalities, brackets and sets describe."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from musespark.reasoning.consensus.equivalence.reading.trees import MINUS, Tree, symbols

Interval: TypeAlias = tuple[Tree, Tree, str]
"""Ends, and the brackets around them."""
_TURNED = {">": "<", ">=": "<="}
LOWEST: Tree = ("mul", (MINUS, ("sym", "oo")))
HIGHEST: Tree = ("sym", "oo")
REALS: Tree = ("sym", "R")


def oriented(relation: Tree) -> Tree:
    """The same inequality with the smaller side on the left."""
    if relation[1] in _TURNED:
        return ("rel", _TURNED[relation[1]], relation[3], relation[2])
    return relation


def intervals(tree: Tree) -> list[Interval] | None:
    """The intervals that inequalities of one variable, or brackets, describe; None if they describe none."""
    if tree == REALS:
        return [(LOWEST, HIGHEST, "()")]
    if tree[0] == "half":
        return [(tree[2], tree[3], tree[1])]
    if tree[0] in ("tuple", "list") and len(tree[1]) == 2:
        return [(*tree[1], "()" if tree[0] == "tuple" else "[]")]
    if tree[0] == "rel" and tree[1] == "in":
        return intervals(tree[3])
    if (excluded := _excluded(tree)) is not None:
        points: list[Tree] = [LOWEST, *(("num", value) for value in sorted(excluded)), HIGHEST]
        return [(low, high, "()") for low, high in pairwise(points)]
    if tree[0] == "rel":
        return _half_line(tree)
    if tree[0] in ("union", "any", "row"):
        parts = [intervals(item) for item in tree[1]]
        return (
            None
            if None in parts or len(_names(tree)) > 1
            else [each for part in parts for each in part or []]
        )
    if tree[0] == "all" and len(tree[1]) == 2 and len(_names(tree)) == 1:
        ends = [_half_line(item) if item[0] == "rel" else None for item in tree[1]]
        if ends[0] is None or ends[1] is None:
            return None
        (low, high, one), (floor, ceiling, other) = ends[0][0], ends[1][0]
        if high == HIGHEST and floor == LOWEST:
            return [(low, ceiling, one[0] + other[1])]
        if ceiling == HIGHEST and low == LOWEST:
            return [(floor, high, other[0] + one[1])]
    return None


def _excluded(tree: Tree) -> set[Fraction] | None:
    """Numbers that alone are left out of the real ones: x != 0, all real numbers without 0 and 1."""
    if tree[0] == "rel" and tree[1] == "!=" and tree[2][0] == "sym" and tree[3][0] == "num":
        return {tree[3][1]}
    if (
        tree[0] == "without"
        and tree[1][0] == REALS
        and tree[1][1][0] == "set"
        and all(item[0] == "num" for item in tree[1][1][1])
    ):
        return {item[1] for item in tree[1][1][1]}
    if tree[0] in ("all", "row") and tree[1] and len(_names(tree)) == 1:
        parts = [_excluded(item) for item in tree[1]]
        return None if None in parts else {value for part in parts for value in part or ()}
    return None


def bounded_names(tree: Tree) -> frozenset[Tree]:
    """Variables that the relations of an answer are about."""
    return (
        _names(("all", (tree,) if tree[0] == "rel" else tree[1]))
        if tree[0] in ("rel", "all", "any", "row")
        else frozenset()
    )


def _names(tree: Tree) -> frozenset[Tree]:
    """Variables that inequalities bound."""
    found = set()
    for item in tree[1]:
        if item[0] == "rel":
            found.add(
                next(
                    (
                        side
                        for side in item[2:]
                        if side[0] == "sym" and side[1] not in ("PI", "E", "oo")
                    ),
                    item[2],
                )
            )
        elif item[0] == "all":
            found |= _names(item)
    return frozenset(found)


def _half_line(relation: Tree) -> list[Interval] | None:
    relation = oriented(relation)
    _, sign, low, high = relation
    if sign not in ("<", "<="):
        return None
    if high[0] == "sym" and not symbols(low):
        return [(low, HIGHEST, "[)" if sign == "<=" else "()")]
    if low[0] == "sym" and not symbols(high):
        return [(LOWEST, high, "(]" if sign == "<=" else "()")]
    return None


def half_tree(interval: Interval) -> Tree:
    """An interval as a tree."""
    low, high, brackets = interval
    return ("half", brackets, low, high)
