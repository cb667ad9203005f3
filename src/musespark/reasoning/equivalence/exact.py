"""The same words: what is left when case, spaces, quotes and a full stop are set aside."""

from __future__ import annotations

import re
import unicodedata

from musespark.reasoning.attempt import Attempt

_SPACE = re.compile(r"\s+")
_AROUND = " \t\r\n*_`\"'“”‘’"


class Exact:
    """Answers of the same normalised text."""

    name = "exact"
    keyed = True

    def key(self, attempt: Attempt) -> str:
        return normalised(attempt.answer)

    async def same(self, left: Attempt, right: Attempt) -> bool:
        return self.key(left) == self.key(right)


def normalised(text: str) -> str:
    """The text in compatibility form and lower case, spaces as one, without quotes, emphasis and full stop around it."""
    plain = _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip(_AROUND)
    return plain.removesuffix(".").strip(_AROUND).casefold() or text.strip()
