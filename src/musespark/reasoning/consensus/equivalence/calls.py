"""The same tool calls: the same tools with the same arguments, in any order."""

from __future__ import annotations

from collections.abc import Hashable

from musespark.content import ToolCall
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence.exact import Exact
from musespark.reasoning.consensus.equivalence.protocols import (
    Contradictions,
    Equivalence,
    Forms,
    Limited,
)
from musespark.reasoning.consensus.equivalence.values import hashable


class Calls:
    """Attempts that call the same tools with the same arguments. Those that call none are compared otherwise."""

    name = "calls"

    def __init__(self, otherwise: Equivalence | None = None) -> None:
        self._otherwise = otherwise or Exact()

    @property
    def keyed(self) -> bool:
        return self._otherwise.keyed

    def key(self, attempt: Attempt) -> Hashable:
        if attempt.calls:
            return "calls", tuple(sorted((_key(call) for call in attempt.calls), key=repr))
        return self._otherwise.key(attempt)

    @property
    def undecided(self) -> int:
        """Comparisons of answers without calls that were given up."""
        return self._otherwise.undecided if isinstance(self._otherwise, Limited) else 0

    def formed(self, attempt: Attempt) -> bool:
        """True if the answer is in the form that was asked for; calls always are."""
        return (
            bool(attempt.calls)
            or not isinstance(self._otherwise, Forms)
            or self._otherwise.formed(attempt)
        )

    def contradict(self, left: Attempt, right: Attempt) -> bool:
        """True if the two call different things, or differ otherwise."""
        if left.calls or right.calls:
            return self.key(left) != self.key(right)
        return isinstance(self._otherwise, Contradictions) and self._otherwise.contradict(
            left, right
        )

    async def same(self, left: Attempt, right: Attempt) -> bool:
        if left.calls or right.calls:
            return self.key(left) == self.key(right)
        return await self._otherwise.same(left, right)


def _key(call: ToolCall) -> tuple[str, Hashable]:
    try:
        return call.name, hashable(call.parsed())
    except ValueError:
        return call.name, call.arguments.strip()
