"""Questions that look like the native model's own but ask for something else: no usual answer to them may be confirmed.

Every variation changes the question in its words or its image: a negation, another direction, a condition, a sign; a wall of any
colour across the path, however faint; a figure that has moved; a second shape. A question is made from a template of its task, so
the usual answer is known.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from musespark.nano.arrays import Array
from musespark.nano.tasks import TaskProblem, frames, grid, load_task, walls
from musespark.nano.tasks.grid import STEPS, Grid
from musespark.nano.tasks.walls import Style

TASKS = ("countdown-3", "countdown-4", "lake", "maze", "shapes", "code")
_BEFORE = (
    "Do not answer this: ", "Say the opposite: ", "It is wrong that: ", "Not this: ", "How many ways are there? ", "Why? ",
    "Except one: ", "In reverse: ", "What is the second best answer? ", "Is it hard? ", "For the mirror image: ", "Translate: ",
    "Never ",
)  # fmt: skip
_AFTER = (
    " Answer backwards.", " Do it the other way round.", " But not like that.", " Give only the first one.",
    " Give the number of them.", " Twice.", " Explain why.", " Add one to it.", " Without the first.", " Use brackets nowhere.",
    " Then go back.", " Or not?", " as slowly as possible", " in at most two steps", " if 2 were 3", " and negate it",
    ", except the last", " minus 1", " the wrong way",
)  # fmt: skip
_INSIDE = (
    "not", "never", "almost", "half", "without", "only", "other than", "except", "minus", "no", "wrongly", "un", "twice",
    "less than",
)  # fmt: skip
_SWAPS = {
    "start": "goal", "goal": "start", "dot": "wall", "shortest": "longest", "safe": "unsafe", "safely": "unsafely",
    "avoid": "hit", "fewest": "most", "few": "many", "without": "with", "never": "always", "from": "away from", "first": "last",
    "print": "skip", "prints": "skips", "output": "input", "printed": "read", "make": "miss", "reach": "miss", "get": "lose",
    "exactly": "at least", "once": "twice", "each": "none", "holes": "ice", "hole": "goal", "there": "nowhere", "contain": "lack",
    "shape": "size", "color": "area", "walls": "gaps", "maze": "map", "path": "area", "solve": "draw", "moves": "cells",
}  # fmt: skip


_NUMBERS = (
    "-n", "n.5", "n%", "$n", "n1", "1/n", "n!", "\u2212n", "n^2", "ne1", "0xn", "\u221an", "n or 1", "n 1", "~n", "<n", ">=n",
    "9n", "n,0",
)  # fmt: skip


@dataclass(frozen=True)
class Variation:
    """A question whose usual answer is wrong."""

    task: str
    change: str
    """Name of the change."""
    question: str
    image: Array | None
    usual: str


def vary(task: str, count: int, seed: int = 0) -> Iterator[Variation]:
    """Yield `count` variations of a task's own questions, all kinds of change in turn."""
    generator, rng = load_task(task), random.Random(seed)
    changes = [_before, _after, _inside, _swapped, *_OF_TASK.get(task.partition("-")[0], ())]
    made = 0
    while made < count:
        problem = generator.generate(rng, held_out=bool(made % 2) and task != "shapes")
        change = changes[made % len(changes)]
        if varied := change(problem, rng):
            made += 1
            yield Variation(task, change.__name__.strip("_").replace("_", " "), *varied)


_Varied = tuple[str, Array | None, str] | None


def _worded(problem: TaskProblem, change: Callable[[str], str]) -> _Varied:
    """Change the words of a problem; a program in it is not changed."""
    source = problem.facts.get("program", "")
    around = problem.question.replace(source, "\0") if source else problem.question
    changed = change(around)
    return (
        (changed.replace("\0", source), problem.image, problem.answer)
        if changed != around
        else None
    )


def _before(problem: TaskProblem, rng: random.Random) -> _Varied:
    words = rng.choice(_BEFORE)
    return _worded(
        problem, lambda text: words + (text if text[:1] == "\0" else text[:1].lower() + text[1:])
    )


def _after(problem: TaskProblem, rng: random.Random) -> _Varied:
    words = rng.choice(_AFTER)
    return _worded(
        problem,
        lambda text: (
            f"{words.strip()}\n{text}" if text[:1] == "\0" else _appended(text, words, rng)
        ),
    )


def _appended(text: str, words: str, rng: random.Random) -> str:
    asked, program, rest = text.partition("\0")
    asked = asked.rstrip("\n") if program else asked
    return (
        (asked if rng.random() < 0.5 else asked.rstrip(".?!"))
        + words
        + ("\n" + program if program else "")
        + rest
    )


def _inside(problem: TaskProblem, rng: random.Random) -> _Varied:
    def change(text: str) -> str:
        gaps = [match.start() for match in re.finditer(r"(?<=[a-z]) (?=[a-z])", text)]
        if not gaps:
            return text
        at = rng.choice(gaps)
        return f"{text[:at]} {rng.choice(_INSIDE)}{text[at:]}"

    return _worded(problem, change)


def _swapped(problem: TaskProblem, rng: random.Random) -> _Varied:
    def change(text: str) -> str:
        found = [match for match in re.finditer(r"[a-z]+", text) if match[0] in _SWAPS]
        if not found:
            return text
        match = rng.choice(found)
        return text[: match.start()] + _SWAPS[match[0]] + text[match.end() :]

    return _worded(problem, change)


