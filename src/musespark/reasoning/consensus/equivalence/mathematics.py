r"""The same value: 1/2, 0.5 and \frac{1}{2}; x+1 and 1+x; 5 km and 5,000 m; (B) and B.

Both answers are read whole, or compared as words.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Coroutine, Hashable
from importlib.util import find_spec

from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence.comparison import Comparison
from musespark.reasoning.consensus.equivalence.prover import Prover, shared_prover
from musespark.reasoning.consensus.equivalence.reading.answer import Formula, Words
from musespark.reasoning.consensus.equivalence.reading.expectation import expectation_of
from musespark.reasoning.consensus.equivalence.reading.notation import LONGEST
from musespark.reasoning.consensus.equivalence.reading.reader import read
from musespark.reasoning.consensus.equivalence.reading.rounding import REPEATING
from musespark.reasoning.consensus.equivalence.reading.trees import Tree

TOTAL = 6.0
"""Seconds that all proofs about the answers to one question may take together; pairs that are left then count as different."""
# No function's name before its parenthesis, no command of TeX. Scripts that put no space between words: two letters are one.
_WORD = re.compile(r"[\u0400-\u1eff\u2c00-\u2dff\u3040-\ud7ff]{2}|(?<![\\\w{])[^\W\d_]{3,}+(?!\()")
_OPERATOR = re.compile(r"[+*^=<>≤≥±√∑∫]|[-/](?![^\W\d_]{2})|\\[a-zA-Z]+")
_ENOUGH = 10_000
"""Characters that show if a text is sentences."""
FEW = 4
"""Words that an expression may have beside its operators: "for all real numbers"."""


class Mathematics:
    """Answers of the same value, by what the question asks for; those that are no values are compared as text.

    One object serves one question: its proofs share `TOTAL` seconds.
    """

    name = "mathematics"
    keyed = False

    def __init__(
        self, prover: Prover | None = None, question: str = "", seconds: float = TOTAL
    ) -> None:
        """Without a prover the shared one is used, where SymPy is installed; without SymPy nothing but exact arithmetic proves.

        question: what was asked; seconds: for all proofs together.
        """
        self._prover = prover or (shared_prover() if find_spec("sympy") else None)
        self._expected = expectation_of(question)
        self._comparison = Comparison(self._proved, self._expected)
        self._left = seconds
        self._under_way = 0
        self._since = 0.0
        self._proofs: dict[tuple[Tree, Tree, str], bool] = {}
        self.undecided = 0
        """Comparisons that were neither proved nor refuted in time, or without SymPy; they count as different."""

    def key(self, attempt: Attempt) -> Hashable:
        """The value as it was read; a note beside it is no part of it."""
        return read(attempt.answer, self._expected.base)

    async def same(self, left: Attempt, right: Attempt) -> bool:
        """True if either answer may stand for the other."""
        return await self._comparison.same(
            read(left.answer, self._expected.base), read(right.answer, self._expected.base)
        )

    def formed(self, attempt: Attempt) -> bool:
        """True if the answer is as precise as was asked: exact, or with as many decimal places as the question says."""
        answer = read(attempt.answer, self._expected.base)
        decimal = answer.decimal if isinstance(answer, Formula) else None
        if (
            self._expected.rounded
            and self._expected.places is not None
            and self._expected.places > 0
        ):
            return decimal is not None and decimal.places == self._expected.places
        return self._expected.rounded or decimal is None or decimal.digits < REPEATING

    def contradict(self, left: Attempt, right: Attempt) -> bool:
        """True if the two differ without any proof: 5 km and 5 m, though a bare 5 may be either."""
        pair = (read(left.answer, self._expected.base), read(right.answer, self._expected.base))
        return not at_once(Comparison(_granted, self._expected).same(*pair))

    async def _proved(self, left: Tree, right: Tree, asked: str) -> bool:
        """True if a proof was found; each is asked for once."""
        left, right = sorted((left, right), key=repr)
        known = (left, right, asked)
        if known not in self._proofs:
            found = None if self._prover is None else await self._within_time(self._prover, *known)
            self._proofs.setdefault(known, bool(found))
            self.undecided += found is None
        return self._proofs[known]

    async def _within_time(
        self, prover: Prover, left: Tree, right: Tree, asked: str
    ) -> bool | None:
        """The prover's verdict; None if it says nothing within what is left of the time for this question."""
        await prover.start()
        if not self._under_way:
            self._since = time.monotonic()
        left_over = self._left - (time.monotonic() - self._since)
        if left_over <= 0:
            return None
        self._under_way += 1
        try:
            return await asyncio.wait_for(prover.prove(left, right, asked), left_over)
        except TimeoutError:
            return None
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._left -= time.monotonic() - self._since


async def _granted(left: Tree, right: Tree, asked: str) -> bool:
    """A proof that is not worth its time here."""
    return True


def at_once(comparing: Coroutine[None, None, bool]) -> bool:
    """The result of a comparison that waits for nothing."""
    try:
        comparing.send(None)
    except StopIteration as ended:
        return bool(ended.value)
    comparing.close()
    return True


def wordy(text: str) -> bool:
    """True if the text has several more words than operators: sentences, not an expression. The beginning of a long one tells."""
    start = text[:_ENOUGH]
    words, operators = len(_WORD.findall(start)), len(_OPERATOR.findall(start))
    return words - operators > FEW and (len(text) > LONGEST or isinstance(read(text), Words))
