"""The native model on what others ask: wordings, pictures and programs that are not its own templates.

A file of records (JSON, one a line) says what is asked: `kind` is the task, or `attack` for a question that must not be answered in
the usual way; `name` is how it differs; `q` the question; `maze` or `lake` a map, which is drawn in the style that the name says;
`want` or `truth` the right answer; `a` an answer that was once given. What matters most is counted first: answers that a verifier
confirms and that are wrong.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from musespark.errors import BadOption
from musespark.evals.outside_pictures import draw_lake, draw_maze, draw_shape
from musespark.nano import tiles
from musespark.nano.worlds import grid, load_world
from musespark.nano.worlds.code import tidy
from musespark.nano.worlds.code_reading import find_program, output_of
from musespark.nano.worlds.countdown import evaluate, solution
from musespark.nano.worlds.grid import Grid
from musespark.nano.worlds.lake import read_map

_LAKE_QUESTION = "Find a safe shortest path from the start to the goal on this frozen lake."
_LAKE_QUESTIONS = {
    "from the goal to the start": "Find a safe shortest path from the goal to the start on this frozen lake.",
    "fall into a hole": "Which moves lead from the start into a hole on this frozen lake?",
    "how many steps": "How many steps is the shortest safe path on this frozen lake?",
    "numbers 0-3": "Find a safe shortest path on this frozen lake. Answer with 0 for left, 1 for down, 2 for right, 3 for up.",
}
_CHANGED = (
    "reverse", "how many", "is there a way", "longest", "asked so", "from the goal", "fall into", "numbers 0-3", "unsolvable",
    "two shapes", "no picture",
)  # fmt: skip
"""In the name: the usual answer is no answer to this question."""


_NAMED_TARGET = re.compile(r"target(?: is)?[\s:=\"]*([0-9]+)", re.IGNORECASE)
_TARGET = re.compile(
    r"(?:make|get|reach|equals|calculate|to|->|=|=>|obtener|obtenez|zahl)[\s:=\"]*([0-9]+)", re.IGNORECASE
)


@dataclass(frozen=True)
class Asked:
    """One question, and what is known about it."""

    task: str
    name: str
    question: str
    image: np.ndarray | None
    answers: tuple[str, ...]
    """Answers that a model might give: the usual one, and one that was given."""
    rights: frozenset[str] | None = None
    """All answers that are right; None where `board` or `evaluate` tells."""
    board: Grid | None = None

    def is_right(self, answer: str) -> bool:
        """True if the answer is right, found out without any of the readers that a verifier uses."""
        if self.board is not None:
            return grid.is_shortest(self.board, answer)
        if self.rights is not None:
            return tidy(answer).lower() in self.rights
        found, target = evaluate(answer), _NAMED_TARGET.search(self.question) or _TARGET.search(self.question)
        if found is None or target is None:
            return False
        numbers = re.findall(r"[0-9]+", self.question[: target.start(1)] + " " + self.question[target.end(1) :])
        return found == (Fraction(target[1]), tuple(sorted(map(int, numbers))))


@dataclass
class Count:
    """Results on the questions of one kind."""

    asked: int = 0
    answered: int = 0
    right: int = 0
    confirmed: int = 0
    wrongly: int = 0
    """Confirmed and wrong."""
    refuted: int = 0
    abstained: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Count) -> None:
        """Add another count to this one."""
        for name in ("asked", "answered", "right", "confirmed", "wrongly", "refuted", "abstained"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)


def load(path: Path, classic: Path | None = None) -> list[Asked]:
    """The questions of a file; classic: where the art of gymnasium up to 1.2 lies, without which its pictures are left out.

    Raises `BadOption` where there is no such file, or a line of it is no record.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadOption("FILE", path, f"a file of records that can be read ({error.strerror})") from error
    asked: list[Asked] = []
    for number, line in enumerate(lines, 1):
        try:
            asked += _asked(json.loads(line), random.Random(number), classic)
        except (ValueError, KeyError, TypeError) as error:
            raise BadOption("FILE", path, f"a file of records; line {number} is none ({type(error).__name__}: {error})") from error
    return asked


def _asked(record: Mapping[str, Any], rng: random.Random, classic: Path | None) -> Iterator[Asked]:
    name, given = record["name"], record.get("a", {}).get("answer", "")
    task = record["kind"].removesuffix("-phrase")
    is_changed = task == "attack" or any(word in name for word in _CHANGED)
    none: frozenset[str] | None = frozenset() if is_changed else None
    if task == "attack":
        task = "code" if name.startswith("code") else "countdown"
    if task in ("maze", "lake"):
        yield from _on_a_map(task, record, none, given, classic)
    elif task == "shapes":
        want = record["want"] if isinstance(record["want"], list) else [record["want"]]
        image = draw_shape(name, record["q"], want, rng)
        rights = none if none is not None else frozenset(want)
        yield Asked(task, name, record["q"], image, (given, *want, "circle", "rectangle", "triangle", "brown"), rights)
    elif task == "code":
        source = find_program(record["q"])
        printed = output_of(source) if source else None
        truth = record.get("truth", [None])[0]
        rights = none if none is not None else frozenset([tidy(truth or printed or "").lower()])
        yield Asked(task, name, record["q"], None, tuple(filter(None, (given, printed))), rights)
    else:
        yield Asked(task, name, record["q"], None, tuple(filter(None, (given, *_usual(record["q"])))), none)


