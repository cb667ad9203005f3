"""The answers of a team so far, and the agreement between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from musespark.errors import BudgetExhausted, MuseError, PartFailed
from musespark.events import Agreed, Noted
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence import Equivalence, Limited
from musespark.reasoning.consensus.groups import AnswerGroup, AnswerGroups
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.budget_split import TokenAllocator

_SHORT = 80
"""Characters of an answer that are shown beside others."""


@dataclass
class AnswerPool:
    """Answers as they arrive, compared within the highest standing only: verified before whole ones, then unclear or cut ones, then
    refusals, then refuted ones."""

    run: RunContext
    equivalence: Equivalence
    allocator: TokenAllocator
    """The split of the budget among agents to come."""
    attempts: list[Attempt] = field(default_factory=list)
    stop_reason: str = ""
    """Why more answers would not change the winner; empty while they might."""
    budget_limited: bool = False
    """True if a budget kept an agent from answering."""
    undecided: bool = False
    """True once a note has said that some answers could not be compared."""
    initial_groups: tuple[AnswerGroup, ...] = ()
    """The groups of the independent answers, before any agent saw another's."""
    includes_partial: bool = False
    """True if answers that broke off or are unclear count beside whole ones, because whole ones are few and differ."""

    def __post_init__(self) -> None:
        self.groups = AnswerGroups(self.equivalence)

    async def add(self, attempt: Attempt) -> None:
        """Put an answer beside the others."""
        self.attempts.append(attempt)
        if self._standing(attempt) == max(map(self._standing, self.attempts)):
            if all(self._standing(one) == self._standing(attempt) for one in self.attempts):
                await self._grouped(attempt)
            else:
                await self._group_anew()

    async def replace(self, attempts: Iterable[Attempt]) -> None:
        """Other answers instead, each in the place of the one before."""
        self.attempts = list(attempts)
        await self._group_anew()

    async def include_partial(self) -> None:
        """Count answers that broke off or are unclear, too, if whole ones are less than half of all and no two of them agree; of
        equals, whole ones win."""
        few_are_whole = 2 * len(self.groups.attempts) < len(self.attempts)
        if self.comparable and not self.verified and few_are_whole and self.groups.counts[0] == 1:
            self.includes_partial = True
            await self._group_anew()

    def _standing(self, attempt: Attempt) -> int:
        standing = _standing(attempt)
        if not self.includes_partial or standing not in (_IN_DOUBT, _WHOLE):
            return standing
        return _IN_DOUBT if standing == _WHOLE or _has_answer(attempt) else _ABSTAINED

    async def _group_anew(self) -> None:
        """Only the answers of the highest standing are compared."""
        self.groups = AnswerGroups(self.equivalence)
        highest = max(map(self._standing, self.attempts))
        counted = [one for one in self.attempts if self._standing(one) == highest]
        try:
            with user_hook("same"):
                await self.run.within_deadline(
                    self.groups.add_all(sorted(counted, key=_standing, reverse=True))
                )
        except BudgetExhausted:  # no time to compare them all: what was found until now counts
            self.budget_limited = True

    async def _grouped(self, attempt: Attempt) -> None:
        try:
            with user_hook("same"):
                await self.run.within_deadline(self.groups.add(attempt))
        except BudgetExhausted:  # no time to compare it: what came until now still counts
            self.budget_limited = True
            self.groups.add_by_key(attempt)

    @property
    def verified(self) -> list[Attempt]:
        """The answers that something that knows has found right."""
        return [attempt for attempt in self.attempts if attempt.verified]

    @property
    def has_complete(self) -> bool:
        """True if an answer has come to its end."""
        return any(not attempt.cut for attempt in self.attempts)

    @property
    def comparable(self) -> bool:
        """True if the answers that are compared are whole, and none of them is known to be wrong."""
        return bool(self.attempts) and max(map(_standing, self.attempts)) >= _WHOLE

    def publish_agreement(self) -> None:
        """Emit the groups as they stand."""
        ranked = self.groups.ranked
        if (
            not self.undecided
            and isinstance(self.equivalence, Limited)
            and self.equivalence.undecided
        ):
            self.undecided = True
            self.run.emit(
                Noted(
                    "main",
                    "Some answers could not be compared in the time for it; they count as different.",
                )
            )
        self.run.emit(
            Agreed(
                tuple(group.agents for group in ranked),
                tuple(one_line(group.representative) for group in ranked),
                bool(self.stop_reason),
                self.stop_reason,
            )
        )


_REFUTED, _ABSTAINED, _IN_DOUBT, _WHOLE, _VERIFIED = range(5)


def _has_answer(attempt: Attempt) -> bool:
    """True if an unclear or cut reply came to an answer or a guess; one that a budget or a fault broke off has none."""
    return attempt.finish_reason in ("finished", "length") and (
        attempt.guessed or not attempt.unclear
    )


def _standing(attempt: Attempt) -> int:
    """Standing of an answer: one of a lower standing does not count beside it."""
    if attempt.verified is not None:
        return _VERIFIED if attempt.verified else _REFUTED
    if attempt.abstained:
        return _ABSTAINED
    return _IN_DOUBT if attempt.cut or attempt.unclear else _WHOLE


@contextmanager
def user_hook(name: str) -> Iterator[None]:
    """Run a part of the team that the caller may have replaced: its bugs are reported as its own (`PartFailed`)."""
    try:
        yield
    except MuseError:
        raise
    except Exception as error:
        raise PartFailed(name, error) from error


def one_line(attempt: Attempt) -> str:
    """An answer in one line."""
    said = attempt.answer or ", ".join(f"{call.name}({call.arguments})" for call in attempt.calls)
    line = " ".join(said.split())
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"
