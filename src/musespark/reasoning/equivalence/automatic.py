"""Sameness by what the answers look like: numbers, Python values, mathematics, prose, words."""

from __future__ import annotations

from collections.abc import Hashable

from musespark.reasoning.attempt import Attempt
from musespark.reasoning.equivalence.exact import Exact, normalised
from musespark.reasoning.equivalence.judged import Judge, Judged
from musespark.reasoning.equivalence.literals import literal, literal_key
from musespark.reasoning.equivalence.mathematics import Mathematics, wordy
from musespark.reasoning.equivalence.numeric import Number, number, same_number

PROSE = 120
"""Characters from which on an answer is prose: two models never write the same, so a model has to judge."""


class Automatic:
    """Numbers as numbers, lists and strings as Python values, expressions as mathematics, prose by the judge, the rest as text.

    Without a judge prose is compared as text; without math-verify expressions are.
    """

    name = "automatic"
    keyed = False

    def __init__(self, judge: Judge | None = None, mathematics: Mathematics | None = None) -> None:
        self._judged = Judged(judge) if judge else None
        self._otherwise = mathematics or Exact()

    def key(self, attempt: Attempt) -> Hashable:
        answer = attempt.answer
        return number(answer) or (literal_key(answer) if _structured(answer) else normalised(answer))

    async def same(self, left: Attempt, right: Attempt) -> bool:
        one, other = self.key(left), self.key(right)
        if one == other:
            return True
        if isinstance(one, Number) and isinstance(other, Number):
            return same_number(one, other)
        if _structured(left.answer) and _structured(right.answer):
            return False
        if self._judged and any(prose(attempt.answer) for attempt in (left, right)):
            return await self._judged.same(left, right)
        return await self._otherwise.same(left, right)


def prose(answer: str) -> bool:
    """Whether an answer is sentences, and not a value."""
    return len(answer) > PROSE and wordy(answer) and not _structured(answer)


def _structured(answer: str) -> bool:
    """Whether the answer is a Python list, tuple, set, dictionary or quoted string."""
    plain = answer.strip()
    if not plain or plain[0] not in "[({'\"":
        return False
    try:
        literal(plain)
    except ValueError:
        return False
    return True
