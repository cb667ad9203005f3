"""Strict reading of a question's words: a closed set of phrasings, and nothing beside them.

A phrasing is matched from the first character to the last. What is left over, be it one word, makes a question unread: a verifier
then has nothing to say about it. `unknown_words` tells an unusual way to ask from a condition that a task does not know.
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
"""Words that change nothing about a task, wherever they stand."""
_WORD = re.compile(r"[^\W\d_]+")


def plain(text: str) -> str:
    """The text in lower case, white space of any kind made single spaces; no character is dropped."""
    return " ".join(text.translate(_QUOTES).casefold().split())


class Phrasings:
    """Ways to ask for one thing. `{name}` in a phrasing stands for a slot."""

    def __init__(
        self, phrasings: Iterable[str], slots: Mapping[str, str] | None = None, telling: Iterable[str] = ()
    ) -> None:
        """slots: a regular expression without groups of its own for each slot's text; telling: words that may turn the meaning of a
        question round where it is no phrasing, although phrasings have them."""
        phrasings = tuple(phrasings)
        self._slots = dict(slots or {})
        self._forms = [re.compile(_BEFORE + self._form(phrasing) + _AFTER) for phrasing in dict.fromkeys(map(_bare, phrasings))]
        texts = (re.sub(r"\{\w+\}", " ", phrasing) for phrasing in map(_bare, phrasings))
        self.words = (frozenset(word for text in texts for word in _WORD.findall(text)) | _COURTESY) - frozenset(telling)
        """Words that change nothing: courtesies, and those of the phrasings but the telling ones."""

    def read(self, question: str) -> dict[str, str] | None:
        """Values of the slots; None where the question is not, as a whole, one of the phrasings."""
        text = plain(question)
        return next((found.groupdict() for form in self._forms if (found := form.fullmatch(text))), None)

    def unknown_words(self, question: str) -> list[str]:
        """The words of an unread question that may be a condition, in their order."""
        return list(dict.fromkeys(word for word in _WORD.findall(plain(question)) if word not in self.words))

    def _form(self, phrasing: str) -> str:
        pieces = re.split(r"\{(\w+)\}", phrasing)
        texts, names = pieces[::2], pieces[1::2]
        slots = [f"(?P<{name}>{self._slots[name]})" for name in names] + [""]
        return "".join(re.escape(text) + slot for text, slot in zip(texts, slots, strict=True))


def _bare(phrasing: str) -> str:
    """A phrasing without the marks at its end, which a question may have or not."""
    return plain(phrasing).rstrip(".?!:")


def unread(words: list[str]) -> str:
    """Why a question with such words cannot be answered, as a clause."""
    named = ", ".join(f'"{word}"' for word in words[:4]) + (" and more" if len(words) > 4 else "")
    return f"I do not understand {named} in it, which may be a condition"
