"""Units that convert into each other exactly, and words that only say what was counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

Dimension: TypeAlias = tuple[tuple[str, int], ...]
"""Base dimensions with their powers, by name."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure, or the noun of what was counted."""

    dimension: Dimension = ()
    """Empty for a noun."""
    factor: Fraction = Fraction(1)
    """One of it in the base unit of its dimension."""
    offset: Fraction = Fraction(0)
    """Its zero in the base unit, of temperatures."""
    nouns: tuple[str, ...] = ()
    """Counted things, word by word, the head last."""


_PREFIXES: Mapping[str, Fraction] = {
    "n": Fraction(1, 10**9),
    "µ": Fraction(1, 10**6),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "c": Fraction(1, 100),
    "d": Fraction(1, 10),
    "k": Fraction(1000),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
}
_PREFIX_WORDS: Mapping[str, Fraction] = {
    "nano": Fraction(1, 10**9),
    "micro": Fraction(1, 10**6),
    "milli": Fraction(1, 1000),
    "centi": Fraction(1, 100),
    "deci": Fraction(1, 10),
    "kilo": Fraction(1000),
    "mega": Fraction(10**6),
    "giga": Fraction(10**9),
    "tera": Fraction(10**12),
}


def _unit(dimension: str, factor: int | str | Fraction, offset: str = "0") -> Unit:
    return Unit(
        tuple(
            sorted(
                (name, int(power or 1)) for name, power in re.findall(r"([a-z]+)(-?\d*)", dimension)
            )
        ),
        Fraction(factor),
        Fraction(offset),
    )


# Prefixed: symbol, word, dimension, size in the base unit.
_METRIC = (
    ("m", "meter metre", "length", "1"),
    ("g", "gram gramme", "mass", "1"),
    ("s", "second", "time", "1"),
    ("l", "liter litre", "length3", "1/1000"),
    ("L", "liter litre", "length3", "1/1000"),
    ("Hz", "hertz", "time-1", "1"),
    ("J", "joule", "mass length2 time-2", "1000"),
    ("W", "watt", "mass length2 time-3", "1000"),
    ("N", "newton", "mass length time-2", "1000"),
    ("Pa", "pascal", "mass length-1 time-2", "1000"),
    ("V", "volt", "volt", "1"),
    ("A", "ampere amp", "current", "1"),
    ("Ω", "ohm", "ohm", "1"),
    ("mol", "mole", "amount", "1"),
    ("C", "coulomb", "charge", "1"),
    ("F", "farad", "farad", "1"),
    ("T", "tesla", "tesla", "1"),
    ("cal", "calorie", "mass length2 time-2", "4184"),
    ("Wh", "watt-hour", "mass length2 time-2", "3600000"),
    ("eV", "electronvolt", "electronvolt", "1"),
)
# Not prefixed: names, dimension, size in the base unit.
_OTHER = (
    ("in inch inches", "length", "127/5000"),
    ("ft foot feet", "length", "381/1250"),
    ("yd yard", "length", "1143/1250"),
    ("mi mile", "length", "201168/125"),
    ("nautical-mile nmi", "length", "1852"),
    ("light-year ly lightyear", "lightyear", "1"),
    ("t tonne ton-metric metric-ton", "mass", "1000000"),
    ("lb lbs pound", "mass", "45359237/100000"),
    ("oz ounce", "mass", "45359237/1600000"),
    ("stone", "stone", "1"),
    ("ton", "ton", "1"),
    ("min minute mins", "time", "60"),
    ("h hr hrs hour", "time", "3600"),
    ("day d", "time", "86400"),
    ("week wk", "time", "604800"),
    ("fortnight", "time", "1209600"),
    ("sec secs", "time", "1"),
    ("month mo", "month", "1"),
    ("year yr yrs", "month", "12"),
    ("decade", "month", "120"),
    ("century centuries", "month", "1200"),
    ("acre", "length2", "316160658/78125"),
    ("hectare ha", "length2", "10000"),
    ("gallon gal", "length3", "473176473/125000000000"),
    ("quart qt", "length3", "473176473/500000000000"),
    ("pint pt", "length3", "473176473/1000000000000"),
    ("cup", "length3", "473176473/2000000000000"),
    ("fluid-ounce fl-oz", "length3", "473176473/16000000000000"),
    ("tablespoon tbsp", "length3", "473176473/32000000000000"),
    ("teaspoon tsp", "length3", "473176473/96000000000000"),
    ("cc", "length3", "1/1000000"),
    ("mph", "length time-1", "1397/3125"),
    ("kph kmh kmph", "length time-1", "5/18"),
    ("knot kn", "length time-1", "463/900"),
    ("mps", "length time-1", "1"),
    ("rpm", "rotation time-1", "1/60"),
    ("bit", "data", "1"),
    ("byte B", "data", "8"),
    ("bar", "mass length-1 time-2", "100000000"),
    ("atm atmosphere", "mass length-1 time-2", "101325000"),
    ("dollar usd buck us-dollar", "dollar", "1"),
    ("cent ¢ penny pennies", "dollar", "1/100"),
    ("euro eur", "euro", "1"),
    ("sterling gbp quid", "sterling", "1"),
    ("pence", "sterling", "1/100"),
    ("yen jpy", "yen", "1"),
    ("rupee inr rs", "rupee", "1"),
    ("yuan rmb cny", "yuan", "1"),
    ("percentage-point", "percentage point", "1"),
)
_TEMPERATURES = (
    ("celsius centigrade", "1", "5463/20"),
    ("fahrenheit", "5/9", "45967/180"),
    ("kelvin", "1", "0"),
)


