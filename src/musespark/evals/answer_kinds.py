"""Generators of pairs of answers by kind: one value in two notations, or two values that differ in one place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random

from musespark.evals.answer_numbers import (
    bases,
    durations,
    formulas,
    fractions,
    integers,
    percentages,
    repeating,
    scales,
    spelled,
    units,
)
from musespark.evals.answer_pairs import Maker, pair_of

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
    return (
        (str(number), form, False)
        if chance.random() < 0.6
        else (form, form.replace(str(number), str(number + 1)), False)
    )


def choices(chance: Random) -> tuple[str, str, bool]:
    """Letters of a multiple choice in any markup; another letter."""
    letter, other = chance.sample("ABCDE", 2)
    text = chance.choice(("Paris", "4", "the mitochondria", "12 cm", "none of the above"))
    forms = [
        each.format(letter)
        for each in (
            "{}",
            "({})",
            "{}.",
            "{})",
            "**{}**",
            "[{}]",
            "Option {}",
            r"\text{{{}}}",
            "${}$",
            "**({})**",
        )
    ]
    forms += [
        f"{letter}) {text}",
        f"{letter}. {text}",
        f"({letter}) {text}",
        f"{letter}: {text}",
        f"{letter.lower()}) {text}",
    ]
    return pair_of(
        chance,
        forms,
        [
            other,
            f"({other})",
            f"{other}) {text}",
            f"{letter}, {other}",
            f"{letter} or {other}",
            f"not {letter}",
        ],
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
    return pair_of(
        chance,
        forms,
        [
            ", ".join(chosen[:2]),
            ", ".join([*chosen, spare]),
            ", ".join([*chosen[:2], spare]),
            chosen[0],
        ],
    )


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
        others = [
            f"{low} <= x < {high}",
            f"x < {low} or x > {high}",
            f"({low}, {high + 1})",
            f"[{low}, {high}]",
            f"x > {low}",
        ]
    elif kind == 1:
        forms = [
            f"x < {low} or x > {high}",
            rf"(-\infty, {low}) \cup ({high}, \infty)",
            f"x > {high} or x < {low}",
        ]
        others = [
            f"x < {low} and x > {high}",
            rf"(-\infty, {low}] \cup [{high}, \infty)",
            f"x < {low}",
            f"x < {low} or x > {high + 1}",
        ]
    else:
        forms = [
            f"x >= {low}",
            rf"x \ge {low}",
            f"{low} ≤ x",
            rf"[{low}, \infty)",
            rf"x \geq {low}",
        ]
        others = [
            f"x > {low}",
            f"x <= {low}",
            f"x >= {low + 1}",
            rf"({low}, \infty)",
            f"x = {low}",
            str(low),
        ]
    return pair_of(chance, forms, others)


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
    return pair_of(chance, chosen, others)


def dates(chance: Random) -> tuple[str, str, bool]:
    """Dates in several orders; another day, month or year."""
    day = date(1950, 1, 1) + timedelta(chance.randrange(36_000))
    if day.day <= 12:
        day += timedelta(13 - day.day)
    other = chance.choice(
        (
            day + timedelta(1),
            day.replace(year=day.year + 1, day=min(day.day, 28)),
            day + timedelta(31),
        )
    )
    return pair_of(chance, _dates(day), _dates(other))


def _dates(day: date) -> list[str]:
    month = day.strftime("%B")
    return [
        day.isoformat(),
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month} {day.year}",
        f"{month[:3]} {day.day}, {day.year}",
        f"{day.day}th of {month} {day.year}"
        if day.day not in (21, 22, 23, 31)
        else f"{day.day} {month}, {day.year}",
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
    return pair_of(
        chance,
        forms,
        [
            f"{hour - 12}:{minute:02d} AM",
            f"{hour}:{(minute + 7) % 60:02d}",
            f"{hour - 12}:{(minute + 1) % 60:02d} PM",
        ],
    )


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
    return pair_of(
        chance,
        forms,
        [f"about {value + 1}{noun}", f"{value + 2}{noun}", f"not {value}{noun}", f"-{value}{noun}"],
    )


def collections(chance: Random) -> tuple[str, str, bool]:
    """Points, lists and sets; another order where it counts, another item, another bracket."""
    items = chance.sample(range(1, 30), 3)
    turned = [items[2], items[0], items[1]]
    kind = chance.randrange(3)
    if kind == 0:
        forms = [
            f"({', '.join(map(str, items))})",
            rf"\left({', '.join(map(str, items))}\right)",
            f"({','.join(map(str, items))})",
        ]
        others = [
            f"({', '.join(map(str, turned))})",
            f"[{', '.join(map(str, items))}]",
            f"({items[0]}, {items[1]})",
        ]
    elif kind == 1:
        forms = [f"[{', '.join(map(str, items))}]", f"[{','.join(map(str, items))}]"]
        others = [
            f"[{', '.join(map(str, turned))}]",
            f"({', '.join(map(str, items))})",
            f"[{', '.join(map(str, items[:2]))}]",
        ]
    else:
        forms = [rf"\{{{', '.join(map(str, each))}\}}" for each in (items, turned)] + [
            ", ".join(map(str, turned)),
            f"x = {items[0]}, x = {items[1]}, x = {items[2]}",
        ]
        others = [
            ", ".join(map(str, items[:2])),
            ", ".join(map(str, [*items[:2], items[2] + 40])),
            str(items[0]),
        ]
    return pair_of(chance, forms, others)


def sentences(chance: Random) -> tuple[str, str, bool]:
    """A last sentence that states one number; another number, or a sentence that leaves it open."""
    value = chance.randrange(12, 900)
    one, other = chance.choice(
        (
            (f"So she has {value} stickers left.", f"{value} stickers"),
            (f"In the end it costs ${value}.", f"${value}"),
        )
    )
    forms = [
        f"{value}",
        f"The total is {value}.",
        one,
        other,
        f"Therefore, there are {value} in all.",
    ]
    return pair_of(
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
