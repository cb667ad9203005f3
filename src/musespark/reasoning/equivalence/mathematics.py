r"""The same mathematics: 1/2, 0.5 and \frac{1}{2}; x+1 and 1+x. Cheap comparisons first, then math-verify in another process."""

from __future__ import annotations

import re
from collections.abc import Hashable

from musespark.reasoning.attempt import Attempt
from musespark.reasoning.equivalence.exact import normalised
from musespark.reasoning.equivalence.numeric import Number, number, same_number
from musespark.reasoning.equivalence.prover import Prover, shared_prover

LONGEST = 400
"""Characters of the longest expression that is worth a symbolic comparison."""
_SYMBOLIC = re.compile(r"\\[a-zA-Z]+|[\^_√π∞≤≥∪∩±]|\d\s*[-+*/=<>(]|[-+*/=<>(,]\s*\d|"
                       r"[a-zA-Z0-9)]\s*[-+*/^=<>]\s*[a-zA-Z0-9(]|[(\[{].*,")
_LAYOUT = re.compile(r"\\(?:left|right|displaystyle|!|,|;|:|quad|qquad|\s)|\$|\s+|\\[()\[\]]")


class Mathematics:
    """Answers that are the same number or the same expression; others are compared as exact text."""

    name = "mathematics"
    keyed = False

    def __init__(self, prover: Prover | None = None) -> None:
        self._prover = prover or shared_prover()

    def key(self, attempt: Attempt) -> Hashable:
        return number(attempt.answer) or (expression(attempt.answer) if symbolic(attempt.answer) else normalised(attempt.answer))

    async def same(self, left: Attempt, right: Attempt) -> bool:
        one, other = self.key(left), self.key(right)
        if one == other:
            return True
        if isinstance(one, Number) and isinstance(other, Number):
            return same_number(one, other)
        if not (symbolic(left.answer) or symbolic(right.answer)):
            return False
        return await self._prover.same(left.answer, right.answer)


def symbolic(text: str) -> bool:
    """Whether the text looks like an expression, more than a number and less than prose."""
    if len(text) > LONGEST or number(text) is not None:
        return False
    return _SYMBOLIC.search(text) is not None


def expression(text: str) -> str:
    """The expression without what TeX only lays out by."""
    return _LAYOUT.sub("", text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")).rstrip(".")
