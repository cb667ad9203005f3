"""Generators of pairs of numbers, formulas and quantities: one value in two notations, or two that differ in one place."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

from musespark.evals.answer_pairs import pair_of


def _integers(value: int) -> list[str]:
    digits = f"{abs(value):,}"
    sign = "-" if value < 0 else ""
    return [sign + digits.replace(",", mark) for mark in ("", ",", " ", "'", "{,}", r"\,")]


def integers(chance: Random) -> tuple[str, str, bool]:
    """Large whole numbers, grouped in several ways; another digit or sign."""
    value = chance.choice((1, -1)) * chance.randrange(10_000, 90_000_000)
    changed = chance.choice((-value, value + chance.choice((1, -1)) * 10 ** chance.randrange(4)))
    return pair_of(chance, _integers(value), _integers(changed))


def fractions(chance: Random) -> tuple[str, str, bool]:
    """Fractions, mixed numbers and terminating decimals; another part, or upside down."""
    below = chance.choice((2, 4, 5, 8, 16, 20, 25))
    value = Fraction(chance.randrange(1, 9 * below), below)
    return pair_of(
        chance,
        _fractions(value),
        _fractions(chance.choice((value + Fraction(1, below), 1 / value + 1, -value))),
    )


def _fractions(value: Fraction) -> list[str]:
    whole, rest = divmod(abs(value), 1)
    sign = "-" if value < 0 else ""
    above, below = abs(value.numerator), value.denominator
    forms = [
        f"{sign}{above}/{below}",
        rf"{sign}\frac{{{above}}}{{{below}}}",
        rf"{sign}\dfrac{{{3 * above}}}{{{3 * below}}}",
    ]
    if not set(_primes(below)) - {2, 5}:
        forms.append(f"{sign}{float(abs(value))}")
    if whole and rest and not sign:
        forms += [
            f"{whole} {rest.numerator}/{rest.denominator}",
            rf"{whole}\frac{{{rest.numerator}}}{{{rest.denominator}}}",
        ]
    return forms


def _primes(value: int) -> list[int]:
    return [
        prime
        for prime in range(2, value + 1)
        if value % prime == 0 and all(prime % other for other in range(2, prime))
    ]


def repeating(chance: Random) -> tuple[str, str, bool]:
    """Fractions that repeat, in full and cut; two digits of one stand for nothing that was not asked to be rounded."""
    below = chance.choice((3, 6, 7, 9, 11, 12, 15, 18, 27, 33, 37))
    value = Fraction(
        chance.choice(
            [above for above in range(1, below) if Fraction(above, below).denominator == below]
        ),
        below,
    )
    block = next(
        length
        for length in range(1, 20)
        if not set(_primes((value * (10**length - 1) * 10**4).denominator)) - {2, 5}
    )
    digits = f"{value.numerator * 10**40 // value.denominator:040d}"
    fixed = next(
        at for at in range(10) if digits[at : at + 2 * block] == digits[at + block : at + 3 * block]
    )
    forms = [
        f"{value.numerator}/{below}",
        rf"\frac{{{value.numerator}}}{{{below}}}",
        rf"0.{digits[:fixed]}\overline{{{digits[fixed : fixed + block]}}}",
        f"0.{digits[:fixed]}({digits[fixed : fixed + block]})",
        f"0.{digits[:16]}",
        f"0.{digits[:15]}",
    ]
    wrong = [
        f"0.{digits[:2]}",
        f"0.{digits[:11]}{(int(digits[11]) + 4) % 10}",
        f"{value.numerator + below}/{below}",
    ]
    return pair_of(chance, [forms[0], chance.choice(forms[1:])], wrong)


_FORMULAS: Sequence[tuple[Sequence[str], Sequence[str]]] = (
    (
        ("{a}*pi/{b}", r"\frac{{{a}\pi}}{{{b}}}", r"\frac{{{a}}}{{{b}}}\pi", "{a}π/{b}"),
        ("{a}/{b}", "{a}*pi*{b}", "{c}*pi/{b}"),
    ),
    (
        ("sqrt({a})/{b}", r"\frac{{\sqrt{{{a}}}}}{{{b}}}", r"\sqrt{{{a}}}/{b}"),
        (
            "{a}/{b}",
            "sqrt({c})/{b}",
            r"-\frac{{\sqrt{{{a"
            r"}}}}}{{{b}}}",
        ),
    ),
    (
        ("{a}*sqrt({b})", r"{a}\sqrt{{{b}}}", r"\sqrt{{{b}}} \cdot {a}", "{a}√{b}"),
        ("{a}", "{a}*{b}", r"{c}\sqrt{{{b}}}", r"{a}+\sqrt{{{b}}}"),
    ),
    (("exp({a})", "e^{a}", r"e^{{{a}}}"), ("exp(-{a})", "{a}e", r"e^{{{c}}}")),
    (
        ("ln({a})", r"\ln {a}", r"\ln({a})", "ln {a}"),
        (r"\ln {c}", "{a}", r"\log_2 {a}", r"-\ln {a}"),
    ),
    (("{a}*x + {b}", "{a}x+{b}", "{b} + {a}x"), ("{a}x-{b}", "{c}x+{b}", "{a}x", "{a}y+{b}")),
    (
        ("x^2 + {a}x", "x(x+{a})", r"x\cdot(x + {a})", "x**2 + {a}*x"),
        ("x^2 - {a}x", "x^2+{c}x", "x^3+{a}x"),
    ),
    (
        ("(x+{a})^2", "x^2 + {a2}x + {aa}", r"\left(x+{a}\right)^{{2}}"),
        ("x^2 + {aa}", "(x-{a})^2", "(x+{c})^2"),
    ),
    (
        ("1/({a}n+{b})", r"\frac{{1}}{{{a}n+{b}}}", r"\dfrac{{1}}{{{b}+{a}n}}"),
        ("1/({a}n-{b})", r"\frac{{1}}{{{a}n}}+{b}", "{a}n+{b}"),
    ),
    (
        ("sqrt({a}/n)", r"\sqrt{{\frac{{{a}}}{{n}}}}", r"\frac{{\sqrt{{{a}}}}}{{\sqrt{{n}}}}"),
        (r"\sqrt{{\frac{{{c}}}{{n}}}}", r"\frac{{{a}}}{{n}}"),
    ),
    (
        ("{a} + {b}i", "{a}.0 + {b}.0i", "{b}i + {a}", "{a}+{b}*i"),
        ("{a} - {b}i", "{a}", "{b} + {c}i", "{a} + {b}"),
    ),
    (
        ("2^{{{aa}}}", "2**{aa}", "2^{aa}"),
        ("2^{{{aa}}}+1", "2^{{{aa}}}-1", r"\frac{{1}}{{2^{{{aa}}}}}"),
    ),
    (
        (r"\frac{{1}}{{{b}^{{{aa}}}}}", "{b}^(-{aa})", r"{b}^{{-{aa}}}"),
        (
            r"\frac{{2}}{{{b}^{{{aa}}}}}",
            r"\frac{{1}}{{{b}^{{{aa"
            r"}}}+1}}",
            "0",
        ),
    ),
    (
        ("{a} - 1/e", r"{a} - \frac{{1}}{{e}}", r"{a}-e^{{-1}}"),
        (r"{a} + \frac{{1}}{{e}}", "{c} - 1/e", "{a}"),
    ),
    (
        ("sin({a}x)", r"\sin {a}x", r"\sin({a}x)"),
        (r"\cos {a}x", r"\sin {c}x", r"{a}\sin x", r"-\sin {a}x"),
    ),
)


def formulas(chance: Random) -> tuple[str, str, bool]:
    """Formulas in plain text and in TeX; another coefficient, sign, function or variable."""
    forms, others = chance.choice(_FORMULAS)
    a, b = chance.sample((2, 3, 5, 6, 7, 10, 11, 13), 2)
    values = {"a": a, "b": b, "c": a + 1, "a2": 2 * a, "aa": a * a}
    return pair_of(
        chance,
        [form.format(**values) for form in forms],
        [form.format(**values) for form in others],
    )


_UNITS: Sequence[Sequence[tuple[str, Fraction]]] = tuple(
    tuple((name, Fraction(size)) for name, size in group)
    for group in (
        (("m", "1"), ("meters", "1"), ("cm", "1/100"), ("km", "1000"), ("mm", "1/1000")),
        (
            ("kg", "1"),
            ("kilograms", "1"),
            ("g", "1/1000"),
            ("grams", "1/1000"),
            ("mg", "1/1000000"),
        ),
        (
            ("hours", "1"),
            ("h", "1"),
            ("minutes", "1/60"),
            ("min", "1/60"),
            ("seconds", "1/3600"),
            ("days", "24"),
        ),
        (("L", "1"), ("liters", "1"), ("mL", "1/1000"), ("milliliters", "1/1000")),
        (("feet", "1"), ("ft", "1"), ("inches", "1/12"), ("yards", "3")),
        (
            ("cm^2", "1"),
            ("cm²", "1"),
            ("square centimeters", "1"),
            ("m^2", "10000"),
            ("mm^2", "1/100"),
        ),
        (("km/h", "1"), ("kilometers per hour", "1"), ("m/s", "18/5")),
        (("dollars", "1"), ("cents", "1/100")),
        (("weeks", "1"), ("days", "1/7")),
        (("years", "1"), ("months", "1/12")),
    )
)


def _terminates(value: Fraction) -> bool:
    return not set(_primes(value.denominator)) - {2, 5} and value.denominator < 10**6


def units(chance: Random) -> tuple[str, str, bool]:
    """Quantities in units that convert; the same digits in another unit, or another value."""
    group = chance.choice(_UNITS)
    value = Fraction(chance.randrange(2, 400) * chance.choice((1, 5, 36)))
    (one, size), (other, scale) = chance.sample(group, 2)
    converted = value * size / scale
    if chance.random() < 0.5 and _terminates(converted):
        return f"{value} {one}", f"{_decimal(converted)} {other}", True
    if size != scale and chance.random() < 0.5:
        return f"{value} {one}", f"{value} {other}", False
    return f"{value} {one}", f"{value + 1} {one}", False


def _decimal(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else f"{float(value):.10f}".rstrip("0")


def durations(chance: Random) -> tuple[str, str, bool]:
    """Several units at once; another part, or one part alone."""
    hours, minutes = chance.randrange(1, 12), chance.randrange(1, 60)
    forms = [
        f"{hours} hours {minutes} minutes",
        f"{hours} h {minutes} min",
        f"{hours} hours and {minutes} minutes",
        rf"{hours} \text{{ hours }} {minutes} \text{{ minutes}}",
        f"{60 * hours + minutes} minutes",
    ]
    others = [
        f"{hours} hours {minutes % 59 + 1} minutes",
        f"{hours} hours",
        f"{hours + 1} h {minutes} min",
        f"{minutes} minutes",
    ]
    return pair_of(chance, forms, others)


def scales(chance: Random) -> tuple[str, str, bool]:
    """Numbers with a word of scale; another word, or none."""
    count = chance.choice((Fraction(3), Fraction(5, 2), Fraction(12), Fraction(7, 4), Fraction(45)))
    word, size = chance.choice(
        (("thousand", 10**3), ("million", 10**6), ("billion", 10**9), ("trillion", 10**12))
    )
    currency = chance.choice(("", "$"))
    short = f"{currency}{_decimal(count)}"
    forms = [
        f"{short} {word}",
        f"{currency}{int(count * size):,}",
        f"{currency}{int(count * size)}",
    ]
    if currency:
        forms.append(
            f"{short}{ {'thousand': 'k', 'million': 'M', 'billion': 'B', 'trillion': 'T'}[word] }"
        )
    other = chance.choice(
        [each for each in ("thousand", "million", "billion", "trillion") if each != word]
    )
    return pair_of(
        chance, forms, [short, f"{short} {other}", f"{currency}{_decimal(count + 1)} {word}"]
    )


_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()

_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def _spelled(value: int) -> str:
    if value < 20:
        return _ONES[value]
    if value < 100:
        return _TENS[value // 10 - 2] + (f"-{_ONES[value % 10]}" if value % 10 else "")
    rest = value % 100
    return f"{_ONES[value // 100]} hundred" + (f" {_spelled(rest)}" if rest else "")


def spelled(chance: Random) -> tuple[str, str, bool]:
    """Numbers in words and in brackets; another number."""
    value = chance.randrange(2, 999)
    word, other = _spelled(value), _spelled(value + 1)
    noun = chance.choice(("", " apples", " students", " miles"))
    return pair_of(
        chance,
        [
            f"{value}{noun}",
            f"{word}{noun}",
            f"{value} ({word}){noun}" if not noun else f"{value}{noun}",
        ],
        [f"{other}{noun}", f"{value + 1}{noun}", f"{value} ({other})", f"minus {word}"],
    )


def bases(chance: Random) -> tuple[str, str, bool]:
    """Numbers in bases; the same digits in another."""
    base = chance.choice((2, 3, 5, 7, 8, 9))
    value, digits = chance.randrange(20, 2000), ""
    rest = value
    while rest:
        digits, rest = f"{rest % base}{digits}", rest // base
    forms = [
        f"{digits}_{base}",
        f"{digits}_{{{base}}}",
        rf"{digits}_{{\text{{{_ONES[base]}}}}}",
        f"{digits} (base {base})",
        str(value),
    ]
    return pair_of(
        chance,
        forms,
        [digits, f"{digits}_{base + 1}", f"{value + 1}", f"{digits} (base {base + 3})"],
    )


def percentages(chance: Random) -> tuple[str, str, bool]:
    """Percentages; another number, or words that make another quantity of it."""
    value = chance.randrange(2, 99)
    forms = [f"{value}%", f"{value} percent", rf"{value}\%", f"{_decimal(Fraction(value, 100))}"]
    return pair_of(
        chance,
        forms,
        [
            f"{value + 1}%",
            f"{value / 1000}",
            f"-{value}%",
            f"{value}% off",
            f"{value} percent more",
        ],
    )
