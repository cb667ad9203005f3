"""Labelled pairs of answers: some written by hand, the others made by kind from a seed; a part of them is held out.

A pair is two whole replies, perhaps with the question, and whether they give the same answer. Of every kind there are pairs that
are the same in another notation, and pairs in which a digit, a sign, a unit, a base, a relation or a choice was changed.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

HELD = 3
"""One of so many pairs is held out: nobody looks at it while rules are written."""
EACH = 40
"""Pairs that are made of each kind."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two replies and whether they give the same answer."""

    kind: str
    left: str
    right: str
    same: bool
    question: str = "q"

    @property
    def held(self) -> bool:
        """True if the pair is held out; that depends on its texts alone."""
        return hashlib.sha256(f"{self.left}\n{self.right}\n{self.question}".encode()).digest()[0] % HELD == 0


Maker = Callable[[random.Random], tuple[str, str, bool]]
"""Makes two answers, and says whether they are the same."""


def pair_of(chance: random.Random, forms: Sequence[str], others: Sequence[str]) -> tuple[str, str, bool]:
    """Half of the pairs are one value in two notations; in the others the second is one of another value."""
    if chance.random() < 0.5:
        left, right = chance.sample(list(dict.fromkeys(forms)), 2)
        return left, right, True
    return chance.choice(forms), chance.choice(others), False


def pairs(each: int = EACH, seed: int = 0) -> list[Pair]:
    """All pairs: those written by hand, and `each` of every kind that is made."""
    from musespark.evals.answer_kinds import KINDS

    found = list(written())
    for kind, make in KINDS.items():
        chance = random.Random(f"{seed} {kind}")
        found += _made(kind, partial(make, chance), chance, each)
    return list(dict.fromkeys(found))


def written() -> Iterator[Pair]:
    """The pairs written by hand, from `answer_pairs.jsonl` beside this file."""
    text = files("musespark.evals").joinpath("answer_pairs.jsonl").read_text(encoding="utf-8")
    for line in text.splitlines():
        row = json.loads(line)
        yield Pair(f"written: {row['kind']}", row["left"], row["right"], row["same"], row.get("question", "q"))


def _made(kind: str, make: Callable[[], tuple[str, str, bool]], chance: random.Random, each: int) -> Iterator[Pair]:
    for _ in range(each):
        left, right, same = make()
        yield Pair(kind, wrapped(left, chance), wrapped(right, chance), same)


WRAPPINGS = ("Answer: {}", "Final answer: {}", "**Answer:** {}", "Let me think.\n\nAnswer: {}", "<answer>{}</answer>",
             "The answer is {}.",
             "Antwort: {}", "答案：{}", "Respuesta: {}", "Ответ: {}")


def wrapped(answer: str, chance: random.Random) -> str:
    """A reply that gives the answer, in one of the ways models do."""
    form = chance.randrange(len(WRAPPINGS) + 2)
    if form == len(WRAPPINGS):
        return json.dumps({"answer": answer, "confidence": 0.8})
    if form == len(WRAPPINGS) + 1 and "\\" in answer:
        return rf"So it is \boxed{{{answer}}}."
    return WRAPPINGS[form % len(WRAPPINGS)].format(answer)
