"""The same JSON value: however it is spaced, and whatever the order of its fields."""

from __future__ import annotations

from collections.abc import Hashable

from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence.exact import normalised
from musespark.reasoning.consensus.equivalence.values import hashable, parsed


class JsonValues:
    """Replies that are the same JSON value; a reply that is none is compared as text."""

    name = "json"
    keyed = True

    def key(self, attempt: Attempt) -> Hashable:
        for text in (attempt.text, attempt.answer):
            try:
                return hashable(parsed(text))
            except ValueError:
                continue
        return normalised(attempt.answer)

    async def same(self, left: Attempt, right: Attempt) -> bool:
        return self.key(left) == self.key(right)

    def formed(self, attempt: Attempt) -> bool:
        """True if the whole reply is JSON."""
        try:
            parsed(attempt.text)
        except ValueError:
            return False
        return True
