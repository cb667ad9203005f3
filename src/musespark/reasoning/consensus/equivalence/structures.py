"""Equality of formulas and of what is built from them: points, sets, intervals, relations, matrices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from fractions import Fraction

from musespark.reasoning.consensus.equivalence.intervals import (
    HIGHEST,
    LOWEST,
    REALS,
    bounded_names,
    half_tree,
    intervals,
    oriented,
)
from musespark.reasoning.consensus.equivalence.reading.trees import (
    CONSTANTS,
    MINUS,
    STRUCTURES,
    Tree,
    canonical,
    number,
    symbols,
)
from musespark.reasoning.consensus.equivalence.refutation import proportional, refuted

_UNORDERED = frozenset({"row", "set", "any", "all"})


class Structures:
    """Compares trees; asks for a proof where exact arithmetic does not tell and floating point does not refute."""

    def __init__(
        self, prove: Callable[[Tree, Tree, str], Awaitable[bool]], ordered: bool = False
    ) -> None:
        """ordered: rows of answers are sequences and no sets."""
        self._prove = prove
        self._ordered = ordered

    async def same(self, left: Tree, right: Tree) -> bool:
        """True if two canonical trees are equal."""
        if left == right:
            return True
        one, other = solutions(left), solutions(right)
        if one != left or other != right:
            return await self.same(one, other)
        kinds = {left[0], right[0]}
        if "tuple" in kinds and (left, right) != (one := point(left), other := point(right)):
            return await self.same(one, other)
        one, other = bare(left), bare(right)
        if (one != left and not _relates(right)) or (other != right and not _relates(left)):
            return await self.same(one, other)
        if (
            "rel" in kinds
            or kinds & {"union", "half", "without"}
            or (REALS in (left, right) and "tuple" in kinds)
            or ({"all", "any"} & kinds and _has_relation(left, right))
        ):
            return await self._same_relation(left, right)
        if kinds <= _UNORDERED:
            return await self._same_items(left, right)
        if len(kinds) > 1 and kinds & STRUCTURES:
            return False
        if kinds <= {"tuple", "list", "meet", "without"}:
            return await self._in_order(left[1], right[1])
        if kinds == {"class"}:
            return await self._same_class(left[1], right[1])
        if kinds == {"matrix"}:
            return len(left[1]) == len(right[1]) and await self._all(
                [self._in_order(one, other) for one, other in zip(left[1], right[1], strict=True)]
            )
        return not kinds & STRUCTURES and await self._equal(left, right)

    async def _all(self, found: Iterable[Awaitable[bool]]) -> bool:
        """True if all are true; all are awaited in turn, up to the first that is not."""
        true = True
        for each in found:
            if true:
                true = await each
            elif hasattr(each, "close"):
                each.close()
        return true

    async def _in_order(self, left: Sequence[Tree], right: Sequence[Tree]) -> bool:
        return len(left) == len(right) and await self._all(
            [self.same(*pair) for pair in zip(left, right, strict=True)]
        )

    async def _same_items(self, left: Tree, right: Tree) -> bool:
        """Items in any order. "And" is no "or", and a comma may be either."""
        if {left[0], right[0]} == {"all", "any"}:
            return False
        if (self._ordered and "set" not in (left[0], right[0])) or ("dots", ()) in (
            *left[1],
            *right[1],
        ):
            return await self._in_order(left[1], right[1])
        return await self._matched(tuple(dict.fromkeys(left[1])), tuple(dict.fromkeys(right[1])))

    async def _matched(self, left: Sequence[Tree], right: Sequence[Tree]) -> bool:
        if len(left) != len(right):
            return False
        waiting = list(right)
        for one in left:
            found = None
            for other in sorted(waiting, key=lambda item: item != one):
                if await self.same(one, other):
                    found = other
                    break
            if found is None:
                return False
            waiting.remove(found)
        return True

    async def _same_class(self, left: Sequence[Tree], right: Sequence[Tree]) -> bool:
        """Remainders of one modulus."""
        (one, of), (other, by) = left, right
        if of[0] == by[0] == one[0] == other[0] == "num":
            return bool(of == by and of[1] and (one[1] - other[1]) % of[1] == 0)
        return await self._in_order(left, right)

    async def _same_relation(self, left: Tree, right: Tree) -> bool:
        if left[0] == right[0] == "half":
            return left[1] == right[1] and await self._in_order(left[2:], right[2:])
        one, other = intervals(left), intervals(right)
        if one is not None and other is not None:
            named, called = bounded_names(left), bounded_names(right)
            if named and called and named != called:
                return False
            if len(one) != len(other):
                return False
            return await self._matched(
                [half_tree(each) for each in one],
                [half_tree(each) for each in other],
            )
        if left[0] == right[0] == "rel":
            return await self._same_equation(oriented(left), oriented(right))
        if left[0] == right[0] == "without":
            return await self._in_order(left[1], right[1])
        if left[0] == right[0] == "union" or (left[0] in _UNORDERED and right[0] in _UNORDERED):
            return (
                await self._same_items(left, right)
                if left[0] != "union"
                else await self._matched(left[1], right[1])
            )
        return False

    async def _same_equation(self, left: Tree, right: Tree) -> bool:
        """Relations of one kind whose sides are equal, or whose differences are proportional."""
        if left[1] != right[1]:
            return False
        if await self._in_order(left[2:], right[2:]):
            return True
        if left[1] not in ("=", "!=", "<", "<="):
            return False
        if STRUCTURES & {side[0] for side in (*left[2:], *right[2:])} or "function" in repr(
            (left, right)
        ):
            return False
        one, other = (
            canonical(("add", (each[2], ("mul", (MINUS, each[3]))))) for each in (left, right)
        )
        if symbols(one) != symbols(other) or not symbols(one):
            return False
        positive = left[1] in ("<", "<=")
        if _normalised(one, positive) == _normalised(other, positive):
            return True
        return proportional(one, other, positive) is not False and await self._prove(
            one, other, "positive" if positive else "ratio"
        )

    async def _equal(self, left: Tree, right: Tree) -> bool:
        """True if two formulas are equal wherever both are real."""
        if left[0] == right[0] == "num" or HIGHEST in (left, right) or LOWEST in (left, right):
            return False  # equal ones are equal
        if functions(left) != functions(right):
            return False
        return not refuted(left, right) and await self._prove(left, right, "equal")


def functions(tree: Tree) -> frozenset[str]:
    """Names of functions of which nothing is known: f(x), P(A)."""
    if tree[0] == "call" and tree[1].startswith("function "):
        return frozenset({tree[1]})
    inner = (
        tree[2]
        if tree[0] == "call"
        else tree[1]
        if tree[0] in ("add", "mul")
        else tree[1:]
        if tree[0] == "pow"
        else ()
    )
    return frozenset().union(*map(functions, inner))


def bare(tree: Tree) -> Tree:
    """A value without the name that it is given to: 5 of x = 5, f(x) = 5, AB = 5, 2 + 3 = 5; everything else as it is."""
    links = tree[1] if tree[0] == "all" else (tree,)
    if all(link[0] == "rel" and link[1] == "=" and link[2] == link[3] for link in links):
        return links[-1][3]  # type: ignore[no-any-return]
    if tree[0] != "rel" or tree[1] not in ("=", "approx", "equiv", "in"):
        return tree
    name = tree[2]
    named = (name[0] == "sym" and name[1] not in (*CONSTANTS, "oo")) or (
        name[0] == "call" and name[1].startswith("function ")
    )
    segment = name[0] == "mul" and all(item[0] == "sym" and item[1].isupper() for item in name[1])
    return tree[3] if named or segment else tree


def solutions(tree: Tree) -> Tree:
    """Statement of a formula, or of several, about one variable, without its name: x = 2 or x = 3 is the set of 2 and 3."""
    if tree[0] in ("row", "any", "all", "set") and tree[1]:
        names = {item[2] for item in tree[1] if item[0] == "rel" and item[1] == "="}
        related = [item for item in tree[1] if item[0] == "rel"]
        if (
            len(names) == 1
            and all(item[1] == "=" for item in related)
            and next(iter(names))[0] == "sym"
        ):
            return ("set", tuple(item[3] if item[0] == "rel" else item for item in tree[1]))
        if any(item[0] == "row" for item in tree[1]):
            return (
                tree[0],
                tuple(
                    each for item in tree[1] for each in (item[1] if item[0] == "row" else (item,))
                ),
            )
    return tree


_COORDINATES = ("x", "y", "z")


def point(tree: Tree) -> Tree:
    """A column, or x = 3 and y = 4, as the point that it is; everything else as it is."""
    if tree[0] == "matrix" and all(len(row) == 1 for row in tree[1]):
        return ("tuple", tuple(row[0] for row in tree[1]))
    named = tree[0] in ("row", "all") and all(
        item[0] == "rel" and item[1] == "=" and item[2][0] == "sym" for item in tree[1]
    )
    values = {item[2][1]: item[3] for item in tree[1]} if named else {}
    names = _COORDINATES[: len(values)]
    return (
        ("tuple", tuple(values[name] for name in names))
        if len(values) > 1 and values.keys() == set(names)
        else tree
    )


def _relates(tree: Tree) -> bool:
    return tree[0] == "rel" or _has_relation(tree)


def _has_relation(*trees: Tree) -> bool:
    return any(
        item[0] == "rel" for tree in trees if tree[0] in ("all", "any", "row") for item in tree[1]
    )


def _normalised(tree: Tree, positive: bool) -> Tree:
    """A sum divided by the number before its first term, or by that number's size."""
    first = tree[1][-1] if tree[0] == "add" else tree
    weight = first[1][0][1] if first[0] == "mul" and first[1][0][0] == "num" else Fraction(1)
    return canonical(("mul", (number(1 / (abs(weight) if positive else weight)), tree)))
