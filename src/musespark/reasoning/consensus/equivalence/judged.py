"""The same meaning, as a model judges it: for answers in prose."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable

from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence.exact import normalised

Judge = Callable[[str, str], Awaitable[bool]]
"""Asks a model whether two answers say the same."""


class JudgedEquivalence:
    """Answers that the judge calls the same. A pair is asked about once, whichever comes first and however many ask
    at a time: a verdict holds both ways."""

    name = "judged"
    keyed = False

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._keys: dict[str, str] = {}
        """Normalised text of each answer: comparing long answers would otherwise normalise them again for every pair."""
        self._verdicts: dict[frozenset[str], bool] = {}
        self._asking: defaultdict[frozenset[str], asyncio.Lock] = defaultdict(asyncio.Lock)

    def key(self, attempt: Attempt) -> Hashable:
        return self._normalised(attempt.answer)

    async def same(self, left: Attempt, right: Attempt) -> bool:
        pair = frozenset((self._normalised(left.answer), self._normalised(right.answer)))
        if len(pair) == 1:
            return True
        async with self._asking[pair]:
            if pair not in self._verdicts:
                # Shown in one order, so that the verdict does not depend on who came first.
                first, second = sorted((left.text, right.text))
                self._verdicts[pair] = await self._judge(first, second)
        return self._verdicts[pair]

    def _normalised(self, answer: str) -> str:
        if answer not in self._keys:
            self._keys[answer] = normalised(answer)
        return self._keys[answer]
