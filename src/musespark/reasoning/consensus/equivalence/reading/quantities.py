"""Quantities: a number in digits or words, with a scale, a currency and a unit; in several units; with a bound."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from musespark.reasoning.consensus.equivalence.reading.answer import Bound, Decimal, Formula
from musespark.reasoning.consensus.equivalence.reading.atoms import in_base
from musespark.reasoning.consensus.equivalence.reading.number_words import SCALES, ordinal, spelled
from musespark.reasoning.consensus.equivalence.reading.syntax import parse
from musespark.reasoning.consensus.equivalence.reading.trees import (
    Tree,
    canonical,
    number,
    symbols,
)
from musespark.reasoning.consensus.equivalence.reading.units import CURRENCIES, TABLE, Unit, unit_of
from musespark.reasoning.consensus.equivalence.reading.unreadable import Unreadable

_NUMERAL = re.compile(r"\d[\d,.' _]*\d|\d\.?|\.\d+")
_EXPONENT = r"(?:[eE][-+]?\d{1,3}|\s*(?:\\times|\\cdot|\*|x)\s*10\s*(?:\^|\*\*)\s*(?:\{\s*[-+]?\d{1,3}\s*\}|[-+]?\d{1,3}))?"
_SIGN = r"(?P<sign>[-+]?|minus |negative )\s*"
_CURRENCY = r"(?P<currency>US\$|[$€£¥₹])?\s*(?P<inner>[-+]?)"
# The number is as much as `parse` reads; what follows it are words.
_QUANTITY = re.compile(
    _SIGN
    + _CURRENCY
    + r"(?P<value>(?:[\d.,' _]*\d\.?(?:\\overline\{\d+\}|\(\d+\))?)"
    + _EXPONENT
    + r"(?:\s*\\frac\{\d+\}\{\d+\}| \d+/\d+|\s*/\s*\d+)?)(?P<rest>.*)",
    re.DOTALL,
)
_LETTERED = re.compile(
    r"(?P<sign>(?:minus |negative )?)(?P<words>[a-z]+(?:[ -][a-z]+){0,9})", re.IGNORECASE
)
_BEFORE: Mapping[str, str] = {
    "greater than or equal to": ">=",
    "less than or equal to": "<=",
    "not exceeding": "<=",
    "more than or equal to": ">=",
    "at least": ">=",
    "no less than": ">=",
    "not less than": ">=",
    "no fewer than": ">=",
    "a minimum of": ">=",
    "minimum": ">=",
    "at most": "<=",
    "no more than": "<=",
    "not more than": "<=",
    "up to": "<=",
    "a maximum of": "<=",
    "maximum": "<=",
    "more than": ">",
    "greater than": ">",
    "over": ">",
    "above": ">",
    "larger than": ">",
    "exceeding": ">",
    "after": ">",
    "less than": "<",
    "fewer than": "<",
    "under": "<",
    "below": "<",
    "smaller than": "<",
    "before": "<",
}
_AFTER: Mapping[str, str] = {
    "or more": ">=",
    "or greater": ">=",
    "or higher": ">=",
    "or above": ">=",
    "or over": ">=",
    "and above": ">=",
    "and over": ">=",
    "and up": ">=",
    "or larger": ">=",
    "or older": ">=",
    "or later": ">=",
    "at least": ">=",
    "minimum": ">=",
    "or longer": ">=",
    "and more": ">=",
    "or less": "<=",
    "or fewer": "<=",
    "or lower": "<=",
    "or below": "<=",
    "or under": "<=",
    "and below": "<=",
    "and under": "<=",
    "or smaller": "<=",
    "or younger": "<=",
    "or earlier": "<=",
    "at most": "<=",
    "maximum": "<=",
    "or shorter": "<=",
    "and less": "<=",
}
_BOUND_BEFORE = re.compile(
    rf"(?P<word>{'|'.join(sorted(_BEFORE, key=len, reverse=True))})\s+(?P<rest>.+)", re.IGNORECASE
)
_BOUND_AFTER = re.compile(
    rf"(?P<value>.*\d\S*)\s+(?P<unit>[^\d]*?)\(?(?P<word"
    rf">{'|'.join(sorted(_AFTER, key=len, reverse=True))})\)?",
    re.IGNORECASE,
)
_BASED = (
    re.compile(r"(?P<digits>[0-9A-Za-z]+)\s*_\s*\{?\s*(?P<base>\d+)\s*\}?"),
    re.compile(r"(?P<digits>[0-9A-Fa-f]+)\s*[,(]?\s*(?:\(|in )?\s*base[- ](?P<base>\d+)\s*\)?"),
)
_LITERALS: Mapping[str, int] = {"0x": 16, "0b": 2, "0o": 8}
_LETTER_SCALES: Mapping[str, int] = {
    "k": 1000,
    "K": 1000,
    "M": 10**6,
    "m": 10**6,
    "mm": 10**6,
    "MM": 10**6,
    "B": 10**9,
    "b": 10**9,
    "T": 10**12,
}
_PART_OF = re.compile(
    r"(?P<amount>half an?|a quarter of an|an?)\s+(?P<unit>[a-z]+)(?P<more> and a half)?",
    re.IGNORECASE,
)
_CODED = re.compile(r"(?P<code>USD|EUR|GBP|JPY|INR|CNY)\s?(?P<rest>[-\d].*)")
_FEET = re.compile(r"(?P<feet>\d+)'\s?(?P<inches>\d+(?:\.\d+)?)(?:\"|'')")
_WORDS = re.compile(r"[^\W\d_]+(?:[-/' ]+[^\W\d_]+)*")
_CONSTANT = frozenset({"pi", "inf", "infinity", "Infinity", "oo"})
_PART = re.compile(
    r"\s*(?:,|and|&)?\s*(?P<value>\d[\d,]*(?:\.\d+)?)\s*(?P<unit>[^\d,&]+?)(?=\s*(?:,|and\b|&|\d|$))"
)


def quantity(text: str) -> Formula | Bound | None:
    """The quantity that the whole text is, in the notation of `notation.plain`; None if it is none."""
    if (bound := _bounded(text)) is not None:
        return bound
    if code := _CODED.fullmatch(text):
        text = f"{code['rest']} {code['code']}"
    if feet := _FEET.fullmatch(text):
        text = f"{feet['feet']} ft {feet['inches']} in"
    return _based(text) or _number(text) or _several(text) or _spelled(text) or _measured(text)


def _bounded(text: str) -> Bound | None:
    if sign := re.match(r"(>=|<=|>|<|\\geq?\b|\\leq?\b|\\gt\b|\\lt\b)\s*(?=\S)", text):
        inner, relation = (
            quantity(text[sign.end() :]),
            {"g": ">", "l": "<"}.get(sign[1][1:2], sign[1]),
        )
        relation += "=" if sign[1][1:3] in ("ge", "le") else ""
    elif before := _BOUND_BEFORE.fullmatch(text):
        inner, relation = quantity(before["rest"]), _BEFORE[before["word"].lower()]
    elif after := _BOUND_AFTER.fullmatch(text):
        inner, relation = (
            quantity(f"{after['value']} {after['unit']}".strip()),
            _AFTER[after["word"].lower()],
        )
    else:
        plus = re.fullmatch(r"(?P<value>\d[\d,.]*)\s*\+", text)
        inner, relation = (quantity(plus["value"]), ">=") if plus else (None, "")
    return Bound(relation, inner) if isinstance(inner, Formula) else None


def _based(text: str) -> Formula | None:
    """A number in another base: 1F_16, 1010 base 2, 0x1f."""
    literal = re.fullmatch(r"(0[xbo])([0-9a-fA-F]+)", text)
    found = next((match for pattern in _BASED if (match := pattern.fullmatch(text))), None)
    try:
        if literal:
            return Formula(number(in_base(literal[2], _LITERALS[literal[1]])))
        return (
            Formula(number(in_base(found["digits"], int(found["base"]))))
            if found and found["digits"][0].isdigit() | (int(found["base"]) > 10)
            else None
        )
    except Unreadable:
        return None


def _number(text: str) -> Formula | None:
    """Digits, with a currency, a scale and a unit."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return None
    numeral, rest = (
        found["value"].rstrip(" ,_'"),
        found["value"][len(found["value"].rstrip(" ,_'")) :] + found["rest"],
    )
    try:
        tree = canonical(parse(numeral))
    except Unreadable:
        return None
    if tree[0] != "num":
        return None
    negative = (found["sign"].strip() in ("-", "minus", "negative")) != (found["inner"] == "-")
    value = -tree[1] if negative else tree[1]
    return _with_words(
        value, rest.strip(), found["currency"] or "", _precision(numeral), rest[:1].isspace()
    )


