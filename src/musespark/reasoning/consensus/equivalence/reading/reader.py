"""Reads a whole answer as one typed value; what cannot be read whole is words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from functools import lru_cache

from musespark.reasoning.consensus.equivalence.exact import normalised
from musespark.reasoning.consensus.equivalence.reading.answer import (
    Answer,
    Bound,
    Choice,
    Formula,
    Moment,
    Words,
)
from musespark.reasoning.consensus.equivalence.reading.atoms import FUNCTIONS
from musespark.reasoning.consensus.equivalence.reading.choices import choice
from musespark.reasoning.consensus.equivalence.reading.dates import moment
from musespark.reasoning.consensus.equivalence.reading.notation import LONGEST, plain
from musespark.reasoning.consensus.equivalence.reading.number_words import SCALES, spelled
from musespark.reasoning.consensus.equivalence.reading.quantities import formula, quantity
from musespark.reasoning.consensus.equivalence.reading.trees import Tree, number

_HEDGE = re.compile(
    r"(?:about|approximately|approx\.?|around|roughly|nearly|almost|circa|ca\.|exactly|precisely|only|just|"
    r"simply|a total of|"
    r"in total|it is|it's|this is|that is|it equals|equals|equal to|is|therefore|thus|hence|so|\\approx|\\sim|"
    r"≈|~|=|:)[\s,:]*(?=\S)",
    re.IGNORECASE,
)
_OPINION = re.compile(
    r"(?:(?:probably|likely|most likely|maybe|perhaps|possibly|definitely|certainly|i think|i believe|it is|"
    r"it's|this is)"
    r"(?: that)?(?: it is| it's)?|the|an?)[\s,:]+(?=\S)",
    re.IGNORECASE,
)
_PLACED = re.compile(r"(?:in|on|at)\s+(?=\S)", re.IGNORECASE)
_TRAILING = re.compile(
    r"(?:\s*,\s*|\s+)(?:approximately|approx\.?|roughly|or so|each|apiece|in total|total|altogether|overall|exactly|in "
    r"all|all together|"
    r"only|\(?rounded\)?)$|(?<=\w)\s?(?:です|である|だ|입니다|이다|이에요|예요)$",
    re.IGNORECASE,
)
_NOTE = re.compile(r"(?P<main>.*\S)\s+[(\[](?P<note>[^()\[\]]*)[)\]]")
_TWICE = re.compile(r"(?P<value>\d\S*)\s+\((?P<words>[a-z -]+)\)(?P<rest>\s.*)?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")
_LONGEST_NOTE = 6
"""Words of the longest remark in brackets that explains an answer in words and does not change it."""
_HYPHEN = re.compile(r"-(?<=[^\W\d_]{2}-)(?=[^\W\d_]{2})")
"""Hyphens between words: ice-cream is ice cream."""
_DOT_OF_INITIALS = re.compile(r"\.(?<=\b[^\W\d_]\.)(?=[^\W\d_](?:\b|\.))")
"""Dots that abbreviations have and their plain forms have not: U.S.A."""
_CONDITION = re.compile(
    r"\b(?:not|no|if|but|except|unless|only|when|mod|base|excluding|without|plus|minus|or|and)\b",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"(?:approx(?:\.|imately)?|rounded.*|exact(?:ly)?|about|in total|total|simplified|or)",
    re.IGNORECASE,
)
_NAMED: dict[str, Tree] = {
    **dict.fromkeys(
        (
            "all real numbers",
            "all reals",
            "every real number",
            "any real number",
            "all real values",
            "r",
        ),
        ("sym", "R"),
    ),
    **dict.fromkeys(
        (
            "no solution",
            "no solutions",
            "no real solution",
            "no real solutions",
            "the empty set",
            "empty set",
        ),
        ("set", ()),
    ),
}
_SAME_WORDS = {
    **dict.fromkeys(("usa", "us", "united states of america", "u.s", "u.s.a"), "united states"),
    **dict.fromkeys(("uk", "u.k"), "united kingdom"),
    "dne": "does not exist",
    "the limit does not exist": "does not exist",
    "it does not exist": "does not exist",
}
SENTENCE = 12
"""Spaces from which on a text without a digit or a relation is a sentence, and not worth being read as a value."""
LAYERS = 3
"""Hedges around a value that are looked under."""
_ERAS = {"bc": " bc", "bce": " bc", "ad": " ad", "ce": " ad"}
_QUOTES = {"'": "'", '"': '"', "“": "”", "‘": "’", "«": "»", "「": "」"}


@lru_cache(4096)
def read(text: str, base: int | None = None) -> Answer:
    """The value that the text is. base: a question asked for numbers of that base, so that its index says nothing."""
    stripped = text.strip()
    if len(stripped) > LONGEST:
        return _words(stripped)
    stripped = unquoted(stripped)
    if stripped.count(" ") >= SENTENCE and not re.search(r"[\d\\=<>]", stripped):
        return _words(stripped)
    try:
        return _read(plain(stripped), base) or _words(stripped)
    except (RecursionError, OverflowError):
        return _words(stripped)


def unquoted(text: str) -> str:
    """The text without the quotation marks around the whole of it."""
    whole = len(text) > 2 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]
    return text[1:-1].strip() if whole else text


def _read(text: str, base: int | None, layers: int = LAYERS) -> Answer | None:
    """The value under a few layers of hedges; None if there is none."""
    if base is not None and (
        told := re.fullmatch(rf"(-?[0-9A-Za-z]+)\s*_\s*\{{?\s*{base}\s*\}}?", text)
    ):
        text = told[1]  # the question has said so already: 2516_8 is 2516
    found = _value(text)
    if found is not None or not layers:
        return found
    if (shorter := _TRAILING.sub("", text)) != text and not isinstance(
        inner := _read(shorter, base, layers - 1), Words | None
    ):
        return inner
    if (hedge := _HEDGE.match(text)) and not isinstance(
        inner := _read(text[hedge.end() :], base, layers - 1), Words | None
    ):
        return inner
    placed = _PLACED.match(text)
    if placed and (
        isinstance(inner := _read(text[placed.end() :], base, layers - 1), Moment)
        or _is_year(inner)
    ):
        return inner
    if (opinion := _OPINION.match(text)) and len(text) > opinion.end():
        return _read(text[opinion.end() :], base, layers - 1) or _words(text[opinion.end() :])
    return None


def _is_year(answer: Answer | None) -> bool:
    return (
        isinstance(answer, Formula)
        and answer.unit is None
        and answer.tree[0] == "num"
        and 1000 <= answer.tree[1] <= 2100
    )


def _value(text: str) -> Answer | None:
    """The value that the text is without any words around it."""
    named = _NAMED.get(text.lower())
    if named is not None and len(text) > 1:
        return Formula(named)
    found: Answer | None = choice(text) or moment(text) or quantity(text)
    if found is not None:
        return found
    if (twice := _TWICE.fullmatch(text)) and (said := spelled(twice["words"])) is not None:
        again = quantity(f"{twice['value']} {twice['rest'] or ''}".strip())
        return (
            again if quantity(twice["value"]) == Formula(number(said)) else Words(normalised(text))
        )
    noted = _NOTE.fullmatch(text)
    if noted and "\\" in noted["note"] and (whole := formula(text)) is not None:
        return whole
    if (
        noted
        and _WORD.search(noted["note"])
        and not any(word in FUNCTIONS for word in _WORD.findall(noted["note"]))
    ):
        return _noted(text, noted["main"], noted["note"].strip()) or formula(text)
    if (
        noted
        and (main := quantity(noted["main"])) is not None
        and (aside := quantity(noted["note"].lstrip("=≈~ "))) is not None
    ):
        return _agreeing(main, aside) or formula(text)
    named_quantity = re.fullmatch(
        r"(?P<name>[A-Za-z](?:_?\w)?|[A-Z]{2,3})\s*(?:=|\\approx)\s*(?P<rest>.+)", text
    )
    if (
        named_quantity
        and isinstance(value := quantity(named_quantity["rest"]), Formula)
        and value.unit is not None
    ):
        return replace(value, note=f"{named_quantity['name']} =")
    return formula(text)


def _noted(text: str, main: str, note: str) -> Answer | None:
    """An answer with words in brackets behind it: they are its unit, say it again, or are a note; None if they change it."""
    if re.search(r"\b(?:mod|base)\b", note):
        return None
    value = _read(main, None)
    remark = _REMARK.match(note)
    aside = _read(re.sub(r"^(?:or|i\.e\.,?|approximately|approx\.?|about|=|≈)\s+", "", note), None)
    if isinstance(value, Formula):
        if isinstance(aside, Formula) and aside.tree[0] == "num" and not aside.unit:
            return _agreeing(value, aside)
        with_unit = quantity(f"{main} {note}")
        if with_unit is not None:
            return with_unit
        if remark and remark.end() == len(note):
            return value
        if _CONDITION.search(note) or any(word in SCALES for word in note.lower().split()):
            return Words(normalised(text))
        return replace(value, note=normalised(note))
    if isinstance(value, Bound | Choice):
        return Words(normalised(text))
    if value is None and (_CONDITION.search(note) or len(note.split()) > _LONGEST_NOTE):
        return Words(normalised(text))
    words = value or _words(main)
    return replace(words, note=normalised(note)) if isinstance(words, Words) else None


def _agreeing(value: Answer, aside: Answer) -> Answer | None:
    """The value, where what stands behind it in brackets says the same; None if that is another."""
    if not (isinstance(value, Formula) and isinstance(aside, Formula)):
        return None
    from musespark.reasoning.consensus.equivalence.reading.rounding import is_rounding

    if value.tree == aside.tree:
        return value
    one, other = (value, aside) if value.decimal else (aside, value)
    if (
        one.decimal
        and one.tree[0] == "num"
        and is_rounding(one.tree[1], one.decimal.places, other.tree)
    ):
        return other
    return Words(f"{value.tree} or {aside.tree}")


def _words(text: str) -> Words:
    """The text, normalised; layout of TeX and spaces within it do not count."""
    if len(text) <= LONGEST:
        text = plain(text) or text
        if "\\" in text:
            return Words("\\" + re.sub(r"\s+", "", text))
        text = re.sub(r"(?<=[A-Za-z)])_\{?(\w+)\}?", r"\1", text)  # CO_2 is CO2
    words = _DOT_OF_INITIALS.sub("", normalised(_unaccented(text)))
    words = _HYPHEN.sub(" ", words)
    # Answers may be long: a search that begins anywhere is made only if it can find something.
    if "-" in words:
        words = re.sub(r"-(?<=[^\W\d_]{2}-)(?=[^\W\d_]{2})", " ", words)  # ice-cream
    if "cent" in words:
        words = re.sub(r"(?<=\d)\s*per ?cent\b", "%", words)
    if "–" in words or "—" in words:
        words = re.sub(r"\s*[–—]\s*", "-", words)
    if words.endswith(tuple(_ERAS)):
        words = re.sub(r"(?<=\d)\s*(bc|ad|bce|ce)$", lambda found: _ERAS[found[1]], words)
    words = re.sub(r"^(?:the|an?)\s+(?=\S)", "", words.rstrip(" .!。")) or words
    return Words(_SAME_WORDS.get(words, words))


def _unaccented(text: str) -> str:
    """A name without the accents of its Latin letters, which many leave out: Bogotá is Bogota. Other words keep them."""
    if not text[:1].isupper() or text.count(" ") >= SENTENCE:
        return text
    letters = unicodedata.normalize("NFD", text[:LONGEST])
    kept = [
        sign
        for at, sign in enumerate(letters)
        if not (unicodedata.combining(sign) and at and letters[at - 1] < "\u0250")
    ]
    return unicodedata.normalize("NFC", "".join(kept)) + text[LONGEST:]


def is_value(answer: Answer) -> bool:
    """True if the answer was read as more than words."""
    return not isinstance(answer, Words)
