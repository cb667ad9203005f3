"""Do the agents agree, and is it enough? Groups of answers that are the same, and the rule that stops asking."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from musespark.reasoning.attempt import Attempt
from musespark.reasoning.concurrency import gather
from musespark.reasoning.consensus.equivalence.protocols import (
    Contradictions,
    Equivalence,
    blank,
    declines,
)

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """Attempts with the same answer, in order of arrival."""

    attempts: tuple[Attempt, ...]

    @property
    def representative(self) -> Attempt:
        """The one that stands for the group."""
        return self.attempts[0]

    @property
    def answer(self) -> str:
        return self.representative.answer

    @property
    def agents(self) -> tuple[str, ...]:
        """Names of its agents."""
        return tuple(attempt.agent for attempt in self.attempts)

    @property
    def verified(self) -> bool:
        """True if something that knows found an answer of the group right."""
        return any(attempt.verified for attempt in self.attempts)

    def __len__(self) -> int:
        return len(self.attempts)


class AnswerGroups:
    """Attempts as they arrive, grouped by an equivalence.

    A new attempt is compared with one attempt of each key in every component, and joins all components with a match into one. If
    the equivalence is not transitive (5 km, 5, 5 m), a component may hold answers that contradict each other: it is split into
    groups without contradictions, the answers with most attempts first. So the groups do not depend on the order of arrival.

    A blank attempt is in no group. An attempt that declines to answer agrees with no other: it is in no group if any attempt has
    answered, and if all decline each is a group by itself.
    """

    def __init__(self, equivalence: Equivalence) -> None:
        self.equivalence = equivalence
        self.blank: list[Attempt] = []
        """Attempts that answered nothing."""
        self.declined: list[Attempt] = []
        """Attempts that declined to answer."""
        self._members: list[list[Attempt]] = []
        self._keys: list[dict[Hashable, Attempt]] = []
        """For each group one attempt of each key: what a newcomer has to be compared with."""
        self._arrived: dict[int, int] = {}
        self._contradictions: dict[frozenset[int], bool] = {}
        self._split: list[list[Attempt]] | None = None
        """The groups, until another attempt comes."""
        self._turn = asyncio.Lock()

    async def add(self, attempt: Attempt) -> None:
        """Add an attempt. Calls from several tasks take turns.

        Raises the error of the equivalence; the attempt is then in no group, nor if the call is cancelled.
        """
        async with self._turn:
            if self._is_aside(attempt):
                return
            key = self.equivalence.key(attempt)
            at = [index for index, keys in enumerate(self._keys) if key is not None and key in keys]
            if not at and not (self.equivalence.keyed and key is not None):
                at = await self._same_as(attempt)
            self._join(attempt, key, at)

    def add_by_key(self, attempt: Attempt) -> None:
        """Take an attempt in without comparing it with any but those of its own key."""
        if self._is_aside(attempt):
            return
        key = self.equivalence.key(attempt)
        self._join(
            attempt,
            key,
            [index for index, keys in enumerate(self._keys) if key is not None and key in keys],
        )

    def _is_aside(self, attempt: Attempt) -> bool:
        """True if the attempt has no answer that another could agree with; it is kept aside then."""
        if not blank(attempt) and not declines(attempt):
            return False
        self._arrived[id(attempt)] = len(self._arrived)
        (self.blank if blank(attempt) else self.declined).append(attempt)
        return True

    async def add_all(self, attempts: Iterable[Attempt]) -> None:
        """Add several attempts to an empty object by a merge sort: pairs of one are compared, then pairs of two, and all of one
        level at once. Groups and number of comparisons are those of adding one by one.

        Raises the error of the equivalence; all attempts are then in groups, as far as the finished levels have shown.
        """
        async with self._turn:
            for attempt in attempts:
                self.add_by_key(attempt)
            if self.equivalence.keyed:
                return
            cells = list(zip(self._members, self._keys, strict=True))
            blocks: list[list[frozenset[int]]] = [[frozenset({at})] for at in range(len(cells))]
            try:
                while len(blocks) > 1:
                    pairs = list(zip(blocks[::2], blocks[1::2], strict=False))
                    blocks = (
                        await gather(*(self._merged(*pair) for pair in pairs))
                        + blocks[2 * len(pairs) :]
                    )
            finally:
                parts = [sorted(part) for block in blocks for part in block]
                self._members = [
                    self._in_order(one for at in part for one in cells[at][0]) for part in parts
                ]
                self._split = None
                self._keys = [
                    {key: one for at in part for key, one in cells[at][1].items()} for part in parts
                ]

    async def _merged(
        self, left: list[frozenset[int]], right: list[frozenset[int]]
    ) -> list[frozenset[int]]:
        """Merge two lists of disjoint groups, given by the indices of their cells."""
        met = list(product(left, right))
        same = await gather(
            *(
                self._any_same(
                    [
                        (one, other)
                        for at in sorted(first)
                        for one in self._keys[at].values()
                        for beside in sorted(second)
                        for other in self._keys[beside].values()
                    ]
                )
                for first, second in met
            )
        )
        parts = [*left, *right]
        for (first, second), joined in zip(met, same, strict=True):
            one, other = (next(part for part in parts if each <= part) for each in (first, second))
            if joined and one != other:
                parts = [part for part in parts if part not in (one, other)] + [one | other]
        return parts

    async def _same_as(self, attempt: Attempt) -> list[int]:
        """Indices of the components that it belongs to, all compared at once."""
        found = await gather(
            *(self._any_same([(other, attempt) for other in keys.values()]) for keys in self._keys)
        )
        return [index for index, joined in enumerate(found) if joined]

    async def _any_same(self, pairs: Sequence[tuple[Attempt, Attempt]]) -> bool:
        """True if any pair is the same. The first pair tells most; only if it differs, the others are compared, all at once."""
        first, *others = pairs
        same = await self.equivalence.same(*first)
        return same or (
            bool(others) and any(await gather(*(self.equivalence.same(*pair) for pair in others)))
        )

    def _in_order(self, members: Iterable[Attempt]) -> list[Attempt]:
        return sorted(members, key=lambda member: self._arrived[id(member)])

    def _join(self, attempt: Attempt, key: Hashable | None, at: Sequence[int]) -> None:
        self._arrived[id(attempt)] = len(self._arrived)
        self._split = None
        members, keys = [attempt], {key if key is not None else object(): attempt}
        for index in reversed(at):
            members += self._members.pop(index)
            keys = {**keys, **self._keys.pop(index)}
        self._members.append(self._in_order(members))
        self._keys.append(keys)

    def __len__(self) -> int:
        return len(self._counted)

    @property
    def _counted(self) -> list[list[Attempt]]:
        """Attempts by group, in no order; refusals only if there is nothing else."""
        if not self._members:
            return [[attempt] for attempt in self.declined]
        if self._split is None:
            self._split = [
                group
                for keys, members in zip(self._keys, self._members, strict=True)
                for group in self._without_contradiction(keys, members)
            ]
        return self._split

    def _without_contradiction(
        self, keys: dict[Hashable, Attempt], members: list[Attempt]
    ) -> list[list[Attempt]]:
        """The members of a component, split if they contradict each other: each key joins the first group that it fits."""
        if len(keys) < 3 or not isinstance(self.equivalence, Contradictions):
            return [members]
        by_key: dict[Hashable, list[Attempt]] = {key: [] for key in keys}
        known = {id(one): key for key, one in keys.items()}
        for member in members:
            by_key[known.get(id(member), self.equivalence.key(member))].append(member)
        apart: list[list[Hashable]] = []
        for key in sorted(by_key, key=lambda key: (-len(by_key[key]), repr(key))):
            fitting = next(
                (
                    group
                    for group in apart
                    if not any(self._contradict(keys[key], keys[other]) for other in group)
                ),
                None,
            )
            if fitting is None:
                apart.append([key])
            else:
                fitting.append(key)
        return [
            self._in_order(member for key in group for member in by_key[key]) for group in apart
        ]

    def _contradict(self, left: Attempt, right: Attempt) -> bool:
        pair = frozenset((id(left), id(right)))
        if pair not in self._contradictions and isinstance(self.equivalence, Contradictions):
            self._contradictions[pair] = self.equivalence.contradict(left, right)
        return self._contradictions[pair]

    @property
    def ranked(self) -> tuple[AnswerGroup, ...]:
        """The groups, most attempts first; of equals the one that came first."""
        ordered = sorted(
            self._counted, key=lambda members: (-len(members), self._arrived[id(members[0])])
        )
        return tuple(AnswerGroup(tuple(members)) for members in ordered)

    @property
    def leader(self) -> AnswerGroup | None:
        """The group with most attempts; None before the first answer."""
        return next(iter(self.ranked), None)

    @property
    def counts(self) -> tuple[int, ...]:
        """Attempts of each group, leading first."""
        return tuple(sorted(map(len, self._counted), reverse=True))

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All that answered, as they came."""
        return tuple(self._in_order(one for members in self._counted for one in members))