def _precision(numeral: str) -> Decimal | None:
    plain = re.fullmatch(r"([\d,' ]*)\.(\d+)", numeral)
    if plain is None:
        return None
    digits = re.sub(r"\D", "", plain[1] + plain[2]).lstrip("0")
    return Decimal(len(plain[2]), len(digits))


def _with_words(
    value: Fraction, rest: str, currency: str, precision: Decimal | None, spaced: bool
) -> Formula | None:
    """The number with what the words behind it make of it; None if they say more."""
    while scale := re.match(r"([a-zA-Z]+)\b\.?\s*(?:of\s+)?", rest):
        word = scale[1]
        if word.lower() in SCALES:
            value *= SCALES[word.lower()]
        elif word in _LETTER_SCALES and (
            currency or (word in ("k", "K") and not spaced and not rest[scale.end() :])
        ):
            value *= _LETTER_SCALES[word]
        else:
            break
        rest, precision = rest[scale.end() :].strip(), None
    money = Unit(TABLE[CURRENCIES[currency]].dimension) if currency else None
    if rest in ("%", "percent", "per cent", "pct"):
        return (
            Formula(number(value / 100), None, precision, percent=True) if money is None else None
        )
    if not rest:
        return Formula(number(value), money, precision)
    if found := re.fullmatch(r"([$€£¥₹])", rest):
        return (
            Formula(number(value), Unit(TABLE[CURRENCIES[found[1]]].dimension), precision)
            if money is None
            else None
        )
    if rest in ("st", "nd", "rd", "th"):
        return Formula(number(value), Unit(nouns=("place",)), precision) if not money else None
    rate = money is not None and rest.startswith(("per ", "/", "each", "a ", "an "))
    if rest == "s" and not spaced and value % 10 == 0 and 1000 <= value <= 2100:
        return None  # the 1990s
    unit = unit_of(f"{CURRENCIES[currency]} {rest}" if rate else rest.removeprefix("of "))
    if unit is None or (unit.nouns and not spaced and unit.nouns != ("unit",) and rest.isascii()):
        return None  # 2xy is a product
    if money is not None and not rate:
        if unit.dimension != money.dimension:
            return None
        unit = money
    return Formula(number(value), unit, precision)