def _usual(question: str) -> Iterator[str]:
    """Expressions that make one of the question's numbers of the others, signs and conditions ignored."""
    numbers = [int(number) for number in re.findall(r"[0-9]+", question)][:5]
    for index, target in enumerate(numbers):
        rest = numbers[:index] + numbers[index + 1 :]
        if 2 <= len(rest) <= 4 and (found := solution([(n, str(n)) for n in rest], target)):
            yield found


def _on_a_map(
    task: str, record: Mapping[str, Any], none: frozenset[str] | None, given: str, classic: Path | None
) -> Iterator[Asked]:
    name = record["name"]
    image: np.ndarray | None
    if task == "maze":
        maze = record["maze"]
        question, image, board = record["q"], draw_maze(maze, name), _board(maze)
        usual = grid.solve(_board({**maze, "e": ()}))
    else:
        if name.startswith("old") and classic is None:
            return
        question = next((asked for key, asked in _LAKE_QUESTIONS.items() if key in name), _LAKE_QUESTION)
        question = name.partition("paraphrase: ")[2] or question
        image, board = draw_lake(record["lake"], name, classic), read_map(tuple(record["lake"]["desc"]))
        usual = grid.solve(board)
        if "after some steps" in name:  # whether the way begins where the figure stands, or at the start, is anybody's guess
            none = frozenset()
    yield Asked(task, name, question, image, tuple(filter(None, (given, usual))), none, board if none is None else None)


def _board(maze: Mapping[str, Any]) -> Grid:
    """The maze as a grid; the edge `e` is a wall, whatever its colour. What is no square is laid on one."""
    side = max(maze["R"], maze["C"])
    exits = [0] * side * side
    for pair in maze["P"]:
        if sorted(pair) == sorted(maze.get("e", ())):
            continue
        a, b = (cell // maze["C"] * side + cell % maze["C"] for cell in sorted(pair))
        there, back = (tiles.R, tiles.L) if b == a + 1 else (tiles.D, tiles.U)
        exits[a] |= there
        exits[b] |= back
    start, goal = (maze[end] // maze["C"] * side + maze[end] % maze["C"] for end in ("s", "g"))
    return Grid(side, start, goal, tuple(exits), (0,) * side * side)


def check_verifiers(questions: Iterable[Asked]) -> Iterator[tuple[Asked, Count]]:
    """Show every answer that a model might give to the verifier of its task; the network has no part in it."""
    for asked in questions:
        world = load_world(asked.task)
        reason = world.outside(asked.question, asked.image)
        verdicts = {answer: world.verify(asked.question, asked.image, answer) for answer in dict.fromkeys(asked.answers)}
        wrongly = any(verdict and not asked.is_right(answer) for answer, verdict in verdicts.items())
        refuted = any(verdict is False and asked.is_right(answer) for answer, verdict in verdicts.items())
        confirmed = reason is None and any(verdicts.values())
        right = reason is None and any(map(asked.is_right, verdicts))
        yield asked, Count(1, int(reason is None), int(right), int(confirmed), int(wrongly), int(refuted),
                           int(reason is not None), Counter([reason] if reason else []))  # fmt: skip


async def ask_model(questions: Iterable[Asked], mode: str) -> list[tuple[Asked, Count]]:
    """Ask the native model each question, as anyone would."""
    from musespark import ask
    from musespark.images import encode_png

    found = []
    for asked in questions:
        answer = await ask(asked.question, images=[] if asked.image is None else [encode_png(asked.image)], mode=mode)
        right = answer.status != "abstained" and asked.is_right(answer.answer)
        found.append((asked, Count(
            1, int(answer.status != "abstained"), int(right), int(answer.status == "verified"),
            int(answer.status == "verified" and not right), int(answer.status == "refuted"), int(answer.status == "abstained"),
            Counter([answer.abstained] if answer.abstained else []),
        )))  # fmt: skip
    return found


def totals(found: Iterable[tuple[Asked, Count]]) -> dict[tuple[str, str], Count]:
    """Counts by task and name, and by task under the name "all"."""
    sums: dict[tuple[str, str], Count] = {}
    for asked, count in found:
        for key in ((asked.task, asked.name), (asked.task, "all")):
            sums.setdefault(key, Count()).add(count)
    return sums
