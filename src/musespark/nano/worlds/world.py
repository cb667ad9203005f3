"""What a world is: it makes problems, solves them, writes down how to think about them, and checks answers."""

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
class Problem:
    """A question as a person asks it, and what only the world knows about it."""

    world: str
    question: str
    answer: str
    """One right answer, from the solver."""
    image: np.ndarray | None = None
    """(height, width, 3) uint8, at whatever size it was drawn."""
    key: str = ""
    """What makes the problem this one, whatever its wording and drawing; decides which side of the split it is on."""
    facts: Mapping[str, Any] = field(default_factory=dict)


class World(Protocol):
    """One kind of problem the native model is trained on."""

    name: str

    def problem(self, rng: random.Random, held_out: bool) -> Problem:
        """A random problem from one side of the split."""

    def think(self, problem: Problem, mode: str, branch: Branch, rng: random.Random) -> None:
        """Write what the model should do after the mode's token, from the world's token to <eos>."""

    def right(self, problem: Problem, answer: str) -> bool:
        """Whether the answer solves a problem whose facts are known."""

    def verify(self, question: str, image: np.ndarray | None, answer: str) -> bool | None:
        """True if the answer solves the question as it was asked; None when the question cannot be checked.

        What is not read whole, one word of the question or one spot of the picture, makes it None.
        """

    def outside(self, question: str, image: np.ndarray | None) -> str | None:
        """Why the model should abstain, as a clause without a full stop; None where it may try to answer."""


class Deck(Generic[_Card]):
    """Cards that each generator is dealt in an order of its own: every card once, then the same order again."""

    def __init__(self, cards: Callable[[], Sequence[_Card]]) -> None:
        """cards: asked for when the first one is dealt."""
        self._cards = cards
        self._orders: WeakKeyDictionary[random.Random, Iterator[_Card]] = WeakKeyDictionary()

    def deal(self, rng: random.Random) -> _Card:
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
