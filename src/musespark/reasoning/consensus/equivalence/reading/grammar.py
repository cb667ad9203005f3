"""A position in a list of signs, and the rules of the grammar that its innermost parts go back to."""

from __future__ import annotations

from abc import ABC, abstractmethod

from musespark.reasoning.consensus.equivalence.reading.tokens import Token
from musespark.reasoning.consensus.equivalence.reading.trees import Tree
from musespark.reasoning.consensus.equivalence.reading.unreadable import Unreadable


class Grammar(ABC):
    """Steps through one list of signs. `syntax.Parser` has the rules."""

    def __init__(self, signs: list[Token], calls: frozenset[str]) -> None:
        """calls: single letters that name a function here, as `P` does in `P(x) = 2x`."""
        self.signs = signs
        self.at = 0
        self.calls = calls

    def next(self, ahead: int = 0) -> Token | None:
        """The sign that comes; None at the end."""
        return self.signs[self.at + ahead] if self.at + ahead < len(self.signs) else None

    def is_next(self, kind: str, *texts: str) -> bool:
        """True if that sign comes next."""
        sign = self.next()
        return sign is not None and sign.kind == kind and sign.text in texts

    def take(self) -> Token:
        """The sign that comes, and step over it. Raises `Unreadable` at the end."""
        sign = self.next()
        if sign is None:
            raise Unreadable("it ends early")
        self.at += 1
        return sign

    def took(self, kind: str, *texts: str) -> bool:
        """Step over that sign if it comes next."""
        if self.is_next(kind, *texts):
            self.at += 1
            return True
        return False

    def expect(self, kind: str, text: str) -> None:
        """Step over that sign. Raises `Unreadable` if another comes."""
        if not self.took(kind, text):
            raise Unreadable(f"no {text!r} where one belongs")

    def braced(self) -> Tree:
        """Content of braces, which group in TeX and are no set."""
        self.expect("operator", "{")
        inner = self.sum()
        self.expect("operator", "}")
        return inner

    @abstractmethod
    def statement(self) -> Tree:
        """Everything: parts that all hold, or any of which holds."""

    @abstractmethod
    def row(self) -> Tree:
        """Items between commas or semicolons."""

    @abstractmethod
    def sum(self) -> Tree:
        """Terms between plus, minus and plus-or-minus."""

    @abstractmethod
    def power(self) -> Tree:
        """A base with its exponent."""

    @abstractmethod
    def exponent(self) -> Tree:
        """Exponent of a base."""

    @abstractmethod
    def begins_factor(self) -> bool:
        """True if what comes is multiplied although no sign says so."""
