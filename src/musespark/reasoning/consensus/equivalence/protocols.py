"""The protocol of equivalences, and abilities that only some have."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol, runtime_checkable

from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence.extraction import marked_answer
from musespark.reasoning.consensus.equivalence.refusal import is_refusal


class Equivalence(Protocol):
    """A relation between answers.

    `key` is the cheap half: attempts of one key are the same, and nothing needs to be awaited. `same` is the whole of it: it may
    know that two attempts of different keys, or of none, are the same. It holds for an attempt and itself, and both ways round.
    """

    @property
    def name(self) -> str:
        """Name of the kind."""

    @property
    def keyed(self) -> bool:
        """True if the keys tell everything: `same` is then never worth asking."""

    def key(self, attempt: Attempt) -> Hashable | None:
        """The same for attempts that are the same at a glance; None if only `same` can tell."""

    async def same(self, left: Attempt, right: Attempt) -> bool:
        """True if one answer may stand for the other."""


@runtime_checkable
class Forms(Protocol):
    """An equivalence that knows which of several equal answers is in the requested form."""

    def formed(self, attempt: Attempt) -> bool:
        """True if the answer is in the form that was asked for, and not merely understood."""


@runtime_checkable
class Contradictions(Protocol):
    """An equivalence that is not transitive, and knows without a proof which answers of a component differ."""

    def contradict(self, left: Attempt, right: Attempt) -> bool:
        """True if the two are known to differ, whatever either is the same as. Nothing is awaited or proved."""


@runtime_checkable
class Limited(Protocol):
    """An equivalence that gives up on comparisons that take too long."""

    @property
    def undecided(self) -> int:
        """Comparisons that were given up; they count as different."""


def blank(attempt: Attempt) -> bool:
    """True if the attempt answers nothing: it joins no group and has no vote."""
    return not attempt.answer.strip() and not attempt.calls


def declines(attempt: Attempt) -> bool:
    """True if the attempt declines to answer, or says that it does not know, and marks no answer besides."""
    return (
        not attempt.calls
        and is_refusal(attempt.text)
        and marked_answer(attempt.text) in (None, attempt.text.strip())
    )