def _table() -> dict[str, Unit]:
    table: dict[str, Unit] = {}
    for symbol, words, dimension, size in _METRIC:
        base = _unit(dimension, size)
        for prefix, scale in {"": Fraction(1), **_PREFIXES}.items():
            table.setdefault(prefix + symbol, Unit(base.dimension, base.factor * scale))
        for word in words.split():
            for prefix, scale in {"": Fraction(1), **_PREFIX_WORDS}.items():
                table[prefix + word] = Unit(base.dimension, base.factor * scale)
    for names, dimension, size in _OTHER:
        for name in names.split():
            table[name] = _unit(dimension, size)
    for names, size, zero in _TEMPERATURES:
        for name in names.split():
            table[name] = _unit("temperature", size, zero)
    for symbol, like in (
        ("°C", "celsius"),
        ("°F", "fahrenheit"),
        ("K", "kelvin"),
        ("kB", "kilobyte"),
        ("MB", "megabyte"),
        ("GB", "gigabyte"),
    ):
        table[symbol] = table.get(like) or _unit(like, 1)
    return table


TABLE: Mapping[str, Unit] = _table()
CURRENCIES: Mapping[str, str] = {
    "$": "dollar",
    "€": "euro",
    "£": "sterling",
    "¥": "yen",
    "₹": "rupee",
    "US$": "dollar",
}
_POWERS = {"square": 2, "squared": 2, "sq": 2, "cubic": 3, "cubed": 3, "cu": 3}
_PIECE = re.compile(
    r"\s*(?P<sign>[/*·]|\bper\b|\ban?\b)?\s*(?P<name>[^\W\d_]+(?:-[^\W\d_]+)*|"
    r"[°¢])(?:(?:\s*\^)?\{?(?P<power>-?[2-3])\}?)?"
)
# Words that change the value or say more than the thing counted; no noun of a quantity.
_REFUSED = frozenset(
    (
        "less more fewer greater off over under above below least most than about up down increase decrease increased decreased "
        "mod modulo "
        "times twice thrice plus minus divided multiplied choose factorial percent squared cubed root or and to if when unless "
        "not no none "
        "except but with without is are was were be been each remainder per only between from until after before ago later "
        "earlier bc bce ad ce "
        "am pm north south east west positive negative half third quarter double triple hundred thousand million billion trillion "
        "dozen lakh "
        "crore base binary hex octal hexadecimal pi infinity every any all both either neither never yes noon midnight larger "
        "smaller higher "
        "lower score fold maximum minimum approximately"
    ).split()
)
NOUNS = 4
"""Words of the longest noun phrase that a number may count."""


def unit_of(text: str) -> Unit | None:
    """The unit that all of the text is: "km/h", "square meters", "red apples"; None if it says anything else."""
    text = (
        text.strip()
        .strip(".")
        .replace(r"\degree", "°")
        .replace(r"\cdot", "*")
        .replace(r"\times", "*")
        .replace("° ", "°")
        .replace(r"\mu ", "µ")
        .replace(r"\Omega ", "Ω")
    )
    text = re.sub(r"\s+", " ", text)
    if text in ("°", "degrees", "degree"):
        return Unit((("angle", 1),), Fraction(1))
    if re.fullmatch(r"(?:degrees? )?(?:celsius|centigrade)|°C|degrees? C", text, re.IGNORECASE):
        return TABLE["celsius"]
    if re.fullmatch(r"(?:degrees? )?fahrenheit|°F|degrees? F", text, re.IGNORECASE):
        return TABLE["fahrenheit"]
    if re.fullmatch(r"radians?|rad", text):
        return Unit((("radian", 1),))
    if re.fullmatch(r"(?:(?:square|cubic|sq\.?) )?units?(?:\^?\{?[23]\}?| squared| cubed)?", text):
        return Unit(nouns=("unit",))
    return _measure(text) or _noun(text) or _rate(text) or _portion(text)


