"""The same words: what is left when case, spaces, quotes and a full stop are set aside."""

from __future__ import annotations

import re
import unicodedata

from musespark.reasoning.attempt import Attempt

# Composing takes time quadratic in a run of combining marks, so that no piece may be long; words are composed each for itself.
_PIECE = re.compile(r"\s+|\S{1,500}")
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
    composed = (
        text
        if text.isascii()
        else "".join(unicodedata.normalize("NFKC", piece) for piece in _PIECE.findall(text))
    )
    plain = " ".join(composed.split()).strip(_AROUND)
    return plain.removesuffix(".").strip(_AROUND).casefold() or text.strip()
