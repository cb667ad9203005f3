"""The same number, however it is written."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction

from musespark.reasoning.attempt import Attempt
from musespark.reasoning.equivalence.exact import normalised

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?"
_SQUARE = r"(?:\^?[23]|[²³])?"
# Not what goes on ("3 or 4") and not what is multiplied ("2 pi", "5 x").
_WORD = r"(?:(?!(?:or|and|to|if|when|with|plus|minus|times|pi)\b)(?:[a-z°µ.]{2,}|[mgshl])(?:[ /]|(?![a-z]))){1,4}"
_NUMBER = re.compile(rf"(?P<sign>[-+−]?)\s*(?P<currency>[$€£¥]?)\s*(?P<sign2>[-+−]?)(?P<value>{_DIGITS})\.?"
                     r"(?:e(?P<e>[-+]?\d{1,3})|\s*(?:\*|×|x|\\times|\\cdot)\s*10\s*(?:\^|\*\*)\s*\{?(?P<ten>[-+−]?\d{1,3})\}?)?"
                     rf"(?:\s*/\s*(?P<below>{_DIGITS})|(?:\^|\*\*)\{{?(?P<power>\d{{1,2}})\}}?)?"
                     rf"(?:\s*(?P<unit>%|(?:k|c|m)(?:m|g|l)(?![a-z]){_SQUARE})|\s+(?P<word>{_WORD}{_SQUARE}))?\.?", re.IGNORECASE)
_FRACTION = re.compile(r"(?P<sign>[-−]?)\\[dt]?frac\{(?P<above>-?\d+)\}\{(?P<below>-?\d+)\}")
_TEX = re.compile(r"\\(?:text|mathrm|mbox)\{\s*([^{}]*)\}|\\[,;:! ]|\\left|\\right")
_CURRENCIES = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}
LONGEST = 80
"""Characters of the longest text that is read as one number."""


@dataclass(frozen=True, slots=True)
class Number:
    """A value and the unit it was written with; `""` where there was none."""

    value: Fraction
    unit: str = ""


def number(text: str) -> Number | None:
    """The number that the whole text is: 1,000 = 1000.0 = 1e3 = 10^3, also with a currency, a percent sign or a unit.

    None where the text is more than one number.
    """
    if len(text) > LONGEST or not any(map(str.isdigit, text)):
        return None
    plain = _TEX.sub(lambda found: f" {found[1]}" if found[1] else "", text).replace(r"\$", "$").replace(r"\%", "%")
    plain = plain.replace("{,}", ",").replace("\\(", "").replace("\\)", "").strip(" \t\n*_`'\"")
    if plain.startswith("$") and plain.endswith("$"):
        plain = plain.strip("$ ")
    if found := _FRACTION.fullmatch(plain):
        below = int(found["below"])
        return Number(_signed(Fraction(int(found["above"]), below), found["sign"])) if below else None
    found = _NUMBER.fullmatch(plain)
    if found is None or not found["value"]:
        return None
    value = _value(found)
    return None if value is None else Number(value, _unit(found["currency"], found["unit"] or found["word"] or ""))


def _value(found: re.Match[str]) -> Fraction | None:
    value = Fraction(found["value"].replace(",", ""))
    if exponent := found["e"] or found["ten"]:
        value *= Fraction(10) ** int(exponent.replace("−", "-"))
    if found["power"]:
        value **= int(found["power"])
    if found["below"]:
        below = Fraction(found["below"].replace(",", ""))
        if not below:
            return None
        value /= below
    return _signed(value, found["sign"] + found["sign2"])


def _signed(value: Fraction, sign: str) -> Fraction:
    return -value if "-" in sign or "−" in sign else value


def _unit(currency: str, unit: str) -> str:
    word = " ".join(unit.casefold().split()).rstrip(".").replace("²", "^2").replace("³", "^3")
    if word in ("%", "percent"):
        return "%"
    if currency or word.rstrip("s") in _CURRENCIES.values():
        return _CURRENCIES.get(currency) or word.rstrip("s")
    return word[:-1] if len(word) > 2 and word.endswith("s") else word


def same_number(left: Number, right: Number) -> bool:
    """Whether the values are equal and the units do not contradict each other.

    A number without a unit goes with any unit, for the question said which: 230 is 230 miles, 50 is 50% and so is 0.5. The
    price is that sameness is not transitive there (5 km, 5, 5 m); two units that differ stay apart.
    """
    if left.unit == right.unit:
        return left.value == right.value
    if left.unit and right.unit:
        return False
    if left.value == right.value:
        return True
    percent, bare = (left, right) if left.unit else (right, left)
    return percent.unit == "%" and percent.value == 100 * bare.value


class Numeric:
    """Answers that are the same number; what is no number is compared as exact text."""

    name = "numeric"
    keyed = False

    def key(self, attempt: Attempt) -> Hashable:
        return number(attempt.answer) or normalised(attempt.answer)

    async def same(self, left: Attempt, right: Attempt) -> bool:
        one, other = self.key(left), self.key(right)
        if isinstance(one, Number) and isinstance(other, Number):
            return same_number(one, other)
        return one == other