def _portion(text: str) -> Unit | None:
    """So much of something: pounds of butter."""
    parts = text.split(" of ")
    if len(parts) != 2:
        return None
    unit, thing = (
        _measure(parts[0]) or _noun(parts[0]),
        _noun(re.sub(r"^(?:the|an?|his|her|their) ", "", parts[1])),
    )
    if unit is None or thing is None:
        return None
    return Unit(
        unit.dimension,
        unit.factor,
        unit.offset,
        thing.nouns if unit.dimension else (*thing.nouns, *unit.nouns),
    )


def _rate(text: str) -> Unit | None:
    """So much of one thing for each of another, where at least one is a noun: dollars per person."""
    parts = re.split(r"\s+(?:per|an?|each|for each|for every)\s+|\s*/\s*", text)
    units = [_measure(part) or _noun(part) for part in parts]
    if len(parts) != 2 or None in units:
        return None
    return Unit(
        nouns=(" per ".join(" ".join(map(_singular, part.lower().split())) for part in parts),)
    )


def _measure(text: str) -> Unit | None:
    """Known units, multiplied and divided."""
    words = re.sub(
        r"\b(light|nautical|fluid|metric|us|percentage|fl|watt)[ -](years?|miles?|ounces?|tons?|dollars?|points?|"
        r"oz|hours?)\b",
        lambda found: f"{found[1]}-{found[2]}",
        text,
    )
    dimension: dict[str, int] = {}
    factor, offset, raised, at, parts = Fraction(1), Fraction(0), 0, 0, 0
    below = 1
    while at < len(words.rstrip(" .")):
        found = _PIECE.match(words, at)
        if found is None:
            return None
        at = found.end()
        name = found["name"]
        if words[at : at + 1] == "." and len(name) <= 3:
            at += 1  # ft. in. lbs.
        if found["sign"] in ("/", "per", "a", "an"):
            if not parts:
                return None
            below = -1
        if name.lower() in _POWERS:
            behind = name.lower() in ("squared", "cubed")
            if behind or raised:
                return None  # told by the power of the unit before, below
            raised = _POWERS[name.lower()]
            continue
        unit = known(name)
        if unit is None:
            return None
        after = re.match(r"\s+(squared|cubed)\b", words[at:])
        if (
            found["power"]
            and "^" not in found[0]
            and not {name for name, _ in unit.dimension} <= {"length", "time"}
        ):
            return None  # cm3, but no C3
        power = int(found["power"] or raised or (_POWERS[after[1]] if after else 1))
        at += after.end() if after else 0
        raised, offset, parts = 0, unit.offset, parts + 1
        for base, degree in unit.dimension:
            dimension[base] = dimension.get(base, 0) + below * power * degree
        factor *= unit.factor ** (below * power)
    if not parts or raised:
        return None
    return Unit(
        tuple(sorted((base, degree) for base, degree in dimension.items() if degree)),
        factor,
        offset if parts == 1 else Fraction(0),
    )


def known(name: str) -> Unit | None:
    """The unit of that name or symbol, also in the plural; symbols tell small letters from capitals, names do not."""
    if name in TABLE:
        return TABLE[name]
    lower = name.lower()
    if len(lower) <= 2 and lower not in ("kg", "km", "cm", "mm", "ml", "ft", "lb", "oz", "hr"):
        return None
    for word in (lower, lower.removesuffix("s"), lower.removesuffix("es")):
        if len(word) > 1 and word in TABLE and not (len(word) == 1 and lower != word):
            return TABLE[word]
    return None


def _noun(text: str) -> Unit | None:
    words = text.lower().split()
    if not 0 < len(words) <= NOUNS or not all(
        re.fullmatch(r"[^\W\d_]{2,}(?:[-'][^\W\d_]{2,})*|[^\W\d_]", word) for word in words
    ):
        return None
    if _REFUSED & set(words) or any(known(word) for word in words):
        return None
    if not all(re.search("[aeiouy]", word) or not word.isascii() for word in words) or (
        len(words[-1]) < 3 and words[-1].isascii()
    ):
        return None  # 2 xy is a product
    return Unit(nouns=tuple(map(_singular, words)))


def _singular(word: str) -> str:
    irregular = {
        "people": "person",
        "children": "child",
        "men": "man",
        "women": "woman",
        "feet": "foot",
        "mice": "mouse",
        "geese": "goose",
    }
    if word in irregular:
        return irregular[word]
    if re.search(r"ies?$", word) and len(word) > 4:
        return re.sub(r"ies?$", "y", word)  # cookie as cookies
    if re.search(r"(?:s|x|z|ch|sh)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 2 else word


def same_nouns(left: Iterable[str], right: Iterable[str]) -> bool:
    """True if two noun phrases may count the same: equal heads, and one says no more than the other (5 red apples, 5 apples)."""
    one, other = tuple(left), tuple(right)
    if one == ("unit",) or other == ("unit",):
        return True
    return one[-1] == other[-1] and (set(one) <= set(other) or set(other) <= set(one))
