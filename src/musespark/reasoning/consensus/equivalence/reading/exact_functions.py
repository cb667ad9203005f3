"""Functions of rational numbers, where their value is rational, too."""

from __future__ import annotations

import math
from fractions import Fraction

from musespark.reasoning.consensus.equivalence.reading.unreadable import Unreadable


def exact_call(name: str, values: list[Fraction]) -> Fraction | int | None:
    """The value of a function of rational numbers that is rational; None if it is not, or is too large. Raises `Unreadable`."""
    whole = [int(value) for value in values if value.denominator == 1]
    if len(whole) == len(values):
        match name, whole:
            case "factorial", [count] if 0 <= count <= 1000:
                return math.factorial(count)
            case "binomial", [of, count] if 0 <= count <= of <= 2000:
                return math.comb(of, count)
            case "mod", [_, 0]:
                raise Unreadable("a remainder of a division by zero")
            case "gcd", [*_]:
                return math.gcd(*whole)
            case "lcm", [*_]:
                return math.lcm(*whole)
    match name, values:
        case "mod", [value, by] if by:
            return value % by
        case "abs", [value]:
            return abs(value)
        case "floor", [value]:
            return math.floor(value)
        case "ceil", [value]:
            return math.ceil(value)
        case "max", [_, *_]:
            return max(values)
        case "min", [_, *_]:
            return min(values)
        case "ln", [value] if value == 1:
            return 0
        case ("sin" | "tan", [value]) if value == 0:
            return 0
        case "cos", [value] if value == 0:
            return 1
    return None


def exact_logarithm(value: Fraction, base: Fraction) -> Fraction | None:
    """The logarithm of a positive rational number where it is rational itself: 3/2 for 8 and base 4; None elsewhere."""
    if value <= 0 or base <= 0 or base == 1:
        return None
    above, below = factors(value), factors(base)
    ratios = {Fraction(above.get(prime, 0), count) for prime, count in below.items()}
    return ratios.pop() if above.keys() <= below.keys() and len(ratios) == 1 else None


def factors(value: Fraction) -> dict[int, int]:
    """Primes below 1,000 with their exponents, negative for the denominator; what has none is left as one factor."""
    found: dict[int, int] = {}
    for sign, rest in ((1, value.numerator), (-1, value.denominator)):
        for prime in range(2, 1000):
            while rest % prime == 0:
                rest, found[prime] = rest // prime, found.get(prime, 0) + sign
        if rest > 1:
            found[rest] = found.get(rest, 0) + sign
    return found
