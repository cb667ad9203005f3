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
# A hyphen or a slash between letters is an operator between single letters alone: x-y, but not well-known, nor and/or.
_SYMBOLIC = re.compile(r"\\[a-zA-Z]+|[\^_√π∞≤≥∪∩±]|\d\s*[-+*/=<>(]|[-+*/=<>(,]\s*\d|"
                       r"[a-zA-Z0-9)]\s*[+*^=<>]\s*[a-zA-Z0-9(]|[0-9)]\s*[-/]\s*[a-zA-Z0-9(]|[a-zA-Z0-9)]\s*[-/]\s*[0-9(]|"
                       r"(?<![^\W\d_])[a-zA-Z]\s*[-/]\s*[a-zA-Z](?![^\W\d_])|[(\[{].*,")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[-/]\d{1,2}[-/]\d{4}")
# No function's name before its parenthesis, no command of TeX. Scripts that put no space between words: two letters are one.
_WORD = re.compile(r"[\u0400-\u1eff\u2c00-\u2dff\u3040-\ud7ff]{2}|(?<![\\\w{])[^\W\d_]{3,}+(?!\()")
_OPERATOR = re.compile(r"[+*^=<>≤≥±√∑∫]|[-/](?![^\W\d_]{2})|\\[a-zA-Z]+")
FEW = 4
"""Words that an expression may have beside its operators: "for all real numbers"."""
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
        if not (symbolic(left.answer) or symbolic(right.answer)) or max(len(left.answer), len(right.answer)) > LONGEST:
            return False
        return await self._prover.same(left.answer, right.answer)


def symbolic(text: str) -> bool:
    """Whether the text looks like an expression, more than a number and less than prose."""
    if len(text) > LONGEST or number(text) is not None or _DATE.fullmatch(text.strip()) or wordy(text):
        return False
    return _SYMBOLIC.search(text) is not None


def wordy(text: str) -> bool:
    """Whether the text has more than a few words beside whatever operators it has: sentences, not an expression."""
    return len(_WORD.findall(text)) - len(_OPERATOR.findall(text)) > FEW


def expression(text: str) -> str:
    """The expression without what TeX only lays out by."""
    return _LAYOUT.sub("", text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")).rstrip(".")
