"""What a task is: it makes problems, solves them, writes down how to think about them, and checks answers."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from musespark.nano.trace import Branch

_Card = TypeVar("_Card")


@dataclass(frozen=True)
class TaskProblem:
    """A question as a person asks it, and what only the task knows about it."""

    task: str
    question: str
    answer: str
    """One right answer, from the solver."""
    picture: np.ndarray | None = None
    """(height, width, 3) uint8, at whatever size it was drawn."""
    key: str = ""
    """What makes the problem this one, whatever its wording and drawing; decides which side of the split it is on."""
    facts: Mapping[str, Any] = field(default_factory=dict)


class Task(Protocol):
    """One kind of problem the native model is trained on."""

    name: str

    def generate(self, rng: random.Random, held_out: bool) -> TaskProblem:
        """A random problem from one side of the split."""

    def write_thought(self, problem: TaskProblem, mode: str, branch: Branch, rng: random.Random) -> None:
        """Write what the model should do after the mode's token, from the task's token to <eos>."""

    def is_right(self, problem: TaskProblem, answer: str) -> bool:
        """Whether the answer solves a problem whose facts are known."""

    def verify(self, question: str, picture: np.ndarray | None, answer: str) -> bool | None:
        """True if the answer solves the question as it was asked; None when the question cannot be checked.

        What is not read whole, one word of the question or one spot of the picture, makes it None.
        """

    def abstention_reason(self, question: str, picture: np.ndarray | None) -> str | None:
        """Why the model should abstain, as a clause without a full stop; None where it may try to answer."""


class ShuffledCycle(Generic[_Card]):
    """Cards that each generator is dealt in an order of its own: every card once, then the same order again."""

    def __init__(self, cards: Callable[[], Sequence[_Card]]) -> None:
        """cards: asked for when the first one is dealt."""
        self._cards = cards
        self._orders: WeakKeyDictionary[random.Random, Iterator[_Card]] = WeakKeyDictionary()

    def draw_next(self, rng: random.Random) -> _Card:
        """The next card of this generator."""
        order = self._orders.get(rng)
        if order is None:
            shuffled = list(self._cards())
            rng.shuffle(shuffled)
            order = self._orders[rng] = itertools.cycle(shuffled)
        return next(order)


def held_out(key: str) -> bool:
    """One problem in sixteen is never trained on: the split is a hash, so it holds for every generator and seed."""
    return hashlib.sha256(key.encode()).digest()[0] % 16 == 0
