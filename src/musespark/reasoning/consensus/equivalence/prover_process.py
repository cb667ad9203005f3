"""The process behind `Prover`: reads a question a line, writes true, false or null a line, and ends when none comes any more.

A question is two trees of `reading.trees` and what is asked of them. Floating point with sixty digits refutes; only SymPy's exact
simplification of the difference to zero, or of the ratio to a number, proves. What does neither is null.
"""

from __future__ import annotations

import json
import logging
import math
import resource
import select
import sys
import time
from functools import lru_cache
from typing import Any

BYTES = 2 << 30
"""Address space of the process."""
IDLE = 120.0
"""Seconds without a question after which the process ends; the next question starts another."""
DIGITS = 60
"""Significant digits of the floating point that refutes."""
LARGEST = 100_000
"""Bits of the largest power that is written out."""


class TooLarge(Exception):
    """A number too large to write out."""


def expression(tree: Any) -> Any:
    """SymPy's expression of a tree. Variables are positive: elsewhere floating point has refuted already. Raises `TooLarge`."""
    import sympy

    kind = tree[0]
    if kind == "num":
        return sympy.Rational(tree[1])
    if kind == "sym":
        constants = {"PI": sympy.pi, "E": sympy.E, "I": sympy.I, "oo": sympy.oo}
        return constants.get(tree[1]) or sympy.Symbol(tree[1], positive=True)
    if kind in ("add", "mul"):
        return (sympy.Add if kind == "add" else sympy.Mul)(*map(expression, tree[1]))
    if kind == "pow":
        base, exponent = expression(tree[1]), expression(tree[2])
        if (
            exponent.is_Rational
            and base.is_Rational
            and abs(exponent) * max(int(base.p).bit_length(), int(base.q).bit_length()) > LARGEST
        ) or (
            not exponent.is_Rational and exponent.is_number and abs(exponent.evalf(10)) > LARGEST
        ):
            raise TooLarge
        return base**exponent
    if kind == "call":
        return function(tree[1])(*map(expression, tree[2]))
    raise ValueError(kind)


@lru_cache(256)
def function(name: str) -> Any:
    """SymPy's function of that name, or one of which nothing is known."""
    import sympy

    known = {
        "ln": sympy.log,
        "abs": sympy.Abs,
        "ceil": sympy.ceiling,
        "max": sympy.Max,
        "min": sympy.Min,
        "mod": sympy.Mod,
        **{
            each: getattr(sympy, each)
            for each in (
                "sin cos tan cot sec csc asin acos atan sinh cosh tanh floor gcd lcm factorial binomial"
            ).split()
        },
    }
    return known.get(name) or sympy.Function(name)


def is_zero(difference: Any) -> bool | None:
    """True if an expression is exactly zero; None if neither is shown."""
    import sympy

    if difference.is_number:
        value = difference.evalf(DIGITS)
        if value.is_number and abs(value) > sympy.Float(10) ** -(DIGITS // 2):
            return False
    for simplify in (
        sympy.expand,
        sympy.radsimp,
        sympy.simplify,
        lambda each: sympy.simplify(sympy.sqrtdenest(sympy.expand(each))),
        lambda each: sympy.simplify(each.rewrite(sympy.exp)),
        sympy.trigsimp,
        sympy.logcombine,
        lambda each: sympy.simplify(sympy.expand_log(each)),
    ):
        if simplify(difference) == 0:
            return True
    if difference.is_number and difference.is_algebraic:
        unknown = sympy.Dummy()
        return bool(sympy.minimal_polynomial(difference, unknown) == unknown)
    return None


def decided(left: Any, right: Any, asked: str) -> bool | None:
    """The answer to one question."""
    import sympy

    one, other = expression(left), expression(right)
    if asked == "equal":
        return is_zero(one - other)
    ratio = sympy.simplify(one / other)
    if ratio.is_number and ratio.is_finite and not ratio.is_zero:
        return bool(asked == "ratio" or ratio.is_positive)
    return None


def limit(seconds: float) -> None:
    """End this process when it has used so much more processor time; whole seconds, rounded up."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), hard))


def main() -> None:
    """Answer until the input ends or stays silent."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    logging.disable()
    while select.select([sys.stdin], [], [], IDLE)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        asked = json.loads(line)
        try:
            if asked:
                *question, seconds = asked
                limit(seconds)
                answer = decided(*question)
            else:
                answer = is_zero(expression(["num", "0"]))
        except Exception:  # whatever SymPy raises on what a model wrote: it has proved nothing
            answer = None
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
