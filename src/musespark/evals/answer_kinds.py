"""How pairs of answers of each kind are made: one value in two notations, or two values that differ in one place."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction

from musespark.evals.answer_pairs import Maker

Random = random.Random


def _two(chance: Random, forms: Sequence[str]) -> tuple[str, str]:
    """Two different notations of a value."""
    left, right = chance.sample(list(dict.fromkeys(forms)), 2)
    return left, right


def _pair(chance: Random, forms: Sequence[str], others: Sequence[str]) -> tuple[str, str, bool]:
    """Half of the pairs are one value in two notations; in the others the second is one of another value."""
    if chance.random() < 0.5:
        return (*_two(chance, forms), True)
    return chance.choice(forms), chance.choice(others), False


def _integers(value: int) -> list[str]:
    digits = f"{abs(value):,}"
    sign = "-" if value < 0 else ""
    return [sign + digits.replace(",", mark) for mark in ("", ",", " ", "'", "{,}", r"\,")]


def integers(chance: Random) -> tuple[str, str, bool]:
    """Large whole numbers, grouped in several ways; another digit or sign."""
    value = chance.choice((1, -1)) * chance.randrange(10_000, 90_000_000)
    changed = chance.choice((-value, value + chance.choice((1, -1)) * 10 ** chance.randrange(4)))
    return _pair(chance, _integers(value), _integers(changed))


def fractions(chance: Random) -> tuple[str, str, bool]:
    """Fractions, mixed numbers and terminating decimals; another part, or upside down."""
    below = chance.choice((2, 4, 5, 8, 16, 20, 25))
    value = Fraction(chance.randrange(1, 9 * below), below)
    return _pair(chance, _fractions(value), _fractions(chance.choice((value + Fraction(1, below), 1 / value + 1, -value))))


def _fractions(value: Fraction) -> list[str]:
    whole, rest = divmod(abs(value), 1)
    sign = "-" if value < 0 else ""
    above, below = abs(value.numerator), value.denominator
    forms = [f"{sign}{above}/{below}", rf"{sign}\frac{{{above}}}{{{below}}}", rf"{sign}\dfrac{{{3 * above}}}{{{3 * below}}}"]
    if not set(_primes(below)) - {2, 5}:
        forms.append(f"{sign}{float(abs(value))}")
    if whole and rest and not sign:
        forms += [f"{whole} {rest.numerator}/{rest.denominator}", rf"{whole}\frac{{{rest.numerator}}}{{{rest.denominator}}}"]
    return forms


def _primes(value: int) -> list[int]:
    return [prime for prime in range(2, value + 1) if value % prime == 0 and all(prime % other for other in range(2, prime))]


def repeating(chance: Random) -> tuple[str, str, bool]:
    """Fractions that repeat, in full and cut; two digits of one stand for nothing that was not asked to be rounded."""
    below = chance.choice((3, 6, 7, 9, 11, 12, 15, 18, 27, 33, 37))
    value = Fraction(chance.choice([above for above in range(1, below) if Fraction(above, below).denominator == below]), below)
    block = next(length for length in range(1, 20) if not set(_primes((value * (10**length - 1) * 10**4).denominator)) - {2, 5})
    digits = f"{value.numerator * 10**40 // value.denominator:040d}"
    fixed = next(at for at in range(10) if digits[at : at + 2 * block] == digits[at + block : at + 3 * block])
    forms = [
        f"{value.numerator}/{below}",
        rf"\frac{{{value.numerator}}}{{{below}}}",
        rf"0.{digits[:fixed]}\overline{{{digits[fixed : fixed + block]}}}",
        f"0.{digits[:fixed]}({digits[fixed : fixed + block]})",
        f"0.{digits[:16]}",
        f"0.{digits[:15]}",
    ]
    wrong = [f"0.{digits[:2]}", f"0.{digits[:11]}{(int(digits[11]) + 4) % 10}", f"{value.numerator + below}/{below}"]
    return _pair(chance, [forms[0], chance.choice(forms[1:])], wrong)


_FORMULAS: Sequence[tuple[Sequence[str], Sequence[str]]] = (
    (("{a}*pi/{b}", r"\frac{{{a}\pi}}{{{b}}}", r"\frac{{{a}}}{{{b}}}\pi", "{a}π/{b}"), ("{a}/{b}", "{a}*pi*{b}", "{c}*pi/{b}")),
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
    (("ln({a})", r"\ln {a}", r"\ln({a})", "ln {a}"), (r"\ln {c}", "{a}", r"\log_2 {a}", r"-\ln {a}")),
    (("{a}*x + {b}", "{a}x+{b}", "{b} + {a}x"), ("{a}x-{b}", "{c}x+{b}", "{a}x", "{a}y+{b}")),
    (("x^2 + {a}x", "x(x+{a})", r"x\cdot(x + {a})", "x**2 + {a}*x"), ("x^2 - {a}x", "x^2+{c}x", "x^3+{a}x")),
    (("(x+{a})^2", "x^2 + {a2}x + {aa}", r"\left(x+{a}\right)^{{2}}"), ("x^2 + {aa}", "(x-{a})^2", "(x+{c})^2")),
    (
        ("1/({a}n+{b})", r"\frac{{1}}{{{a}n+{b}}}", r"\dfrac{{1}}{{{b}+{a}n}}"),
        ("1/({a}n-{b})", r"\frac{{1}}{{{a}n}}+{b}", "{a}n+{b}"),
    ),
    (
        ("sqrt({a}/n)", r"\sqrt{{\frac{{{a}}}{{n}}}}", r"\frac{{\sqrt{{{a}}}}}{{\sqrt{{n}}}}"),
        (r"\sqrt{{\frac{{{c}}}{{n}}}}", r"\frac{{{a}}}{{n}}"),
    ),
    (("{a} + {b}i", "{a}.0 + {b}.0i", "{b}i + {a}", "{a}+{b}*i"), ("{a} - {b}i", "{a}", "{b} + {c}i", "{a} + {b}")),
    (("2^{{{aa}}}", "2**{aa}", "2^{aa}"), ("2^{{{aa}}}+1", "2^{{{aa}}}-1", r"\frac{{1}}{{2^{{{aa}}}}}")),
    (
        (r"\frac{{1}}{{{b}^{{{aa}}}}}", "{b}^(-{aa})", r"{b}^{{-{aa}}}"),
        (
            r"\frac{{2}}{{{b}^{{{aa}}}}}",
            r"\frac{{1}}{{{b}^{{{aa"
            r"}}}+1}}",
            "0",
        ),
    ),
    (("{a} - 1/e", r"{a} - \frac{{1}}{{e}}", r"{a}-e^{{-1}}"), (r"{a} + \frac{{1}}{{e}}", "{c} - 1/e", "{a}")),
    (("sin({a}x)", r"\sin {a}x", r"\sin({a}x)"), (r"\cos {a}x", r"\sin {c}x", r"{a}\sin x", r"-\sin {a}x")),
)


def formulas(chance: Random) -> tuple[str, str, bool]:
    """Formulas in plain text and in TeX; another coefficient, sign, function or variable."""
    forms, others = chance.choice(_FORMULAS)
    a, b = chance.sample((2, 3, 5, 6, 7, 10, 11, 13), 2)
    values = {"a": a, "b": b, "c": a + 1, "a2": 2 * a, "aa": a * a}
    return _pair(chance, [form.format(**values) for form in forms], [form.format(**values) for form in others])


_UNITS: Sequence[Sequence[tuple[str, Fraction]]] = tuple(
    tuple((name, Fraction(size)) for name, size in group)
    for group in (
        (("m", "1"), ("meters", "1"), ("cm", "1/100"), ("km", "1000"), ("mm", "1/1000")),
        (("kg", "1"), ("kilograms", "1"), ("g", "1/1000"), ("grams", "1/1000"), ("mg", "1/1000000")),
        (("hours", "1"), ("h", "1"), ("minutes", "1/60"), ("min", "1/60"), ("seconds", "1/3600"), ("days", "24")),
        (("L", "1"), ("liters", "1"), ("mL", "1/1000"), ("milliliters", "1/1000")),
        (("feet", "1"), ("ft", "1"), ("inches", "1/12"), ("yards", "3")),
        (("cm^2", "1"), ("cm²", "1"), ("square centimeters", "1"), ("m^2", "10000"), ("mm^2", "1/100")),
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
    others = [f"{hours} hours {minutes % 59 + 1} minutes", f"{hours} hours", f"{hours + 1} h {minutes} min", f"{minutes} minutes"]
    return _pair(chance, forms, others)


def scales(chance: Random) -> tuple[str, str, bool]:
    """Numbers with a word of scale; another word, or none."""
    count = chance.choice((Fraction(3), Fraction(5, 2), Fraction(12), Fraction(7, 4), Fraction(45)))
    word, size = chance.choice((("thousand", 10**3), ("million", 10**6), ("billion", 10**9), ("trillion", 10**12)))
    currency = chance.choice(("", "$"))
    short = f"{currency}{_decimal(count)}"
    forms = [f"{short} {word}", f"{currency}{int(count * size):,}", f"{currency}{int(count * size)}"]
    if currency:
        forms.append(f"{short}{ {'thousand': 'k', 'million': 'M', 'billion': 'B', 'trillion': 'T'}[word] }")
    other = chance.choice([each for each in ("thousand", "million", "billion", "trillion") if each != word])
    return _pair(chance, forms, [short, f"{short} {other}", f"{currency}{_decimal(count + 1)} {word}"])


_CHANGING = (
    "{} mod 7",
    "{} percent less",
    "{} percent more",
    "{} choose 2",
    "{} squared",
    "{}!",
    "{}π",
    "{}√2",
    "{}x",
    "{}i",
    "{} or more",
    "at most {}",
    "more than {}",
    "{} times as many",
    "{} BC",
    "{}^2",
    r"{}\sqrt{{3}}",
    r"{}\pi",
    "{} dozen",
    "{} hundred",
    "{}_7",
    "{} or 5000",
    "half of {}",
    "{} thousand",
    "under {}",
    "{} years ago",
    "{} degrees below zero",
    "not {}",
    "{} remainder 1",
)


def changed(chance: Random) -> tuple[str, str, bool]:
    """A number, and the same number with words or signs that change it."""
    number = chance.choice((11, 12, 15, 16, 23, 24, 26, 33, 34, 45, 56))
    form = chance.choice(_CHANGING).format(number)
    return (str(number), form, False) if chance.random() < 0.6 else (form, form.replace(str(number), str(number + 1)), False)


def choices(chance: Random) -> tuple[str, str, bool]:
    """Letters of a multiple choice, however they are marked; another letter."""
    letter, other = chance.sample("ABCDE", 2)
    text = chance.choice(("Paris", "4", "the mitochondria", "12 cm", "none of the above"))
    forms = [
        each.format(letter)
        for each in ("{}", "({})", "{}.", "{})", "**{}**", "[{}]", "Option {}", r"\text{{{}}}", "${}$", "**({})**")
    ]
    forms += [f"{letter}) {text}", f"{letter}. {text}", f"({letter}) {text}", f"{letter}: {text}", f"{letter.lower()}) {text}"]
    return _pair(
        chance, forms, [other, f"({other})", f"{other}) {text}", f"{letter}, {other}", f"{letter} or {other}", f"not {letter}"]
    )


def letters(chance: Random) -> tuple[str, str, bool]:
    """Several letters, in any order; one more, one fewer, another."""
    chosen = chance.sample("ABCDEF", 3)
    turned = chance.sample(chosen, 3)
    forms = [
        ", ".join(chosen),
        ", ".join(turned),
        f"{turned[0]}, {turned[1]} and {turned[2]}",
        " ".join(f"({each})" for each in turned),
        "; ".join(turned),
    ]
    spare = next(each for each in "ABCDEF" if each not in chosen)
    return _pair(chance, forms, [", ".join(chosen[:2]), ", ".join([*chosen, spare]), ", ".join([*chosen[:2], spare]), chosen[0]])


def relations(chance: Random) -> tuple[str, str, bool]:
    """Inequalities and intervals; another sign, bound or connective."""
    low = chance.randrange(-9, 5)
    high = low + chance.randrange(1, 9)
    kind = chance.randrange(3)
    if kind == 0:
        forms = [
            f"{low} < x < {high}",
            f"x > {low} and x < {high}",
            rf"x \in ({low}, {high})",
            f"({low}, {high})",
            rf"{low} < x \text{{ and }} x < {high}",
        ]
        others = [f"{low} <= x < {high}", f"x < {low} or x > {high}", f"({low}, {high + 1})", f"[{low}, {high}]", f"x > {low}"]
    elif kind == 1:
        forms = [f"x < {low} or x > {high}", rf"(-\infty, {low}) \cup ({high}, \infty)", f"x > {high} or x < {low}"]
        others = [
            f"x < {low} and x > {high}",
            rf"(-\infty, {low}] \cup [{high}, \infty)",
            f"x < {low}",
            f"x < {low} or x > {high + 1}",
        ]
    else:
        forms = [f"x >= {low}", rf"x \ge {low}", f"{low} ≤ x", rf"[{low}, \infty)", rf"x \geq {low}"]
        others = [f"x > {low}", f"x <= {low}", f"x >= {low + 1}", rf"({low}, \infty)", f"x = {low}", str(low)]
    return _pair(chance, forms, others)


def bounds(chance: Random) -> tuple[str, str, bool]:
    """At least, at most, more and less than."""
    value = chance.randrange(3, 5000)
    groups = (
        (f"at least {value}", f"{value:,} or more", f"no less than {value}", f"{value}+"),
        (f"at most {value}", f"{value} or less", f"up to {value}"),
        (f"more than {value}", f"over {value}", f"greater than {value}"),
        (f"less than {value}", f"under {value}", f"fewer than {value}"),
    )
    chosen = chance.choice(groups)
    others = [each for group in groups if group != chosen for each in group] + [
        str(value),
        chosen[0].replace(str(value), str(value + 1)),
    ]
    return _pair(chance, chosen, others)


def dates(chance: Random) -> tuple[str, str, bool]:
    """Dates in several orders; another day, month or year."""
    day = date(1950, 1, 1) + timedelta(chance.randrange(36_000))
    if day.day <= 12:
        day += timedelta(13 - day.day)
    other = chance.choice((day + timedelta(1), day.replace(year=day.year + 1, day=min(day.day, 28)), day + timedelta(31)))
    return _pair(chance, _dates(day), _dates(other))


def _dates(day: date) -> list[str]:
    month = day.strftime("%B")
    return [
        day.isoformat(),
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month} {day.year}",
        f"{month[:3]} {day.day}, {day.year}",
        f"{day.day}th of {month} {day.year}" if day.day not in (21, 22, 23, 31) else f"{day.day} {month}, {day.year}",
        f"{day.month}/{day.day}/{day.year}",
        f"{day.day:02d}.{day.month:02d}.{day.year}",
        f"{day.strftime('%A')}, {month} {day.day}, {day.year}",
    ]


def times(chance: Random) -> tuple[str, str, bool]:
    """Times of day; another minute or half of the day."""
    hour, minute = chance.randrange(13, 24), chance.randrange(60)
    forms = [
        f"{hour - 12}:{minute:02d} PM",
        f"{hour}:{minute:02d}",
        f"{hour - 12}:{minute:02d} p.m.",
        f"{hour - 12}:{minute:02d}pm",
    ]
    return _pair(
        chance,
        forms,
        [f"{hour - 12}:{minute:02d} AM", f"{hour}:{(minute + 7) % 60:02d}", f"{hour - 12}:{(minute + 1) % 60:02d} PM"],
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
    return _pair(
        chance,
        [f"{value}{noun}", f"{word}{noun}", f"{value} ({word}){noun}" if not noun else f"{value}{noun}"],
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
    return _pair(chance, forms, [digits, f"{digits}_{base + 1}", f"{value + 1}", f"{digits} (base {base + 3})"])


def hedges(chance: Random) -> tuple[str, str, bool]:
    """Answers with a hedge or a remark around them; another value within."""
    value = chance.randrange(3, 900)
    noun = chance.choice(("", " km", " people"))
    forms = [
        each.format(f"{value}{noun}")
        for each in (
            "{}",
            "about {}",
            "approximately {}",
            "roughly {}",
            "≈ {}",
            "exactly {}",
            "{} in total",
            "~{}",
            "it is {}",
            "**{}**",
            "{}.",
            "a total of {}",
            "= {}",
        )
    ]
    return _pair(chance, forms, [f"about {value + 1}{noun}", f"{value + 2}{noun}", f"not {value}{noun}", f"-{value}{noun}"])


def collections(chance: Random) -> tuple[str, str, bool]:
    """Points, lists and sets; another order where it counts, another item, another bracket."""
    items = chance.sample(range(1, 30), 3)
    turned = [items[2], items[0], items[1]]
    kind = chance.randrange(3)
    if kind == 0:
        forms = [f"({', '.join(map(str, items))})", rf"\left({', '.join(map(str, items))}\right)", f"({','.join(map(str, items))})"]
        others = [f"({', '.join(map(str, turned))})", f"[{', '.join(map(str, items))}]", f"({items[0]}, {items[1]})"]
    elif kind == 1:
        forms = [f"[{', '.join(map(str, items))}]", f"[{','.join(map(str, items))}]"]
        others = [f"[{', '.join(map(str, turned))}]", f"({', '.join(map(str, items))})", f"[{', '.join(map(str, items[:2]))}]"]
    else:
        forms = [rf"\{{{', '.join(map(str, each))}\}}" for each in (items, turned)] + [
            ", ".join(map(str, turned)),
            f"x = {items[0]}, x = {items[1]}, x = {items[2]}",
        ]
        others = [", ".join(map(str, items[:2])), ", ".join(map(str, [*items[:2], items[2] + 40])), str(items[0])]
    return _pair(chance, forms, others)


def percentages(chance: Random) -> tuple[str, str, bool]:
    """Percentages; another number, or words that make another quantity of it."""
    value = chance.randrange(2, 99)
    forms = [f"{value}%", f"{value} percent", rf"{value}\%", f"{_decimal(Fraction(value, 100))}"]
    return _pair(chance, forms, [f"{value + 1}%", f"{value / 1000}", f"-{value}%", f"{value}% off", f"{value} percent more"])


def sentences(chance: Random) -> tuple[str, str, bool]:
    """A last sentence that states one number; another number, or a sentence that leaves it open."""
    value = chance.randrange(12, 900)
    one, other = chance.choice(
        ((f"So she has {value} stickers left.", f"{value} stickers"), (f"In the end it costs ${value}.", f"${value}"))
    )
    forms = [f"{value}", f"The total is {value}.", one, other, f"Therefore, there are {value} in all."]
    return _pair(
        chance,
        forms,
        [
            f"The total is {value + 1}.",
            f"The total is not {value}.",
            f"She has at least {value} stickers.",
            f"It is more than {value}.",
            f"The bus is {value} minutes late.",
        ],
    )


KINDS: Mapping[str, Maker] = {
    make.__name__: make
    for make in (
        integers,
        fractions,
        repeating,
        formulas,
        units,
        durations,
        scales,
        changed,
        choices,
        letters,
        relations,
        bounds,
        dates,
        times,
        spelled,
        bases,
        hedges,
        collections,
        percentages,
        sentences,
    )
}
"""Makers by kind."""
