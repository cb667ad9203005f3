"""Sameness by what the answers look like: values, Python values, prose, words."""

from __future__ import annotations

from collections.abc import Hashable

from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence.judged import Judge, JudgedEquivalence
from musespark.reasoning.consensus.equivalence.literals import literal, literal_key
from musespark.reasoning.consensus.equivalence.mathematics import Mathematics, wordy
from musespark.reasoning.consensus.equivalence.reading.answer import Choice, Words
from musespark.reasoning.consensus.equivalence.reading.reader import read, unquoted

PROSE = 120
"""Characters from which on an answer is prose: two models never write the same, so a model has to judge."""


class Automatic:
    """Values as values, lists and strings of Python as such, prose by the judge, the rest as text.

    Without a judge prose is compared as text.
    """

    name = "automatic"
    keyed = False

    def __init__(self, judge: Judge | None = None, mathematics: Mathematics | None = None) -> None:
        self._judged = JudgedEquivalence(judge) if judge else None
        self._values = mathematics or Mathematics()

    @property
    def undecided(self) -> int:
        """Comparisons that were neither proved nor refuted in time; they count as different."""
        return self._values.undecided

    def key(self, attempt: Attempt) -> Hashable:
        """The Python value of an answer that is one, else its value as it was read."""
        return literal_key(attempt.answer) if _structured(attempt.answer) else self._values.key(attempt)

    def formed(self, attempt: Attempt) -> bool:
        """True if the answer is as precise as was asked."""
        return self._values.formed(attempt)

    def contradict(self, left: Attempt, right: Attempt) -> bool:
        """True if the two differ without any proof; of prose only a judge can say."""
        if self._judged and any(prose(attempt.answer) for attempt in (left, right)):
            return False
        return self.key(left) != self.key(right) and self._values.contradict(left, right)

    async def same(self, left: Attempt, right: Attempt) -> bool:
        """True if either answer may stand for the other."""
        if self.key(left) == self.key(right):
            return True
        if _structured(left.answer) and _structured(right.answer):
            return False
        if _quoted_value(left.answer) != _quoted_value(right.answer):
            return False  # '12' is text that consists of digits, and no number
        if self._judged and any(prose(attempt.answer) for attempt in (left, right)):
            return await self._judged.same(left, right)
        return await self._values.same(left, right)


def prose(answer: str) -> bool:
    """True if an answer is sentences, and not a value."""
    return len(answer) > PROSE and wordy(answer) and not _structured(answer)


def _quoted_value(answer: str) -> bool:
    """True if the answer is a value in quotation marks, which make text of it; of words and letters they say nothing."""
    plain = answer.strip()
    return unquoted(plain) != plain and not isinstance(read(plain), Words | Choice)


def _structured(answer: str) -> bool:
    """True if the answer is a list, tuple, set, dictionary or quoted string of Python, and no formula."""
    plain = answer.strip()
    if not plain or plain[0] not in "[({'\"":
        return False
    try:
        value = literal(plain)
    except ValueError:
        return False
    if isinstance(value, str):
        return len(plain) > 2
    return not isinstance(value, int | float | complex) and isinstance(read(plain), Words)
