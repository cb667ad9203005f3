"""Formulas as trees: nested tuples, brought into a canonical form in exact arithmetic.

A tree is `("num", Fraction)`, `("sym", name)`, `("add", terms)`, `("mul", factors)`, `("pow", base, exponent)`,
`("call", name, arguments)`, or one of the structures of `STRUCTURES` around such. Constants are the symbols `PI`, `E`, `I`, `oo`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

from musespark.reasoning.consensus.equivalence.reading.exact_functions import exact_call, factors
from musespark.reasoning.consensus.equivalence.reading.unreadable import Unreadable

Tree = tuple[Any, ...]

CONSTANTS: Mapping[str, complex] = {"PI": math.pi, "E": math.e, "I": 1j}
STRUCTURES = frozenset(
    {
        "rel",
        "row",
        "all",
        "any",
        "tuple",
        "list",
        "set",
        "half",
        "union",
        "meet",
        "without",
        "matrix",
        "dots",
        "class",
        "member",
    }
)
BITS = 20_000
"""Size of the largest number that a power is written out to."""
TERMS = 60
"""Terms that a product of sums is written out to, at most."""


def number(value: int | Fraction) -> Tree:
    """A rational number as a tree."""
    return ("num", Fraction(value))


ZERO, ONE, MINUS = number(0), number(1), number(-1)


def rational(tree: Tree) -> Fraction | None:
    """The value of a tree that is a rational number."""
    return tree[1] if tree[0] == "num" else None


@lru_cache(8192)
def canonical(tree: Tree) -> Tree:
    """The same tree for formulas that differ in order, in brackets, or by exact arithmetic. Raises `Unreadable` (1/0)."""
    kind = tree[0]
    if kind in ("num", "sym", "dots"):
        return tree
    if kind in ("add", "mul", "pow", "call") and (both := _either(tree)) is not None:
        return ("row", tuple(canonical(each) for each in both))
    if kind == "add":
        return _sum([canonical(term) for term in tree[1]])
    if kind == "mul":
        return _product([canonical(factor) for factor in tree[1]])
    if kind == "pow":
        return _power(canonical(tree[1]), canonical(tree[2]))
    if kind == "call":
        return _call(tree[1], tuple(canonical(argument) for argument in tree[2]))
    if kind == "rel":
        return ("rel", tree[1], canonical(tree[2]), canonical(tree[3]))
    if kind == "half":
        return ("half", tree[1], canonical(tree[2]), canonical(tree[3]))
    if kind == "matrix":
        return ("matrix", tuple(tuple(canonical(item) for item in row) for row in tree[1]))
    items = tuple(canonical(item) for item in tree[1])
    if kind == "union" and all(item[0] == "set" for item in items):
        return ("set", tuple(dict.fromkeys(each for item in items for each in item[1])))
    return (kind, items)


def _either(tree: Tree) -> list[Tree] | None:
    """The two formulas that one with a plus-or-minus within it stands for; None if there is none."""
    inner = tree[1] if tree[0] in ("add", "mul") else tree[2] if tree[0] == "call" else tree[1:]
    for place, item in enumerate(inner):
        found = (
            item[1]
            if item[0] == "row"
            else _either(item)
            if item[0] in ("add", "mul", "pow", "call")
            else None
        )
        if found is not None and len(found) == 2:
            made = [(*inner[:place], each, *inner[place + 1 :]) for each in found]
            if tree[0] == "pow":
                return [("pow", *each) for each in made]
            return [
                ("call", tree[1], each) if tree[0] == "call" else (tree[0], each) for each in made
            ]
    return None


def _sum(terms: list[Tree]) -> Tree:
    """Like terms together, numbers added, in a fixed order."""
    weights: dict[Tree, Fraction] = {}
    for term in terms:
        for each in term[1] if term[0] == "add" else (term,):
            weight, rest = _weighed(each)
            weights[rest] = weights.get(rest, Fraction(0)) + weight
    kept = [_scaled(weight, rest) for rest, weight in sorted(weights.items(), key=repr) if weight]
    if not kept:
        return ZERO
    return kept[0] if len(kept) == 1 else ("add", tuple(kept))


def _weighed(term: Tree) -> tuple[Fraction, Tree]:
    """A term as its number and all else."""
    if term[0] == "num":
        return term[1], ONE
    if term[0] == "mul" and term[1][0][0] == "num":
        rest = term[1][1:]
        return term[1][0][1], rest[0] if len(rest) == 1 else ("mul", rest)
    return Fraction(1), term


def _scaled(weight: Fraction, rest: Tree) -> Tree:
    if rest == ONE:
        return number(weight)
    if weight == 1:
        return rest
    return ("mul", (number(weight), *(rest[1] if rest[0] == "mul" else (rest,))))


def _product(factors: list[Tree]) -> Tree:
    """Equal bases together, numbers multiplied, sums multiplied out while that stays short."""
    weight = Fraction(1)
    powers: dict[Tree, Tree] = {}
    waiting = list(factors)
    while waiting:
        factor = waiting.pop()
        if factor[0] == "mul":
            waiting += factor[1]
        elif factor[0] == "num":
            weight *= factor[1]
        else:
            base, exponent = (factor[1], factor[2]) if factor[0] == "pow" else (factor, ONE)
            powers[base] = _sum([powers[base], exponent]) if base in powers else exponent
    if not weight:
        return ZERO
    kept: list[Tree] = []
    root = Fraction(1)
    for base, exponent in sorted(powers.items(), key=repr):
        if base[0] == "num" and exponent == number(Fraction(1, 2)) and base[1] > 0:
            root *= base[1]
            continue
        power = _power(base, exponent)
        inside, rest = _weighed(power)
        weight *= inside
        if rest != ONE:
            kept += rest[1] if rest[0] == "mul" else (rest,)
    if root != 1:
        inside, rest = _weighed(_root(root))
        weight *= inside
        kept += [rest] if rest != ONE else []
    sums = [each for each in kept if each[0] == "add"]
    if sums and math.prod(len(each[1]) for each in sums) <= TERMS:
        others = [each for each in kept if each[0] != "add"]
        return _sum(
            [
                _product([number(weight), *others, *chosen])
                for chosen in product(*(each[1] for each in sums))
            ]
        )
    kept.sort(key=repr)
    rest = ONE if not kept else kept[0] if len(kept) == 1 else ("mul", tuple(kept))
    return _scaled(weight, rest)


def _power(base: Tree, exponent: Tree) -> Tree:
    """Raise exactly if that stays small."""
    degree, value = rational(exponent), rational(base)
    if degree == 0:
        if value == 0:
            raise Unreadable("0 to the power of 0")
        return ONE
    if degree == 1 or value == 1:
        return base if degree == 1 else ONE
    if value is not None and degree is not None:
        return _number_power(value, degree)
    if degree is not None and base == ("sym", "I") and degree.denominator == 1:
        return (ONE, base, MINUS, ("mul", (MINUS, base)))[int(degree) % 4]
    if base == ("sym", "E") and (turns := _half_turns(exponent)) is not None:
        return (ONE, ("sym", "I"), MINUS, ("mul", (MINUS, ("sym", "I"))))[turns % 4]
    if degree is not None and base[0] == "pow" and degree.denominator == 1:
        return _power(base[1], _product([base[2], exponent]))
    if degree is not None and base[0] == "mul":
        weight, rest = _weighed(base)
        if degree.denominator == 1:
            return _product([_power(factor, exponent) for factor in base[1]])
        if weight > 0 and weight != 1:
            return _product([_power(number(weight), exponent), ("pow", rest, exponent)])
    if (
        degree is not None
        and base[0] == "add"
        and degree.denominator == 1
        and 1 < degree
        and len(base[1]) ** min(int(degree), 9) <= TERMS
    ):
        return _product_of_sums(base, int(degree))
    return ("pow", base, exponent)


def _half_turns(exponent: Tree) -> int | None:
    """N of an exponent of i * pi * N / 2; None for any other."""
    weight, rest = _weighed(exponent)
    is_turn = rest == ("mul", (("sym", "I"), ("sym", "PI"))) and (2 * weight).denominator == 1
    return int(2 * weight) if is_turn else None


def _product_of_sums(base: Tree, degree: int) -> Tree:
    total = base
    for _ in range(degree - 1):
        total = _sum(
            [
                _product([one, other])
                for one in (total[1] if total[0] == "add" else (total,))
                for other in base[1]
            ]
        )
    return total


def _number_power(value: Fraction, degree: Fraction) -> Tree:
    if value == 0:
        if degree < 0:
            raise Unreadable("a division by zero")
        return ZERO
    if degree.denominator == 1:
        size = max(value.numerator.bit_length(), value.denominator.bit_length())
        if abs(degree) * size > BITS:
            return ("pow", number(value), number(degree))
        return number(value ** int(degree))
    if degree.denominator == 2 and value > 0:
        return _product(
            [
                _number_power(value, degree - Fraction(1, 2)) if degree != Fraction(1, 2) else ONE,
                _root(value),
            ]
        )
    if degree == Fraction(1, 2):
        return _product([("sym", "I"), _root(-value)])
    exact = [
        _exact_root(abs(part), degree.denominator) for part in (value.numerator, value.denominator)
    ]
    if value > 0 and None not in exact:
        return _number_power(Fraction(exact[0] or 0, exact[1] or 1), Fraction(degree.numerator))
    return ("pow", number(value), number(degree))


def _root(value: Fraction) -> Tree:
    """The square root of a positive rational number, as a number times the root of one that has no small square in it."""
    inside, outside = value.numerator * value.denominator, Fraction(1, value.denominator)
    exact = math.isqrt(inside)
    if exact * exact == inside:
        return number(outside * exact)
    for prime in range(2, 1000):
        while prime * prime <= inside and inside % (prime * prime) == 0:
            inside //= prime * prime
            outside *= prime
    return _scaled(outside, ("pow", number(inside), number(Fraction(1, 2))))


def _exact_root(value: int, degree: int) -> int | None:
    if value.bit_length() > 1000 or degree > 60:
        return None
    near = round(value ** (1 / degree)) if value < 1 << 500 else 0
    return next(
        (each for each in (near - 1, near, near + 1) if each >= 0 and each**degree == value), None
    )


def _call(name: str, arguments: tuple[Tree, ...]) -> Tree:
    values = [rational(argument) for argument in arguments]
    exact = exact_call(name, values) if None not in values else None  # type: ignore[arg-type]
    if exact is not None:
        return number(exact)
    if name == "ln" and arguments == (("sym", "E"),):
        return ONE
    if name == "ln" and values[0] is not None and values[0] > 0:
        return _logarithm(values[0])
    return ("call", name, arguments)


def _logarithm(value: Fraction) -> Tree:
    """The natural logarithm of a positive rational number, as a sum over its prime factors: ln 12 is 2 ln 2 + ln 3."""
    return _sum(
        [
            _scaled(Fraction(count), ("call", "ln", (number(prime),)))
            for prime, count in factors(value).items()
        ]
    )


def symbols(tree: Tree) -> frozenset[str]:
    """Names of the variables in a formula; constants are none."""
    if tree[0] == "sym":
        return frozenset() if tree[1] in CONSTANTS else frozenset({tree[1]})
    if tree[0] == "num":
        return frozenset()
    inner = [item for item in tree[1:] if isinstance(item, tuple)]
    return frozenset().union(
        *(
            symbols(item)
            if item and isinstance(item[0], str)
            else frozenset().union(*map(symbols, item))
            for item in inner
            if item
        )
    )
