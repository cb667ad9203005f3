"""Groups of equal answers with stable letters: a group keeps its letter while answers arrive, groups merge and leaders change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count, zip_longest
from string import ascii_letters, ascii_uppercase

from musespark.events import Agreed

_LETTERS = ascii_uppercase + ascii_letters[:26]


@dataclass(frozen=True, slots=True)
class LetteredGroup:
    """Agents whose answers are the same."""

    number: int
    """From 0, in the order in which groups first appeared."""
    answer: str
    """Short answer."""
    agents: tuple[str, ...]

    @property
    def letter(self) -> str:
        """Letter of the group."""
        return _LETTERS[self.number] if self.number < len(_LETTERS) else "*"


def relabel(before: Sequence[LetteredGroup], now: Agreed) -> tuple[LetteredGroup, ...]:
    """The groups of an event, in its order. Each takes the letter of the earlier group it has most in common with."""
    fresh = [
        LetteredGroup(-1, answer or "", agents or ())
        for agents, answer in zip_longest(now.groups, now.answers)
    ]
    known = {group.number for group in before}
    pairs = [
        (common, -old.number, -index)
        for old in before
        for index, new in enumerate(fresh)
        if (common := _common(old, new))
    ]
    numbers: dict[int, int] = {}
    for _, number, index in sorted(pairs, reverse=True):
        if -index not in numbers and -number in known:
            numbers[-index] = -number
            known.remove(-number)
    unused = (number for number in count() if all(number != group.number for group in before))
    return tuple(
        replace(group, number=numbers[index] if index in numbers else next(unused))
        for index, group in enumerate(fresh)
    )


def _common(old: LetteredGroup, new: LetteredGroup) -> int:
    """Similarity of two groups: the agents they share, and above all an equal answer."""
    return len(set(old.agents) & set(new.agents)) + 100 * (old.answer == new.answer != "")
