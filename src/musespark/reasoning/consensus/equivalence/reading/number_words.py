"""Numbers in English words: seven, twenty-one, two thirds, three million, half a dozen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
        "nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
SCALES: Mapping[str, int] = {
    "hundred": 100,
    "thousand": 1000,
    "lakh": 10**5,
    "million": 10**6,
    "mn": 10**6,
    "mio": 10**6,
    "crore": 10**7,
    "billion": 10**9,
    "bn": 10**9,
    "trillion": 10**12,
    "tn": 10**12,
    "quadrillion": 10**15,
    "dozen": 12,
    "dozens": 12,
    "millions": 10**6,
    "billions": 10**9,
    "thousands": 1000,
    "hundreds": 100,
    "trillions": 10**12,
}
"""Words that multiply the number before them."""
BASES = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "twelve": 12,
    "sixteen": 16,
}
"""Words that name the base of a numeral."""
_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "eleventh": 11,
    "twelfth": 12,
    "thirteenth": 13,
    "fifteenth": 15,
    "sixteenth": 16,
    "twentieth": 20,
    "hundredth": 100,
    "thousandth": 1000,
}
_PARTS = {
    "half": 2,
    "halve": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "twelfth": 12,
    "sixteenth": 16,
    "hundredth": 100,
    "thousandth": 1000,
}
_FRACTION = re.compile(
    r"(?:(?P<whole>[a-z -]+) and )?(?P<above>a|an|one|[a-z]+)?[ -]?(?P<part>[a-z]+?)(?P<many>s|ves)?"
)
_SIGNED = re.compile(r"(?:minus|negative)\s+(?P<rest>.+)")


def spelled(text: str) -> Fraction | None:
    """The number that the words are; None if they are none, or more."""
    words = " ".join(text.lower().split())
    if signed := _SIGNED.fullmatch(words):
        value = spelled(signed["rest"])
        return None if value is None else -value
    whole = _whole(words)
    return Fraction(whole) if whole is not None else _fraction(words)


def ordinal(text: str) -> int | None:
    """The place that a word names: 3 for third."""
    return _ORDINALS.get(text.lower())


def _whole(words: str) -> int | None:
    parts = words.replace("-", " ").split()
    total, group, before = 0, 0, ""
    if not parts or parts[-1] == "and" or (parts[0] in ("and", *SCALES) and parts != ["zero"]):
        return None
    for place, word in enumerate(parts):
        if word in ("a", "an") and place + 1 < len(parts) and parts[place + 1] in SCALES:
            group = 1
        elif (
            word in _SMALL
            and before not in _SMALL
            and not (before in _TENS and not 0 < _SMALL[word] < 10)
        ):
            group += _SMALL[word]
        elif word in _TENS and before not in _SMALL and before not in _TENS:
            group += _TENS[word]
        elif word in ("hundred", "dozen") and group:
            group *= SCALES[word]
        elif word in SCALES and group and SCALES[word] >= 1000:
            total, group = total + group * SCALES[word], 0
        elif not (word == "and" and (before in SCALES)):
            return None
        before = word
    return total + group


def _fraction(words: str) -> Fraction | None:
    if words in ("half a dozen", "a half dozen"):
        return Fraction(6)
    if (found := re.fullmatch(r"half a (\w+)", words)) and found[1] in SCALES:
        return Fraction(SCALES[found[1]], 2)
    found = _FRACTION.fullmatch(words)
    if found is None or found["part"] not in _PARTS:
        return None
    if found["above"] is None and found["part"] not in ("half",):
        return None  # "third" is a place
    above = 1 if found["above"] in (None, "a", "an") else _whole(found["above"])
    whole = _whole(found["whole"]) if found["whole"] else 0
    return (
        None if above is None or whole is None else whole + Fraction(above, _PARTS[found["part"]])
    )