def _several(text: str) -> Formula | None:
    """A sum of convertible units, the largest first: 2 h 30 min, 5 ft 3 in."""
    at, total, dimension, before = 0, Fraction(0), None, None
    parts = 0
    while at < len(text):
        found = _PART.match(text, at)
        unit = (
            unit_of(
                "min"
                if found["unit"].strip() == "m" and dimension == TABLE["h"].dimension
                else found["unit"]
            )
            if found
            else None
        )
        if (
            found is None
            or unit is None
            or not unit.dimension
            or unit.offset
            or (dimension or unit.dimension) != unit.dimension
        ):
            return None
        if before is not None and unit.factor >= before:
            return None
        total += Fraction(found["value"].replace(",", "")) * unit.factor
        at, dimension, before, parts = found.end(), unit.dimension, unit.factor, parts + 1
    return Formula(number(total), Unit(dimension or ()), compound=True) if parts > 1 else None


def _spelled(text: str) -> Formula | None:
    """A number in words, with a unit: seven apples."""
    found = _LETTERED.fullmatch(text)
    if found is None:
        return None
    words = text.split(" ")
    for count in range(len(words), 0, -1):
        value = spelled(" ".join(words[:count]))
        rest = " ".join(words[count:])
        if value is not None and not (rest and words[0].lower() in ("a", "an")):
            return _with_words(
                value, rest.removeprefix("of a ").removeprefix("of an "), "", None, True
            )
    if (
        (part := _PART_OF.fullmatch(text))
        and (unit := unit_of(part["unit"])) is not None
        and unit.dimension
    ):
        amount = part["amount"].lower()
        whole = (
            Fraction(1, 2)
            if amount.startswith("half")
            else Fraction(1, 4)
            if "quarter" in amount
            else Fraction(1)
        )
        return Formula(number(whole + (Fraction(1, 2) if part["more"] else 0)), unit)
    place = ordinal(text)
    return None if place is None else Formula(number(place), Unit(nouns=("place",)))


def _measured(text: str) -> Formula | None:
    """A formula without variables, with a unit behind it: 3 sqrt(2) cm, 12 pi square units."""
    words = text.split(" ")
    for count in range(len(words) - 1, max(0, len(words) - 7), -1):
        unit = unit_of(" ".join(words[count:]))
        if unit is None:
            continue
        try:
            tree = canonical(parse(" ".join(words[:count])))
        except Unreadable:
            continue
        if tree[0] in ("num", "sym", "add", "mul", "pow") and not symbols(tree):
            return Formula(tree, unit)
    return None


def numbers_in(text: str) -> list[str]:
    """The numerals in a sentence, as written."""
    return [found[0].strip(" ,._'") for found in _NUMERAL.finditer(text)]


def formula(text: str) -> Formula | None:
    """The formula that the whole text is; None if it is none."""
    try:
        if re.fullmatch(r"\d+(?:[-–]\d+)+|\d+ ?(?:AD|BC|CE|BCE)", text):
            return None  # 3-5 is a range as much as a difference
        if (
            _WORDS.fullmatch(text)
            and max(map(len, re.findall(r"[^\W\d_]+", text))) > 1
            and text not in _CONSTANT
        ):
            return None  # well-known, and/or, Paris
        return Formula(_checked(canonical(parse(text))))
    except (Unreadable, RecursionError):
        return None


def _checked(tree: Tree) -> Tree:
    """The tree, if it says something. Raises `Unreadable`."""
    if tree[0] == "dots":
        raise Unreadable("only dots")
    return tree
