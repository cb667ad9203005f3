"""The interface of a task: it generates problems, solves them, writes training thoughts, reads questions and verifies answers."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from musespark.nano.arrays import Pixels
from musespark.nano.trace import Branch

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class TaskProblem:
    """A question as a person asks it, with facts that only the task knows."""

    task: str
    question: str
    answer: str
    """One right answer, from the solver."""
    image: Pixels | None = None
    """(height, width, 3) uint8, of any size."""
    key: str = ""
    """Identity of the problem apart from its wording and drawing; decides on which side of the split it is."""
    facts: Mapping[str, Any] = field(default_factory=dict)


class Task(Protocol):
    """One kind of problem that the native model is trained on."""

    name: str

    def generate(self, rng: random.Random, held_out: bool) -> TaskProblem:
        """Generate a random problem from one side of the split."""

    def write_thought(
        self, problem: TaskProblem, mode: str, branch: Branch, rng: random.Random
    ) -> None:
        """Write the tokens that the model should write after the mode's token, from the task's token to <eos>."""

    def is_right(self, problem: TaskProblem, answer: str) -> bool:
        """Return True if the answer solves a problem whose facts are known."""

    def verify(self, question: str, image: Pixels | None, answer: str) -> bool | None:
        """Return True if the answer solves the question as it was asked, None if the question cannot be checked.

        If any part was not understood, one word of the question or one spot of the image, the result is None.
        """

    def abstention_reason(self, question: str, image: Pixels | None) -> str | None:
        """Return the reason to abstain, as a clause without a full stop; None if the model may try to answer."""


class ShuffledCycle(Generic[_Item]):
    """Items that each random generator draws in an order of its own: every item once, then the same order again."""

    def __init__(self, items: Callable[[], Sequence[_Item]]) -> None:
        """items: called when the first item is drawn."""
        self._items = items
        self._orders: WeakKeyDictionary[random.Random, Iterator[_Item]] = WeakKeyDictionary()

    def draw_next(self, rng: random.Random) -> _Item:
        """Return the next item of this generator."""
        order = self._orders.get(rng)
        if order is None:
            shuffled = list(self._items())
            rng.shuffle(shuffled)
            order = self._orders[rng] = itertools.cycle(shuffled)
        return next(order)


def held_out(key: str) -> bool:
    """Return True for one problem in sixteen, which is never trained on. The split is a hash, so it holds for every seed."""
    return hashlib.sha256(key.encode()).digest()[0] % 16 == 0
