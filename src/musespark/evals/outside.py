"""The native model on questions of others: wordings, images and programs that are not its own templates.

The questions are JSON records, one a line: `kind` is the task, or `attack` for a question that must not get the usual answer;
`name` says how it differs; `q` is the question; `maze` or `lake` a map, drawn in the style of the name; `want` or `truth` the right
answer; `a` an answer that a model once gave. The most important count is that of wrong answers that a verifier confirms.
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

from musespark.errors import BadOption
from musespark.evals.outside_images import draw_lake, draw_maze, draw_shape
from musespark.nano import tiles
from musespark.nano.arrays import Array
from musespark.nano.tasks import grid, load_task
from musespark.nano.tasks.code import tidy
from musespark.nano.tasks.code_reading import find_program, output_of
from musespark.nano.tasks.countdown import evaluate, solution
from musespark.nano.tasks.grid import Grid
from musespark.nano.tasks.lake import read_map

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
"""Parts of names of questions whose usual answer is wrong."""


_NAMED_TARGET = re.compile(r"target(?: is)?[\s:=\"]*([0-9]+)", re.IGNORECASE)
_TARGET = re.compile(
    r"(?:make|get|reach|equals|calculate|to|->|=|=>|obtener|obtenez|zahl)[\s:=\"]*([0-9]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class OutsideQuestion:
    """One question with its candidate answers and its right ones."""

    task: str
    name: str
    question: str
    image: Array | None
    answers: tuple[str, ...]
    """Candidate answers: the usual one, and one that a model gave."""
    rights: frozenset[str] | None = None
    """All right answers; None if `board` or `evaluate` decides."""
    board: Grid | None = None

    def is_right(self, answer: str) -> bool:
        """Return True if the answer is right, determined without the readers of the verifiers."""
        if self.board is not None:
            return grid.is_shortest(self.board, answer)
        if self.rights is not None:
            return tidy(answer).lower() in self.rights
        found, target = (
            evaluate(answer),
            _NAMED_TARGET.search(self.question) or _TARGET.search(self.question),
        )
        if found is None or target is None:
            return False
        numbers = re.findall(
            r"[0-9]+", self.question[: target.start(1)] + " " + self.question[target.end(1) :]
        )
        return found == (Fraction(target[1]), tuple(sorted(map(int, numbers))))


@dataclass
class VerdictCounts:
    """Counts of results for the questions of one kind."""

    asked: int = 0
    answered: int = 0
    right: int = 0
    confirmed: int = 0
    wrongly: int = 0
    """Confirmed and wrong."""
    refuted: int = 0
    abstained: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: VerdictCounts) -> None:
        """Add another count to this one."""
        for name in ("asked", "answered", "right", "confirmed", "wrongly", "refuted", "abstained"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)


def load(path: Path, classic: Path | None = None) -> list[OutsideQuestion]:
    """Read the questions of a file; classic: directory with the art of gymnasium up to 1.2, without which its images are left
    out.

    Raises `BadOption` if there is no such file, or a line of it is not a record.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadOption(
            "FILE", path, f"a file of records that can be read ({error.strerror})"
        ) from error
    asked: list[OutsideQuestion] = []
    for number, line in enumerate(lines, 1):
        try:
            asked += _read_record(json.loads(line), random.Random(number), classic)
        except (ValueError, KeyError, TypeError) as error:
            raise BadOption(
                "FILE",
                path,
                f"a file of records; line {number} is none ({type(error).__name__}: {error})",
            ) from error
    return asked


def _read_record(
    record: Mapping[str, Any], rng: random.Random, classic: Path | None
) -> Iterator[OutsideQuestion]:
    name, given = record["name"], record.get("a", {}).get("answer", "")
    task = record["kind"].removesuffix("-phrase")
    is_changed = task == "attack" or any(word in name for word in _CHANGED)
    none: frozenset[str] | None = frozenset() if is_changed else None
    if task == "attack":
        task = "code" if name.startswith("code") else "countdown"
    if task in ("maze", "lake"):
        yield from _read_map_record(task, record, none, given, classic)
    elif task == "shapes":
        want = record["want"] if isinstance(record["want"], list) else [record["want"]]
        image = draw_shape(name, record["q"], want, rng)
        rights = none if none is not None else frozenset(want)
        yield OutsideQuestion(
            task,
            name,
            record["q"],
            image,
            (given, *want, "circle", "rectangle", "triangle", "brown"),
            rights,
        )
    elif task == "code":
        source = find_program(record["q"])
        printed = output_of(source) if source else None
        truth = record.get("truth", [None])[0]
        rights = none if none is not None else frozenset([tidy(truth or printed or "").lower()])
        yield OutsideQuestion(
            task, name, record["q"], None, tuple(filter(None, (given, printed))), rights
        )
    else:
        yield OutsideQuestion(
            task,
            name,
            record["q"],
            None,
            tuple(filter(None, (given, *_usual_answers(record["q"])))),
            none,
        )