def _number(problem: TaskProblem, rng: random.Random) -> _Varied:
    """Change a number: another value, a sign, a fraction or a unit."""
    match = rng.choice(list(re.finditer(r"[0-9]+", problem.question)))
    other = rng.choice(_NUMBERS).replace("n", match[0])
    if other.endswith("!") and match.end() >= len(problem.question) - 1:
        return None  # at the end it is only punctuation
    return (
        problem.question[: match.start()] + other + problem.question[match.end() :],
        None,
        problem.answer,
    )


def _wall_across(problem: TaskProblem, rng: random.Random) -> _Varied:
    """Draw the maze again with a wall of any colour across the path."""
    maze: Grid = problem.facts["grid"]
    margin, wall, dot = rng.uniform(0, 0.06), rng.uniform(0.05, 0.15), rng.uniform(0.2, 0.35)
    style = Style(rng.randint(180, 480), margin, wall, dot, (0, 160, 60), (225, 40, 40))
    image = Image.fromarray(walls.draw_lines(maze, style).copy())
    cell = style.side * (1 - 2 * style.margin) / (maze.size + style.wall)
    left = style.side * style.margin + cell * style.wall / 2
    step, (down, right) = _step_on_the_way(maze, problem.answer, rng)
    y, x = (left + (index + 0.5) * cell for index in divmod(step, maze.size))
    y, x = y + down * cell / 2, x + right * cell / 2
    colour = (
        tuple(rng.randint(0, 235) for _ in range(3))
        if rng.random() < 0.5
        else (rng.randint(60, 244),) * 3
    )
    half, thick = cell / 2 * rng.uniform(0.8, 1.0), rng.randint(1, 4)
    line = (x - half, y, x + half, y) if down else (x, y - half, x, y + half)
    ImageDraw.Draw(image).line(line, fill=colour, width=thick)
    return problem.question, np.asarray(image), problem.answer


def _step_on_the_way(maze: Grid, answer: str, rng: random.Random) -> tuple[int, tuple[int, int]]:
    at, cell = rng.randrange(len(answer)), maze.start
    for move in answer[:at]:
        cell = maze.after(cell, move) or 0
    return cell, STEPS[answer[at]]


def _ends_exchanged(problem: TaskProblem, rng: random.Random) -> _Varied:
    """Exchange the red dot and the green one."""
    maze: Grid = problem.facts["grid"]
    style = Style(300, 0.03, 0.1, 0.3, (225, 40, 40), (0, 160, 60))
    back = grid.solve(Grid(maze.size, maze.goal, maze.start, maze.exits, maze.tiles))
    return (
        None
        if back == problem.answer
        else (problem.question, walls.draw_lines(maze, style), problem.answer)
    )


def _something_on_it(problem: TaskProblem, rng: random.Random) -> _Varied:
    """Draw a blot, a line or a letter on a frozen lake."""
    rows = problem.facts["map"]
    image = Image.fromarray(frames.render_frame(rows).copy())
    pen = ImageDraw.Draw(image)
    x, y = (rng.randint(10, image.width - 40) for _ in range(2))
    colour = tuple(rng.randint(0, 200) for _ in range(3))
    kind = rng.randrange(3)
    if kind == 0:
        pen.ellipse((x, y, x + rng.randint(12, 50), y + rng.randint(12, 50)), fill=colour)
    elif kind == 1:
        pen.line(
            (x, y, rng.randint(0, image.width), rng.randint(0, image.width)),
            fill=colour,
            width=rng.randint(2, 6),
        )
    else:
        pen.text((x, y), rng.choice("HSGX19"), fill=colour, font_size=rng.randint(18, 40))
    return problem.question, np.asarray(image), problem.answer


def _figure_moved(problem: TaskProblem, rng: random.Random) -> _Varied:
    """Move the figure a step along the path, so that the usual path no longer begins at it."""
    rows = problem.facts["map"]
    board: Grid = problem.facts["grid"]
    cell, (down, right) = _step_on_the_way(board, problem.answer, rng)
    row, column = cell // board.size + down, cell % board.size + right
    image = frames.render_frame(rows).copy()
    start, ice = frames.render_cell("S"), frames.render_cell("F")
    top, left = (64 * index for index in divmod(board.start, board.size))
    image[top + 16 : top + 56, left + 16 : left + 48] = ice[16:56, 16:48]
    image[64 * row + 16 : 64 * row + 56, 64 * column + 16 : 64 * column + 48] = start[16:56, 16:48]
    return problem.question, image, problem.answer


def _another_shape(problem: TaskProblem, rng: random.Random) -> _Varied:
    """Draw a second shape, or a line, beside the first."""
    if problem.image is None:
        return None
    image = Image.fromarray(problem.image.copy())
    x, y, size = rng.randint(1, 55), rng.randint(1, 55), rng.randint(4, 9)
    pen, colour = ImageDraw.Draw(image), tuple(rng.randint(0, 200) for _ in range(3))
    if rng.random() < 0.3:
        pen.line((x, y, 63 - y, 63 - x), fill=colour, width=2)
    else:
        pen.rectangle((x, y, x + size, y + size), fill=colour)
    same = np.abs(np.asarray(image).astype(int) - problem.image).max() < 30
    return (
        None
        if same or problem.answer == "no"
        else (problem.question, np.asarray(image), problem.answer)
    )


_OF_TASK: dict[str, tuple[Callable[[TaskProblem, random.Random], _Varied], ...]] = {
    "countdown": (_number, _number), "maze": (_wall_across, _wall_across, _wall_across, _ends_exchanged),
    "lake": (_something_on_it, _something_on_it, _figure_moved), "shapes": (_another_shape, _another_shape),
}  # fmt: skip
