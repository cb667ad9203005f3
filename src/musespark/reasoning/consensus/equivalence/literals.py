"""The same Python value: [(4, 1)] is [(4,1)], and 'a' is "a"."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Hashable
from typing import Any

from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence.values import DEEPEST

LONGEST = 10_000
_SPACE = re.compile(r"\s+")


class Literals:
    """Answers that are the same Python literal. A bare word is the string of it: models forget the quotes."""

    name = "literal"
    keyed = True

    def key(self, attempt: Attempt) -> Hashable:
        return literal_key(attempt.answer)

    async def same(self, left: Attempt, right: Attempt) -> bool:
        return self.key(left) == self.key(right)

    def formed(self, attempt: Attempt) -> bool:
        """True if the answer is a literal as it stands."""
        try:
            literal(attempt.answer.strip())
        except ValueError:
            return False
        return True


def literal_key(text: str) -> Hashable:
    """The same for texts that are the same Python literal; a text that is none is taken as a string."""
    plain = text.strip().strip("`").strip()
    try:
        return _hashable(literal(plain))
    except ValueError:
        return str, _SPACE.sub(" ", plain)


def literal(text: str) -> Any:
    """The value of a Python literal; raises `ValueError` for everything else. Nothing is evaluated."""
    if len(text) > LONGEST:
        raise ValueError("too long")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the compiler, about what models write: 1is
            return ast.literal_eval(text)
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("not a literal") from error


def _hashable(value: Any, deepest: int = DEEPEST) -> Hashable:
    if not deepest:
        raise ValueError("nested too deeply")
    match value:
        case dict():
            return dict, frozenset(
                (_hashable(key, deepest - 1), _hashable(item, deepest - 1))
                for key, item in value.items()
            )
        case set():
            return set, frozenset(_hashable(item, deepest - 1) for item in value)
        case list() | tuple():
            return type(value), tuple(_hashable(item, deepest - 1) for item in value)
        case str():
            return str, _SPACE.sub(" ", value) if value.strip() else value
        case float() if value != value:
            return float, "nan"
        case _:
            return type(value), value
