"""Published material for the native model's tasks: prompts, images and programs of others; none of it was used in training."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from musespark.evals.outside import OutsideQuestion
from musespark.evals.outside_images import (
    OTHER_COLOURS,
    OTHER_SHAPES,
    draw_lake,
    draw_maze,
    draw_shape,
)
from musespark.nano import tiles
from musespark.nano.tasks import grid, load_task
from musespark.nano.tasks.code import tidy
from musespark.nano.tasks.code_reading import output_of
from musespark.nano.tasks.grid import Grid
from musespark.nano.tasks.grid_questions import LAKE_QUESTIONS, MAZE_QUESTIONS
from musespark.nano.tasks.lake import Lake

_COUNTDOWN_TASKS = (
    "Using the numbers [{numbers}], create an equation that equals {target}. You can use basic arithmetic operations (+, -, *, /) "
    "and each number can only be used once. Show your work in <think> </think> tags. And return the final answer in "
    "<answer> </answer> tags, for example <answer> (1 + 2) / 3 </answer>."
)
"""The user message of TinyZero (Pan et al., 2025) for the data set Countdown-Tasks-3to4."""
_PROGRAMS = (
    "name = 'Ann'\nprint(f'Hello {name}')", "def add(a, b):\n    return a + b\nprint(add(2, 3))",
    "print('a' * 3)\nprint(len('abc'))", "x = [1, 2, 3]\nprint(x[::-1])", "for i in range(3):\n    print(i)",
    "x = 5\ny = 3\nprint(x + y)", "d = {'a': 1}\nprint(d['a'])", "total = 0\nfor i in range(5):\n    total += i\nprint(total)",
    "a = 10\na = a - 4\na = a * 2\nprint(a)", "print(7 / 2)\nprint(7 // 2)",
    "n = 7\nif n > 5:\n    print('big')\nelse:\n    print('small')", "words = ['b', 'a']\nprint(sorted(words))",
    "x = 3\nwhile x > 0:\n    print(x)\n    x -= 1", "# a comment\nx = 1\nprint(x)", "s = 'hello'\nprint(s.upper())",
    "a, b = 1, 2\nprint(b, a)", "print(max([3, 9, 2]))\nprint(min(4, 1))", "x = True\nprint(not x)",
    "nums = [2, 4, 6]\nprint(sum(nums))", "for c in 'ab':\n    print(c)",
)  # fmt: skip
"""Programs like those in beginners' courses."""


def published_questions(count: int, seed: int, classic: Path | None) -> Iterator[OutsideQuestion]:
    """Yield `count` questions of every available source.

    classic: a directory with the art of gymnasium up to 1.2. Mazes need mazelib. A source that is missing is left out.
    """
    rng = random.Random(seed)
    yield from _countdown(count, rng)
    if classic is not None:
        yield from _lakes(count, rng, classic)
    yield from _mazes(count, rng)
    yield from _shapes(count, rng)
    for source in _PROGRAMS[:count]:
        rights = frozenset([tidy(output_of(source) or "").lower()])
        yield OutsideQuestion(
            "code",
            "programs of beginners' courses",
            f"What does this print?\n{source}",
            None,
            (),
            rights,
        )


def _countdown(count: int, rng: random.Random) -> Iterator[OutsideQuestion]:
    for index in range(count):
        facts = load_task(f"countdown-{3 + index % 2}").generate(rng, held_out=True).facts
        prompt = _COUNTDOWN_TASKS.format(
            numbers=", ".join(map(str, facts["numbers"])), target=facts["target"]
        )
        yield OutsideQuestion(
            "countdown", "the prompt of Countdown-Tasks", prompt, None, (), frozenset()
        )


def _lakes(count: int, rng: random.Random, classic: Path) -> Iterator[OutsideQuestion]:
    for index in range(count):
        facts = Lake().generate(rng, held_out=True).facts
        image = draw_lake({"desc": facts["map"]}, "old", classic)
        question = LAKE_QUESTIONS[index % len(LAKE_QUESTIONS)]
        yield OutsideQuestion(
            "lake", "classic art (gymnasium up to 1.2)", question, image, (), None, facts["grid"]
        )


def _mazes(count: int, rng: random.Random) -> Iterator[OutsideQuestion]:
    try:
        from mazelib import Maze  # type: ignore[import-not-found]
        from mazelib.generate.Prims import Prims  # type: ignore[import-not-found]
    except ImportError:
        return
    for index in range(count):
        size = 3 + index % 4
        Maze.set_seed(rng.getrandbits(30))
        maze = Maze()
        maze.generator = Prims(size, size)
        maze.generate()
        passages, exits = [], [0] * size * size
        for cell in range(size * size):
            row, column = divmod(cell, size)
            for bit, back, other, y, x in (
                (tiles.R, tiles.L, cell + 1, 0, 1),
                (tiles.D, tiles.U, cell + size, 1, 0),
            ):
                if (
                    row + y < size
                    and column + x < size
                    and not maze.grid[2 * row + 1 + y][2 * column + 1 + x]
                ):
                    passages.append((cell, other))
                    exits[cell] |= bit
                    exits[other] |= back
        start, goal = rng.sample(range(size * size), 2)
        image = draw_maze({"R": size, "C": size, "P": passages, "s": start, "g": goal}, "plain")
        board = Grid(size, start, goal, tuple(exits), (0,) * size * size)
        assert grid.solve(board) is not None, "mazelib's mazes are perfect"
        question = MAZE_QUESTIONS[index % len(MAZE_QUESTIONS)]
        yield OutsideQuestion("maze", "mazelib, drawn plainly", question, image, (), None, board)


def _shapes(count: int, rng: random.Random) -> Iterator[OutsideQuestion]:
    for index in range(count):
        shape, colour = (
            OTHER_SHAPES[index % len(OTHER_SHAPES)],
            list(OTHER_COLOURS)[index % len(OTHER_COLOURS)],
        )
        for name, question, right in (
            (f"other shape {shape}", "what shape is in the image?", shape),
            (f"other colour {colour}", "what color is the shape?", colour),
        ):  # fmt: skip
            image = draw_shape(name, question, [right], rng)
            yield OutsideQuestion(
                "shapes",
                f"other {name.split()[1]}s than easy-VQA's",
                question,
                image,
                (),
                frozenset([right]),
            )
