r"""A reader of formulas, plain (`pi/2`, `2*x**2`, `ln 2`) and in TeX, that reads all of an answer or refuses it.

Recursive descent over the signs of `tokens`, loosest first: or, and, rows of items, relations, unions, sums, products, powers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from musespark.reasoning.consensus.equivalence.reading import atoms
from musespark.reasoning.consensus.equivalence.reading.grammar import Grammar
from musespark.reasoning.consensus.equivalence.reading.tokens import tokens
from musespark.reasoning.consensus.equivalence.reading.trees import (
    MINUS,
    ONE,
    Tree,
    number,
)
from musespark.reasoning.consensus.equivalence.reading.unreadable import Unreadable

RELATIONS: Mapping[str, str] = {
    "=": "=",
    "==": "=",
    "<": "<",
    ">": ">",
    "<=": "<=",
    ">=": ">=",
    "!=": "!=",
    "le": "<=",
    "leq": "<=",
    "leqslant": "<=",
    "ge": ">=",
    "geq": ">=",
    "geqslant": ">=",
    "lt": "<",
    "gt": ">",
    "ne": "!=",
    "neq": "!=",
    "in": "in",
    "notin": "notin",
    "approx": "approx",
    "equiv": "equiv",
    "to": "to",
    "->": "to",
    "rightarrow": "to",
    "implies": "implies",
    "=>": "implies",
    "subset": "subset",
    "subseteq": "subseteq",
    "perp": "perp",
    "parallel": "parallel",
    "sim": "sim",
    "mid": "mid",
    "propto": "propto",
    ":": ":",
}
_SETS: Mapping[str, str] = {"cup": "union", "cap": "meet", "setminus": "without", "U": "union"}
_TIMES = frozenset({"cdot", "times", "ast"})
_AND, _OR = frozenset({"and", "land", "wedge"}), frozenset({"or", "lor", "vee"})


class Parser(Grammar):
    """The rules, loosest first."""

    def statement(self) -> Tree:
        """Everything: parts that all hold, or any of which holds."""
        return self._joined(_OR, "any", lambda: self._joined(_AND, "all", self.row))

    def _joined(self, words: frozenset[str], kind: str, part: Callable[[], Tree]) -> Tree:
        parts = [part()]
        while self.took("name", *words) or self.took("command", *words):
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        flat: list[Tree] = []
        for each in parts:  # 1, 2 and 3
            flat += each[1] if each[0] in ("row", kind) else (each,)
        return (kind, tuple(flat))

    def row(self) -> Tree:
        """Items between commas or semicolons."""
        items = [self.relation()]
        while self.took("operator", ",", ";"):
            if self.next() is None:
                break
            if self.is_next("name", *_AND, *_OR):
                break  # 1, 2, and 3
            items.append(self.relation())
        return items[0] if len(items) == 1 else ("row", tuple(items))

    def relation(self) -> Tree:
        """One formula, or a chain of formulas with relations between."""
        left = self.united()
        links: list[Tree] = []
        while (
            (sign := self.next()) is not None
            and sign.text in RELATIONS
            and (sign.kind in ("operator", "command") or sign.text == "in")
        ):
            self.take()
            right = self.united()
            links.append(("rel", RELATIONS[sign.text], left, right))
            left = right
        if not links:
            return left
        whole = links[0] if len(links) == 1 else ("all", tuple(links))
        return ("class", (whole, modulus)) if (modulus := self._modulus()) is not None else whole

    def _modulus(self) -> Tree | None:
        r"""The modulus in `(mod 7)` or `\pmod{7}`, if one comes."""
        if self.took("command", "pmod"):
            return self.atom()
        ahead = self.next(1)
        if self.is_next("operator", "(") and ahead is not None and ahead.text in ("mod", "bmod"):
            self.at += 2
            modulus = self.sum()
            self.expect("operator", ")")
            return modulus
        return None

    def united(self) -> Tree:
        """Formulas, or sets with unions between."""
        left = self.sum()
        while (
            (sign := self.next()) is not None
            and sign.kind in ("command", "name")
            and sign.text in _SETS
        ):
            self.take()
            kind, right = _SETS[sign.text], self.sum()
            inner = left[1] if left[0] == kind and kind != "without" else (left,)
            left = (kind, (*inner, right))
        modulus = self._modulus()
        return left if modulus is None else ("class", (left, modulus))

    def sum(self) -> Tree:
        """Terms between plus, minus and plus-or-minus; the last gives both values as a row."""
        terms: list[Tree] = []
        either: Tree | None = None
        while True:
            sign = ONE
            while self.is_next("operator", "+", "-") or self.is_next("command", "pm"):
                token = self.take()
                if token.text == "pm":
                    if either is not None:
                        raise Unreadable("two signs that are each both")
                    either = MINUS  # told below which term it belongs to
                sign = ("mul", (MINUS, sign)) if token.text == "-" else sign
            term = self.product()
            if either == MINUS:
                either = term
            else:
                terms.append(term if sign == ONE else ("mul", (sign, term)))
            if not (self.is_next("operator", "+", "-") or self.is_next("command", "pm")):
                break
        whole = terms[0] if len(terms) == 1 else ("add", tuple(terms))
        if either is None:
            return whole
        return ("row", (("add", (*terms, either)), ("add", (*terms, ("mul", (MINUS, either))))))

    def product(self) -> Tree:
        """Factors, with a sign between or none; division goes from left to right."""
        left = self.power()
        while True:
            if self.took("operator", "*") or self.took("command", *_TIMES):
                left = ("mul", (left, self.signed()))
            elif self.took("operator", "/") or self.took("command", "div"):
                left = ("mul", (left, ("pow", self.signed(), MINUS)))
            elif self.took("name", "mod") or self.took("command", "bmod", "mod"):
                left = ("call", "mod", (left, self.signed()))
            elif self.took("name", "choose"):
                left = ("call", "binomial", (left, self.signed()))
            elif self.begins_factor():
                if self.signs[self.at - 1].kind == "number" and self.is_next_number():
                    raise Unreadable("two numbers with nothing between")
                left = ("mul", (left, self.power()))
            else:
                return left

    def is_next_number(self) -> bool:
        """True if a number comes next."""
        sign = self.next()
        return sign is not None and sign.kind == "number"

    def signed(self) -> Tree:
        """A factor that may have a sign of its own: 2 * -3."""
        if self.took("operator", "-"):
            return ("mul", (MINUS, self.signed()))
        return self.signed() if self.took("operator", "+") else self.power()

    def begins_factor(self) -> bool:
        """True if what comes is multiplied although no sign says so."""
        sign = self.next()
        if sign is None:
            return False
        if sign.kind == "operator":
            return (sign.text == "(" and not self._is_modulus()) or sign.text == "{"
        if sign.kind == "name":
            return sign.text not in _AND | _OR | _SETS.keys() | {"mod", "choose", "in"}
        if sign.kind == "command":
            return sign.text in atoms.COMMANDS
        return sign.kind == "number"

    def _is_modulus(self) -> bool:
        ahead = self.next(1)
        return ahead is not None and ahead.text in ("mod", "bmod")

    def power(self) -> Tree:
        """A base with its exponent, which may have a sign."""
        base = self.postfix()
        if self.took("operator", "^", "**"):
            return ("pow", base, self.exponent())
        return base

    def exponent(self) -> Tree:
        """Exponent of a base: in TeX one digit, or what stands in braces; else a factor."""
        sign = self.next()
        if sign is not None and sign.kind == "operator" and sign.text == "{":
            return self.braced()
        return ("mul", (MINUS, self.exponent())) if self.took("operator", "-") else self.power()

    def postfix(self) -> Tree:
        """A factor with what is written behind it."""
        tree = self.atom()
        while True:
            if self.took("operator", "!"):
                if self.is_next("operator", "!"):
                    raise Unreadable("a double factorial, or two exclamation marks")
                tree = ("call", "factorial", (tree,))
            elif self.took("operator", "%"):
                tree = ("mul", (number(Fraction(1, 100)), tree))
            elif self.took("command", "degree"):
                tree = ("mul", (number(Fraction(1, 180)), ("sym", "PI"), tree))
            else:
                return tree

    def atom(self) -> Tree:
        """A number, a name, a function with what it is of, or something in brackets."""
        return atoms.atom(self)


_NAMED = re.compile(r"([a-zA-Z])\s*\(\s*[a-zA-Z0-9](?:\s*,\s*[a-zA-Z0-9])*\s*\)\s*=")


def parse(text: str) -> Tree:
    """The tree of a formula in the notation of `notation.plain`. Raises `Unreadable` if not all of it is one."""
    calls = frozenset(found[1] for found in (_NAMED.match(text),) if found) | set("fghFGH")
    signs = tokens(text)
    while signs and signs[0].text in ("=", "approx", "sim", "~"):
        signs = signs[1:]
    parser = Parser(signs, calls)
    try:
        tree = parser.statement()
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    if parser.next() is not None:
        raise Unreadable("more than a formula")
    return tree
