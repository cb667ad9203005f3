"""Questions with replies of real lengths: made up, log-normal, or recorded from real models."""

from __future__ import annotations

import asyncio
import math
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from musespark.evals.recording import TASKS, load
from musespark.models.recorded import count_tokens

AGENTS = 8
PIECE = 16
"""Tokens of one piece of a stream."""
HANG, REFUSED, CUT = "hang", "400", "cut"
MADE_UP, STRONG = "log-normal", "ranks 3-10"


@dataclass(frozen=True, slots=True)
class Planned:
    """One agent's reply: what it will say, how many tokens it takes, and what happens to it."""

    answer: str
    tokens: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """A question, its answer, and the replies of the eight."""

    gold: str
    replies: tuple[Planned, ...]


def timeline(reply: Planned, seed: str) -> list[float]:
    """Seconds before each piece of a reply: the wait for the first, then a pace of its own, with pauses and now and then a
    stall."""
    chance = random.Random(seed)
    first = chance.lognormvariate(math.log(0.6), 0.5)
    pace = chance.lognormvariate(math.log(60), 0.3)
    pieces = math.ceil(reply.tokens / PIECE)
    gaps = [
        PIECE / pace * chance.lognormvariate(-0.08, 0.4)
        + (chance.lognormvariate(0.0, 0.6) if chance.random() < 0.004 else 0.0)
        for _ in range(pieces)
    ]
    return [first + gaps[0], *gaps[1:]]


def with_faults(replies: Sequence[Planned], chance: random.Random) -> tuple[Planned, ...]:
    """The same with one that hangs, one that is refused and one that breaks off."""
    faulty = dict(zip(chance.sample(range(len(replies)), 3), (HANG, REFUSED, CUT), strict=True))
    return tuple(
        Planned(reply.answer, reply.tokens, faulty.get(index, ""))
        for index, reply in enumerate(replies)
    )


def synthetic(questions: int, seed: int) -> list[Scene]:
    """Questions of a difficulty, answered with a length that is log-normal (a factor of ten between short and long) and goes with
    being wrong on half of them, with being right on the others."""
    chance = random.Random(seed)
    scenes = []
    for number in range(questions):
        ability, lean = chance.betavariate(3, 2), chance.choice((-0.5, 0.5))
        replies = []
        for _ in range(AGENTS):
            right = chance.random() < ability
            length = chance.lognormvariate(math.log(400) + (lean if right else -lean) / 2, 0.8)
            wrong = chance.choices(("b", "c", "d", "e"), (4, 2, 1, 1))[0]
            replies.append(Planned("a" if right else wrong, max(8, int(length))))
        scenes.append(Scene("a", with_faults(replies, chance) if number % 2 else tuple(replies)))
    return scenes


async def recorded(
    directory: Path, task: str, ranks: slice, repeats: int, kept: Path | None
) -> list[Scene]:
    """Recorded answers of eight models, with the lengths of their outputs; each question `repeats` times, with faults of its own
    each time."""
    recording = await load(directory, task, kept)
    outputs = raw_outputs(directory, task)
    models = recording.ranked[ranks]
    chance = random.Random(0)
    scenes = []
    for number, question in enumerate(recording.questions * repeats):
        replies = []
        for model in models:
            answer = question.answers.get(model)
            group = question.same.groups[answer] if answer is not None else f"none of {model}"
            replies.append(
                Planned(label(group), max(8, count_tokens(outputs[question.id].get(model, ""))))
            )
        scenes.append(
            Scene(
                label(question.same.groups[question.gold]),
                with_faults(replies, chance) if number % 2 else tuple(replies),
            )
        )
    return scenes


def label(group: str) -> str:
    """A short name for a group of equal answers, the same for the same group."""
    return f"g{zlib.crc32(group.encode())}"


def raw_outputs(directory: Path, task: str) -> dict[str, dict[str, str]]:
    """Full texts by question and model."""
    import gzip
    import json

    with gzip.open(directory / f"{task}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {row["id"]: row["outputs"] for row in map(json.loads, lines)}


def sets(
    data: Path | None, questions: int, repeats: int, kept: Path | None
) -> dict[str, list[Scene]]:
    """The sets of questions, by name."""
    named = {MADE_UP: synthetic(questions, 0)}
    for task in TASKS if data else ():
        for ranks, name in ((slice(2, 10), STRONG), (slice(10, 18), "ranks 11-18")):
            named[f"{task}, {name}"] = asyncio.run(recorded(data, task, ranks, repeats, kept))
    return named
