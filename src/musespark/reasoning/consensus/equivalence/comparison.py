"""True if two answers that were read as values are the same: exactly, by what the question asks for, and by proof where needed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from fractions import Fraction

from musespark.reasoning.consensus.equivalence.reading.answer import (
    Answer,
    Bound,
    Choice,
    Decimal,
    Formula,
    Moment,
    Words,
)
from musespark.reasoning.consensus.equivalence.reading.expectation import NOTHING, Expectation
from musespark.reasoning.consensus.equivalence.reading.reader import read
from musespark.reasoning.consensus.equivalence.reading.rounding import stands_for
from musespark.reasoning.consensus.equivalence.reading.trees import Tree, canonical, number
from musespark.reasoning.consensus.equivalence.reading.units import Unit, same_nouns
from musespark.reasoning.consensus.equivalence.structures import Structures

Prove = Callable[[Tree, Tree, str], Awaitable[bool]]
"""True if two formulas are equal ("equal"), or one a constant ("ratio") or a positive constant ("positive") times the other."""
_TURN: Tree = ("mul", (number(Fraction(1, 180)), ("sym", "PI")))
_LETTERS = re.compile(r"[A-Ja-j]{2,6}")


class Comparison:
    """Compares answers to one question."""

    def __init__(self, prove: Prove, expected: Expectation = NOTHING) -> None:
        self._expected = expected
        self._structures = Structures(prove, expected.ordered)

    async def same(self, left: Answer, right: Answer) -> bool:
        """True if either may stand for the other."""
        if left == right:
            return not (_note(left) and _note(right) and _note(left) != _note(right))
        match left, right:
            case Choice(), Choice():
                return await self._same_choice(left, right)
            case Choice(), _:
                return await self._chosen(left, right)
            case _, Choice():
                return await self._chosen(right, left)
            case Bound(), Bound():
                return left.relation == right.relation and await self._same_formula(
                    left.limit, right.limit
                )
            case Bound(), Formula():
                return await self._bounded(left, right)
            case Formula(), Bound():
                return await self._bounded(right, left)
            case Formula(), Formula():
                return await self._same_formula(left, right)
            case Words(), Words():
                return left.text == right.text and not (
                    left.note and right.note and left.note != right.note
                )
            case Moment(), Moment():
                return False  # equal ones are equal
        return False

    async def _same_choice(self, left: Choice, right: Choice) -> bool:
        """Equal letters; what stands beside them may not contradict."""
        if left.letters != right.letters:
            return False
        return not (left.content and right.content) or await self.same(
            read(left.content), read(right.content)
        )

    async def _chosen(self, chosen: Choice, other: Answer) -> bool:
        """True if the other answer is what stands beside the letter, in the answer or in the question."""
        if isinstance(other, Words) and len(chosen.letters) > 1 and _LETTERS.fullmatch(other.text):
            return len(set(other.text)) == len(other.text) and chosen.letters == set(
                other.text.upper()
            )
        if len(chosen.letters) > 1:
            return False
        option = self._expected.options.get(next(iter(chosen.letters)), "")
        if chosen.content:
            return await self.same(read(chosen.content), other)
        return bool(option) and await self.same(read(option), other)

    async def _bounded(self, bound: Bound, other: Formula) -> bool:
        """True if a relation says what the bound does: x >= 5, at least 5."""
        turned = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}
        tree = other.tree
        if tree[0] != "rel" or other.unit:
            return False
        if tree[1] == bound.relation and tree[2][0] == "sym":
            return await self._same_formula(bound.limit, Formula(tree[3]))
        return (
            turned.get(tree[1]) == bound.relation
            and tree[3][0] == "sym"
            and await self._same_formula(bound.limit, Formula(tree[2]))
        )

    async def _same_formula(self, left: Formula, right: Formula) -> bool:
        if left.note and right.note and left.note != right.note:
            return False
        if left.percent != right.percent:
            return await self._same_share(*((left, right) if left.percent else (right, left)))
        one, other = left.unit, right.unit
        if one is None or other is None:
            return await self._same_bare(left, right)
        if one.dimension and other.dimension:
            return await self._same_measure(left, right, one, other)
        if one.dimension or other.dimension:
            return ("unit",) in (one.nouns, other.nouns) and await self._same_value(left, right)
        return same_nouns(one.nouns, other.nouns) and await self._same_value(left, right)

    async def _same_share(self, percent: Formula, other: Formula) -> bool:
        """50% is 0.5, and 50 where the question may have said that percent are meant."""
        if other.unit is not None:
            return False
        hundredfold = Formula(
            canonical(("mul", (number(100), percent.tree))), decimal=percent.decimal
        )
        finer = percent.decimal and Decimal(percent.decimal.places + 2, percent.decimal.digits)
        return await self._same_value(
            Formula(percent.tree, decimal=finer), other
        ) or await self._same_value(hundredfold, other)

    async def _same_bare(self, left: Formula, right: Formula) -> bool:
        """A number without a unit goes with any single unit, for the question may have said which."""
        if left.compound or right.compound:
            return False
        if await self._same_value(left, right):
            return True
        turned, plain = (left, right) if left.unit else (right, left)
        if turned.unit is None or turned.unit.dimension != (("angle", 1),):
            return False
        return "PI" in repr(plain.tree) and await self._same_value(
            Formula(canonical(("mul", (_TURN, turned.tree)))), plain
        )

    async def _same_measure(self, left: Formula, right: Formula, one: Unit, other: Unit) -> bool:
        names = {one.dimension, other.dimension}
        if names == {(("angle", 1),), (("radian", 1),)}:
            turned, plain = (left, right) if one.dimension == (("angle", 1),) else (right, left)
            return await self._same_value(
                Formula(canonical(("mul", (_TURN, turned.tree)))), Formula(plain.tree)
            )
        if len(names) > 1 or (one.nouns and other.nouns and not same_nouns(one.nouns, other.nouns)):
            return False
        if (one.factor, one.offset) == (other.factor, other.offset):
            return await self._same_value(left, right)
        return await self._same_value(_in_base_units(left, one), _in_base_units(right, other))

    async def _same_value(self, left: Formula, right: Formula) -> bool:
        """Equal values; where one is a decimal it may stand for the other."""
        return stands_for(left, right, self._expected) or await self._structures.same(
            left.tree, right.tree
        )


def _in_base_units(formula: Formula, unit: Unit) -> Formula:
    return Formula(
        canonical(("add", (("mul", (number(unit.factor), formula.tree)), number(unit.offset))))
    )


def _note(answer: Answer) -> str:
    return answer.note if isinstance(answer, Formula | Words) else ""
