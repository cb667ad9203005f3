"""Strict reading of a question's words: a closed set of phrasings, matched from the first character to the last.

If anything is left over, be it one word, the question counts as unread, and a verifier has no verdict on it. `unknown_words`
distinguishes an unusual phrasing from a condition that a task does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " "})
_BEFORE = r"(?:(?:hi|hello|hey)[,!]? )?(?:please,? )?"
_AFTER = r"(?:,? please)?[.?!:]*(?: (?:please|thanks|thank you|many thanks)[.!]*)?"
_COURTESY = frozenset(
    "a am an and are be can could dear do does for from give hello help here hey hi i in is it its let me my of on our out please "
    "s tell thank thanks that the there these this those to us want we what which with would you your".split()
)
"""Words that never change the meaning of a question."""
_WORD = re.compile(r"[^\W\d_]+")


def normalise(text: str) -> str:
    """Normalise text: lower case, single spaces for any white space; no character is dropped."""
    return " ".join(text.translate(_QUOTES).casefold().split())


class Phrasings:
    """Ways to ask for the same thing. `{name}` in a phrasing stands for a slot."""

    def __init__(
        self,
        phrasings: Iterable[str],
        slots: Mapping[str, str] | None = None,
        meaningful: Iterable[str] = (),
    ) -> None:
        """slots: a regular expression without groups for the text of each slot; meaningful: words of the phrasings that may
        change the meaning of a question that is not one of them.
        """
        phrasings = tuple(phrasings)
        self._slots = dict(slots or {})
        self._forms = [
            re.compile(_BEFORE + self._form(phrasing) + _AFTER)
            for phrasing in dict.fromkeys(map(_bare, phrasings))
        ]
        texts = (re.sub(r"\{\w+\}", " ", phrasing) for phrasing in map(_bare, phrasings))
        self.words = (
            frozenset(word for text in texts for word in _WORD.findall(text)) | _COURTESY
        ) - frozenset(meaningful)
        """Words that cannot be a condition: courtesies, and the words of the phrasings except the meaningful ones."""

    def read(self, question: str) -> dict[str, str] | None:
        """Return the values of the slots; None unless the whole question is one of the phrasings."""
        text = normalise(question)
        return next(
            (found.groupdict() for form in self._forms if (found := form.fullmatch(text))), None
        )

    def unknown_words(self, question: str) -> list[str]:
        """Return the words of an unread question that may be a condition, in their order."""
        return list(
            dict.fromkeys(
                word for word in _WORD.findall(normalise(question)) if word not in self.words
            )
        )

    def _form(self, phrasing: str) -> str:
        pieces = re.split(r"\{(\w+)\}", phrasing)
        texts, names = pieces[::2], pieces[1::2]
        slots = [f"(?P<{name}>{self._slots[name]})" for name in names] + [""]
        return "".join(re.escape(text) + slot for text, slot in zip(texts, slots, strict=True))


def _bare(phrasing: str) -> str:
    """Strip the punctuation at the end of a phrasing, which is optional."""
    return normalise(phrasing).rstrip(".?!:")


def unread_reason(words: list[str]) -> str:
    """Return the reason why a question with such words cannot be answered, as a clause."""
    named = ", ".join(f'"{word}"' for word in words[:4]) + (" and more" if len(words) > 4 else "")
    return f"I do not understand {named} in it, which may be a condition"
