"""Kinds of answer: what a reader makes of a text."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from musespark.reasoning.consensus.equivalence.reading.trees import Tree
from musespark.reasoning.consensus.equivalence.reading.units import Unit


@dataclass(frozen=True, slots=True)
class Decimal:
    """Precision with which a decimal fraction was written."""

    places: int
    """Digits behind the point."""
    digits: int
    """Significant digits."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A number or a formula, with its unit if it was written with one."""

    tree: Tree
    unit: Unit | None = None
    decimal: Decimal | None = None
    """For a decimal fraction alone: how precise it is."""
    percent: bool = False
    compound: bool = False
    """True if it was written in several units: 2 h 30 min."""
    note: str = ""
    """Words in brackets behind it."""


@dataclass(frozen=True, slots=True)
class Bound:
    """At least, at most, more than or less than a quantity."""

    relation: str
    """`>=`, `<=`, `>` or `<`."""
    limit: Formula


@dataclass(frozen=True, slots=True)
class Choice:
    """Letters of a multiple choice, in any order, with what stands beside a single one."""

    letters: frozenset[str]
    content: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, a time of day, or both; what was not told is None."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    minute: Fraction | None = None
    """Minutes since midnight."""


@dataclass(frozen=True, slots=True)
class Words:
    """Anything else: compared as normalised text."""

    text: str
    note: str = ""
    """Words in brackets behind it."""


Answer: TypeAlias = Formula | Bound | Choice | Moment | Words
