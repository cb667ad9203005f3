"""The same number, however it is written; what is no number is compared as text."""

from __future__ import annotations

from collections.abc import Hashable

from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence.comparison import Comparison
from musespark.reasoning.consensus.equivalence.exact import normalised
from musespark.reasoning.consensus.equivalence.mathematics import at_once
from musespark.reasoning.consensus.equivalence.reading.answer import Formula
from musespark.reasoning.consensus.equivalence.reading.expectation import expectation_of
from musespark.reasoning.consensus.equivalence.reading.reader import read
from musespark.reasoning.consensus.equivalence.reading.trees import Tree, symbols


class Numeric:
    """Answers that are the same number, with units that convert into each other and none that contradict."""

    name = "numeric"
    keyed = False

    def __init__(self, question: str = "") -> None:
        """question: what was asked; it may ask for a rounded number."""
        self._expected = expectation_of(question)
        self._comparison = Comparison(_nothing, self._expected)

    def key(self, attempt: Attempt) -> Hashable:
        """The number as it was read, or the words."""
        answer = read(attempt.answer, self._expected.base)
        return (
            answer
            if isinstance(answer, Formula) and not symbols(answer.tree)
            else normalised(attempt.answer)
        )

    def contradict(self, left: Attempt, right: Attempt) -> bool:
        """True if the two differ; numbers need no proof."""
        one, other = self.key(left), self.key(right)
        if isinstance(one, Formula) and isinstance(other, Formula):
            return not at_once(self._comparison.same(one, other))
        return one != other

    async def same(self, left: Attempt, right: Attempt) -> bool:
        """True if the values are equal and the units do not contradict each other.

        A number without a unit goes with any unit, for the question said which: 230 is 230 miles, 50 is 50% and so is 0.5. The
        price is that sameness is not transitive there (5 km, 5, 5 m); two units that differ stay apart.
        """
        one, other = self.key(left), self.key(right)
        if isinstance(one, Formula) and isinstance(other, Formula):
            return await self._comparison.same(one, other)
        return one == other


async def _nothing(left: Tree, right: Tree, asked: str) -> bool:
    """No proof: numbers are compared by exact arithmetic."""
    return False
