"""Sameness by what the answers look like: values, Python values, prose, words."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

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
        self._known: dict[str, _Traits] = {}
        """Traits of each answer, worked out once: answers may be long, and every pair is compared."""

    @property
    def undecided(self) -> int:
        """Comparisons that were neither proved nor refuted in time; they count as different."""
        return self._values.undecided

    def key(self, attempt: Attempt) -> Hashable:
        """The Python value of an answer that is one, else its value as it was read."""
        return self._traits(attempt).key

    def formed(self, attempt: Attempt) -> bool:
        """True if the answer is as precise as was asked."""
        return self._values.formed(attempt)

    def contradict(self, left: Attempt, right: Attempt) -> bool:
        """True if the two differ without any proof; of prose only a judge can say."""
        one, other = self._traits(left), self._traits(right)
        if self._judged and (one.is_prose or other.is_prose):
            return False
        return one.key != other.key and self._values.contradict(left, right)

    async def same(self, left: Attempt, right: Attempt) -> bool:
        """True if either answer may stand for the other."""
        one, other = self._traits(left), self._traits(right)
        if one.key == other.key:
            return True
        if one.is_structured and other.is_structured:
            return False
        if one.is_quoted_value != other.is_quoted_value:
            return False  # '12' is text that consists of digits, and no number
        if self._judged and (one.is_prose or other.is_prose):
            return await self._judged.same(left, right)
        return await self._values.same(left, right)

    def _traits(self, attempt: Attempt) -> _Traits:
        answer = attempt.answer
        if answer not in self._known:
            is_structured = _structured(answer)
            self._known[answer] = _Traits(
                literal_key(answer) if is_structured else self._values.key(attempt),
                is_structured,
                _quoted_value(answer),
                self._judged is not None and prose(answer),
            )
        return self._known[answer]


@dataclass(frozen=True, slots=True)
class _Traits:
    """Kind of an answer, and its key."""

    key: Hashable
    is_structured: bool
    is_quoted_value: bool
    is_prose: bool
    """False without a judge, because only a judge compares prose otherwise."""


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
