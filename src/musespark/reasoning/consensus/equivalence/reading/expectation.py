"""The form of answer that a question asks for, as far as it decides when two answers are the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from musespark.reasoning.consensus.equivalence.reading.number_words import BASES

_COUNTS = {
    word: number
    for number, word in enumerate("zero one two three four five six seven eight nine ten".split())
}
_NEAREST = {
    "tenth": 1,
    "hundredth": 2,
    "thousandth": 3,
    "cent": 2,
    "penny": 2,
    "percent": 0,
    "ten": -1,
    "hundred": -2,
    "thousand": -3,
}
_ROUNDED = re.compile(
    r"\bround(?:ed|ing)?\b|\bnearest\b|\bdecimal (?:places?|form|approximation|number|value)\b|\bas a decimal\b|"
    r"\bsignificant (?:figures|digits)\b|\bapproximate(?:ly)?\b|\bestimate\b|\bcorrect to\b",
    re.IGNORECASE,
)
_PLACES = re.compile(
    r"(\d+|one|two|three|four|five|six|seven|eight|nine|ten)[ -](?:decimal|digits? after|places?\b)",
    re.IGNORECASE,
)
_TO_NEAREST = re.compile(r"nearest (?:whole )?(\w+)", re.IGNORECASE)
_ORDERED = re.compile(
    r"\b(?:in|what|which|correct|right|ascending|descending|increasing|decreasing|chronological|"
    r"alphabetical) order\b|"
    r"\b(?:sort|sorted|arrange|rank|order) (?:the|these|them|from|by|in)\b|\bsequence\b|\bordered (?:pair|"
    r"triple|list)\b|"
    r"\brespectively\b|\bfrom (?:least|smallest|largest|greatest|lowest|highest)\b",
    re.IGNORECASE,
)
_BASE = re.compile(
    r"\b(?:in|to|into|as an?|your|with)(?: the)?(?: answer in)? base[- ]?\$?(\d+|\w+)",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"\bpercent(?:age)?s?\b|\bper cent\b|%", re.IGNORECASE)
_OPTION = re.compile(
    r"(?:^|\n|(?<=\s))\(?(?P<letter>[A-J])[).:]\s+(?P<text>[^\n]+?)(?=\s+\(?[A-J][).:]\s|\n|$)"
)


@dataclass(frozen=True)
class Expectation:
    """Form that a question asks its answer to have. A question that says nothing leaves everything as it is."""

    rounded: bool = False
    """True if it asks for a decimal or a rounded number."""
    places: int | None = None
    """Digits behind the point that it asks for; negative to the left of it."""
    ordered: bool = False
    """True if the order of several answers counts."""
    base: int | None = None
    """The base that numbers are to be written in, unless ten."""
    percent: bool = False
    """True if it speaks of percent."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Texts of a multiple choice by letter."""


NOTHING = Expectation()


@lru_cache(256)
def expectation_of(question: str) -> Expectation:
    """Form that the question asks for."""
    question = question[-20_000:]
    rounded = _ROUNDED.search(question) is not None
    options = {found["letter"]: found["text"].strip() for found in _OPTION.finditer(question)}
    listed = len(options) > 1 and sorted(options) == [
        chr(ord("A") + place) for place in range(len(options))
    ]
    bases = [
        int(name) if name.isdigit() else BASES.get(name.lower(), 10)
        for name in _BASE.findall(question)
    ]
    return Expectation(
        rounded,
        _places(question) if rounded else None,
        _ORDERED.search(question) is not None,
        bases[-1] if bases and 2 <= bases[-1] <= 36 and bases[-1] != 10 else None,
        _PERCENT.search(question) is not None,
        options if listed else {},
    )


def _places(question: str) -> int | None:
    if found := _PLACES.search(question):
        return int(found[1]) if found[1].isdigit() else _COUNTS[found[1].lower()]
    if found := _TO_NEAREST.search(question):
        return _NEAREST.get(found[1].lower().rstrip("s"), 0)
    return None