def _usual_answers(question: str) -> Iterator[str]:
    """Return expressions that make one of the question's numbers from the others, ignoring signs and conditions."""
    numbers = [int(number) for number in re.findall(r"[0-9]+", question)][:5]
    for index, target in enumerate(numbers):
        rest = numbers[:index] + numbers[index + 1 :]
        if 2 <= len(rest) <= 4 and (found := solution([(n, str(n)) for n in rest], target)):
            yield found


def _read_map_record(
    task: str,
    record: Mapping[str, Any],
    none: frozenset[str] | None,
    given: str,
    classic: Path | None,
) -> Iterator[OutsideQuestion]:
    name = record["name"]
    image: Array | None
    if task == "maze":
        maze = record["maze"]
        question, image, board = record["q"], draw_maze(maze, name), _board(maze)
        usual = grid.solve(_board({**maze, "e": ()}))
    else:
        if name.startswith("old") and classic is None:
            return
        question = next(
            (asked for key, asked in _LAKE_QUESTIONS.items() if key in name), _LAKE_QUESTION
        )
        question = name.partition("paraphrase: ")[2] or question
        image, board = (
            draw_lake(record["lake"], name, classic),
            read_map(tuple(record["lake"]["desc"])),
        )
        usual = grid.solve(board)
        if (
            "after some steps" in name
        ):  # it is ambiguous if the path begins at the figure or at the start
            none = frozenset()
    yield OutsideQuestion(
        task,
        name,
        question,
        image,
        tuple(filter(None, (given, usual))),
        none,
        board if none is None else None,
    )


def _board(maze: Mapping[str, Any]) -> Grid:
    """Convert a maze to a grid; the edge `e` is a wall of any colour. A maze that is not square is padded to one."""
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


def check_verifiers(
    questions: Iterable[OutsideQuestion],
) -> Iterator[tuple[OutsideQuestion, VerdictCounts]]:
    """Show every candidate answer to the verifier of its task; the network is not involved."""
    for asked in questions:
        task = load_task(asked.task)
        reason = task.abstention_reason(asked.question, asked.image)
        verdicts = {
            answer: task.verify(asked.question, asked.image, answer)
            for answer in dict.fromkeys(asked.answers)
        }
        wrongly = any(
            verdict and not asked.is_right(answer) for answer, verdict in verdicts.items()
        )
        refuted = any(
            verdict is False and asked.is_right(answer) for answer, verdict in verdicts.items()
        )
        confirmed = reason is None and any(verdicts.values())
        right = reason is None and any(map(asked.is_right, verdicts))
        yield asked, VerdictCounts(1, int(reason is None), int(right), int(confirmed), int(wrongly), int(refuted),
                           int(reason is not None), Counter([reason] if reason else []))  # fmt: skip


async def ask_model(
    questions: Iterable[OutsideQuestion], mode: str
) -> list[tuple[OutsideQuestion, VerdictCounts]]:
    """Ask the native model each question through the public API."""
    from musespark import ask
    from musespark.images import encode_png

    found = []
    for asked in questions:
        answer = await ask(
            asked.question,
            images=[] if asked.image is None else [encode_png(asked.image)],
            mode=mode,
        )
        right = answer.status != "abstained" and asked.is_right(answer.answer)
        found.append((asked, VerdictCounts(
            1, int(answer.status != "abstained"), int(right), int(answer.status == "verified"),
            int(answer.status == "verified" and not right), int(answer.status == "refuted"), int(answer.status == "abstained"),
            Counter([answer.abstained] if answer.abstained else []),
        )))  # fmt: skip
    return found


def sum_counts(
    found: Iterable[tuple[OutsideQuestion, VerdictCounts]],
) -> dict[tuple[str, str], VerdictCounts]:
    """Sum counts by task and name, and by task under the name "all"."""
    sums: dict[tuple[str, str], VerdictCounts] = {}
    for asked, count in found:
        for key in ((asked.task, asked.name), (asked.task, "all")):
            sums.setdefault(key, VerdictCounts()).add(count)
    return sums
