r"""The innermost parts of a formula: numbers with a base, names, functions and what they are of, brackets, matrices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from musespark.reasoning.consensus.equivalence.reading.exact_functions import exact_logarithm
from musespark.reasoning.consensus.equivalence.reading.grammar import Grammar
from musespark.reasoning.consensus.equivalence.reading.number_words import BASES
from musespark.reasoning.consensus.equivalence.reading.tokens import Token
from musespark.reasoning.consensus.equivalence.reading.trees import (
    MINUS,
    Tree,
    canonical,
    number,
    rational,
)
from musespark.reasoning.consensus.equivalence.reading.unreadable import Unreadable

HALF = number(Fraction(1, 2))
FUNCTIONS: Mapping[str, str] = {
    **{
        name: name
        for name in (
            "sin cos tan cot sec csc sinh cosh tanh asin acos atan ln log exp abs floor ceil max min gcd lcm "
            "sqrt cbrt det arg deg dim ker lg sgn sign tr rank"
        ).split()
    },
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "ceiling": "ceil",
    "factorial": "factorial",
    "binomial": "binomial",
}
GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau "
    "upsilon "
    "phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar R Z N Q C".split()
)
_CONSTANTS: Mapping[str, Tree] = {
    "pi": ("sym", "PI"),
    "e": ("sym", "E"),
    "i": ("sym", "I"),
    "infty": ("sym", "oo"),
    "infinity": ("sym", "oo"),
    "Infinity": ("sym", "oo"),
    "inf": ("sym", "oo"),
    "oo": ("sym", "oo"),
    "emptyset": ("set", ()),
    "varnothing": ("set", ()),
    "Pi": ("sym", "Pi"),
    "ldots": ("dots", ()),
}
_CLOSING: Mapping[str, str] = {"(": ")", "[": "]", r"\{": r"\}"}
COMMANDS = (
    frozenset(
        {
            "frac",
            "sqrt",
            "cbrt",
            "binom",
            "dbinom",
            "tbinom",
            "pi",
            "infty",
            "emptyset",
            "varnothing",
            "ldots",
            "lfloor",
            "lceil",
            "overline",
            "{",
        }
    )
    | GREEK
    | FUNCTIONS.keys()
)
"""TeX commands that a factor may begin with."""
_WORDS = frozenset(
    "is it in of if no at on so us we he me my by up an as do go am be ok hi cm km mm kg mg ml".split()
)


def atom(parser: Grammar) -> Tree:
    """The innermost part that comes. Raises `Unreadable`."""
    token = parser.take()
    match token.kind:
        case "number":
            return _based(parser, token) if parser.took("operator", "_") else number(token.value)
        case "name":
            return _name(parser, token)
        case "command" if token.text != "{":
            return _command(parser, token)
        case "begin":
            return _matrix(parser, token.text)
        case "operator" if token.text == "{":
            inner = parser.statement() if not parser.is_next("operator", "}") else ("set", ())
            parser.expect("operator", "}")
            return inner if inner[0] not in ("row", "dots") else ("set", inner[1])
        case "operator" if token.text == "|":
            inner = parser.sum()
            parser.expect("operator", "|")
            return ("call", "abs", (inner,))
        case "operator" if token.text == "...":
            return ("dots", ())
    return _bracketed(parser, rf"\{token.text}" if token.kind == "command" else token.text)


def _based(parser: Grammar, token: Token) -> Tree:
    """A number written in the base that its index names: 2516_8."""
    base_sign = _index(parser)
    base = BASES.get(base_sign) or (int(base_sign) if base_sign.isdigit() else 0)
    return number(in_base(token.text, base))


def in_base(digits: str, base: int) -> int:
    """The value of digits in a base from 2 to 36. Raises `Unreadable` if they are none of it."""
    if not 2 <= base <= 36 or not digits.isalnum():
        raise Unreadable("no number of a base")
    try:
        return int(digits, base)
    except ValueError:
        raise Unreadable(f"no digits of base {base}") from None


def _index(parser: Grammar) -> str:
    """Subscript of a name or a number, as text."""
    if not parser.took("operator", "{"):
        return parser.take().text
    inside = ""
    while not parser.took("operator", "}"):
        token = parser.take()
        if token.text == "{":
            raise Unreadable("braces within an index")
        inside += token.text
    return inside.strip()


def _name(parser: Grammar, token: Token) -> Tree:
    """A variable, a constant, a function, or several letters that are multiplied."""
    text = token.text
    bare = text.rstrip("'")
    if bare in FUNCTIONS and not text.endswith("'"):
        return _function(parser, FUNCTIONS[bare])
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text in GREEK and len(text) > 1:
        return ("sym", _indexed(parser, text))
    if len(bare) == 1:
        if bare in parser.calls and parser.is_next("operator", "(") and not parser.next().spaced:  # type: ignore[union-attr]
            return _applied(parser, f"function {text}")
        if text == "j" and parser.at > 1 and parser.signs[parser.at - 2].kind == "number":
            return _CONSTANTS["i"]
        return ("sym", _indexed(parser, text))
    if text.lower() in _WORDS or not re.fullmatch(r"[a-zA-Z]{2}|a?[b-df-hj-np-tv-z]{2,3}", text):
        raise Unreadable(f"a word: {text}")
    following = parser.next()
    if following is not None and following.kind == "number":
        raise Unreadable("a formula of chemistry, or a word between numbers: 5 vs 3")
    return ("mul", tuple(_CONSTANTS.get(letter, ("sym", letter)) for letter in text))


def _indexed(parser: Grammar, name: str) -> str:
    following = parser.next()
    if (
        following is not None
        and following.kind == "number"
        and not following.spaced
        and len(name) == 1
        and following.text.isdigit()
    ):
        return f"{name}_{parser.take().text}"  # x1
    return f"{name}_{_index(parser)}" if parser.took("operator", "_") else name


def _applied(parser: Grammar, name: str) -> Tree:
    """A function with what stands in the brackets behind it."""
    parser.expect("operator", "(")
    inner = parser.row()
    parser.expect("operator", ")")
    return ("call", name, inner[1] if inner[0] == "row" else (inner,))


def _function(parser: Grammar, name: str) -> Tree:
    r"""A function of what is in brackets, or of the factors that follow: sin(x), \sin 2x, \log_2 8, \sin^2 x, sqrt3."""
    base = None
    if name == "log" and parser.took("operator", "_"):
        sign = parser.next()
        base = parser.braced() if sign is not None and sign.text == "{" else atom(parser)
    if (
        name == "log"
        and base is None
        and (sign := parser.next()) is not None
        and sign.kind == "number"
        and not sign.spaced
    ):
        following = parser.next(1)
        if following is not None and following.text == "(":
            base = number(parser.take().value)  # log2(8)
    exponent = parser.exponent() if parser.took("operator", "^", "**") else None
    if exponent is not None and canonical(exponent) == MINUS:
        name, exponent = f"a{name}", None
        if name not in ("asin", "acos", "atan"):
            raise Unreadable("an inverse")
    arguments = _arguments(parser)
    tree = _called(name, base, arguments)
    return tree if exponent is None else ("pow", tree, exponent)


def _arguments(parser: Grammar) -> tuple[Tree, ...]:
    if parser.is_next("operator", "("):
        inner = _applied(parser, "")
        return inner[2]  # type: ignore[no-any-return]
    if parser.is_next("operator", "{"):
        return (parser.braced(),)
    if parser.is_next("operator", "|"):
        return (atom(parser),)
    inner = parser.power()
    while (
        parser.begins_factor()
        and not _is_function(parser.next())
        and not parser.is_next("operator", "(")
    ):
        inner = ("mul", (inner, parser.power()))
    return (inner,)


def _is_function(token: Token | None) -> bool:
    return token is not None and token.text in FUNCTIONS


def _called(name: str, base: Tree | None, arguments: tuple[Tree, ...]) -> Tree:
    first = arguments[0]
    match name, len(arguments):
        case "sqrt", 1:
            return ("pow", first, HALF)
        case "cbrt", 1:
            return ("pow", first, number(Fraction(1, 3)))
        case "exp", 1:
            return ("pow", ("sym", "E"), first)
        case "log", 2:
            base, first = arguments[1], arguments[0]
        case "lg", 1:
            return _called("log", None, arguments)
    if name == "log":
        # Without a base a natural logarithm cannot be told from a common one; the unknown base is the same everywhere.
        below = base if base is not None else ("sym", "base of log")
        value, by = rational(canonical(first)), rational(canonical(below))
        if (
            value is not None
            and by is not None
            and (exact := exact_logarithm(value, by)) is not None
        ):
            return number(exact)
        return ("mul", (("call", "ln", (first,)), ("pow", ("call", "ln", (below,)), MINUS)))
    if len(arguments) > 1 and name not in ("max", "min", "gcd", "lcm", "binomial"):
        raise Unreadable(f"several arguments of {name}")
    return ("call", name, arguments)


def _command(parser: Grammar, token: Token) -> Tree:
    """Value of a TeX command and what follows it."""
    name = token.text
    if name in FUNCTIONS and name not in ("sqrt", "cbrt"):
        return _function(parser, FUNCTIONS[name])
    match name:
        case "frac":
            above = _argument(parser)
            return ("mul", (above, ("pow", _argument(parser), MINUS)))
        case "binom" | "dbinom" | "tbinom":
            above = _argument(parser)
            return ("call", "binomial", (above, _argument(parser)))
        case "sqrt":
            degree: Tree = number(2)
            if parser.took("operator", "["):
                degree = parser.sum()
                parser.expect("operator", "]")
            inside = (
                _applied(parser, "")[2][0] if parser.is_next("operator", "(") else _argument(parser)
            )
            return ("pow", inside, ("pow", degree, MINUS))
        case "cbrt":
            return ("pow", _argument(parser), number(Fraction(1, 3)))
        case "lfloor" | "lceil":
            inside = parser.sum()
            parser.expect("command", "rfloor" if name == "lfloor" else "rceil")
            return ("call", "floor" if name == "lfloor" else "ceil", (inside,))
        case "overline":
            return ("call", "overline", (_argument(parser),))
    if name in _CONSTANTS:
        return _CONSTANTS[name]
    if name in GREEK:
        return ("sym", _indexed(parser, name))
    raise Unreadable(f"a command: {name}")


def _argument(parser: Grammar) -> Tree:
    """Argument of a command of TeX: what is in braces, or one sign."""
    if parser.is_next("operator", "{"):
        return parser.braced()
    token = parser.next()
    if token is not None and token.kind == "number" and len(token.text) > 1 and not token.spaced:
        raise Unreadable("an argument of several digits without braces")
    if token is not None and token.kind in ("number", "name", "command"):
        return atom(parser)
    raise Unreadable("a command without its argument")


def _bracketed(parser: Grammar, opening: str) -> Tree:
    """Content of brackets: one formula, a point, a list, a set, an interval with one end of each kind."""
    if opening not in _CLOSING:
        raise Unreadable(f"{opening!r} where a formula begins")
    closing = _CLOSING[opening]
    if _took(parser, closing):
        return ({"(": "tuple", "[": "list"}.get(opening, "set"), ())
    inner = parser.statement()
    if (
        opening == r"\{"
        and inner[0] == "all"
        and inner[1][0][0] == "rel"
        and inner[1][0][1] in ("mid", ":")
    ):
        inner = (
            inner[1][1] if len(inner[1]) == 2 else ("all", inner[1][1:])
        )  # a set by a condition is the condition
        if not _took(parser, closing):
            raise Unreadable("a set that does not close")
        return inner
    ends = next((end for end in (")", "]", r"\}") if _took(parser, end)), None)
    if ends != closing:
        if inner[0] == "row" and len(inner[1]) == 2 and {opening, ends} <= {"(", "[", ")", "]"}:
            return ("half", f"{opening}{ends}", *inner[1])
        raise Unreadable("brackets that do not match")
    items = inner[1] if inner[0] == "row" else (inner,)
    if opening == "(":
        return inner if inner[0] != "row" else ("tuple", items)
    return ("list" if opening == "[" else "set", items)


def _took(parser: Grammar, closing: str) -> bool:
    return parser.took("command", "}") if closing == r"\}" else parser.took("operator", closing)


def _matrix(parser: Grammar, environment: str) -> Tree:
    if not re.fullmatch(r"[pbvBV]?matrix|smallmatrix|array", environment):
        raise Unreadable(f"an environment: {environment}")
    if environment == "array" and parser.took("operator", "{"):
        while not parser.took("operator", "}"):
            parser.take()
    rows: list[list[Tree]] = [[]]
    while not parser.took("end", environment):
        if rows[-1]:
            if parser.took("command", "\\"):
                rows += (
                    [[]]
                    if parser.next() is not None and not parser.is_next("end", environment)
                    else []
                )
                continue
            parser.expect("operator", "&")
        rows[-1].append(parser.sum())
    matrix: Tree = ("matrix", tuple(tuple(row) for row in rows))
    return ("call", "det", (matrix,)) if environment == "vmatrix" else matrix
