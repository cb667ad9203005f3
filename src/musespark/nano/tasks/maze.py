"""Mazes: find the path from the green dot to the red one (perfect mazes, 3x3 to 6x6, drawn in many ways)."""

from __future__ import annotations

import random
from collections.abc import Callable

from musespark.nano import tiles
from musespark.nano.arrays import Pixels
from musespark.nano.tasks import grid, walls
from musespark.nano.tasks.grid import BACK, BIT, SIZES, STEPS, Grid
from musespark.nano.tasks.grid_questions import (
    MAZE_PHRASINGS as PHRASINGS,
    MAZE_QUESTIONS as QUESTIONS,
    asks_for_shortest,
    reason_unread,
)
from musespark.nano.tasks.maze_reading import read_maze
from musespark.nano.tasks.task import TaskProblem, held_out as is_held_out


class Maze(grid.GridTask):
    """The task of mazes."""

    name = "maze"

    def generate(self, rng: random.Random, held_out: bool) -> TaskProblem:
        """Generate a perfect maze and its image, in any of the styles of `walls.py`."""
        size = rng.choice(SIZES)
        while True:
            exits = rng.choice(CARVERS)(size, rng)
            start, goal = _ends(size, rng)
            key = key_of(size, exits, start, goal)
            if is_held_out(key) == held_out:
                break
        maze = as_grid(size, exits, start, goal)
        answer = grid.solve(maze)
        assert answer is not None, "every cell of a perfect maze can be reached"
        return TaskProblem(
            self.name, rng.choice(QUESTIONS), answer, walls.draw(maze, rng), key, {"grid": maze}
        )

    def verify(self, question: str, image: Pixels | None, answer: str) -> bool | None:
        """Check the moves on the maze in the image; None if question or image were not read completely, or no path exists."""
        drawn = None if image is None or PHRASINGS.read(question) is None else read_maze(image)
        board = None if drawn is None else as_grid(drawn.size, drawn.exits, drawn.start, drawn.goal)
        return None if board is None else grid.judge(board, answer, asks_for_shortest(question))

    def abstention_reason(self, question: str, image: Pixels | None) -> str | None:
        """Abstain from unknown conditions, images without a maze, mazes of other sizes, and mazes without a path."""
        if reason := reason_unread(PHRASINGS, question):
            return reason
        drawn = None if image is None else read_maze(image)
        if drawn is None:
            return (
                "I cannot read a maze in the picture"
                if image is not None
                else "there is no picture with it"
            )
        if drawn.size not in SIZES:
            return f"the maze has {drawn.size}x{drawn.size} cells"
        way = grid.solve(as_grid(drawn.size, drawn.exits, drawn.start, drawn.goal))
        return "no way leads from the green dot to the red one" if way is None else None


def as_grid(size: int, exits: list[int], start: int, goal: int) -> Grid:
    """Convert a maze to a grid, with the tiles of the model's own drawing."""
    marks = {start: "start", goal: "goal"}
    looks = (tiles.maze(15 - exits[cell], marks.get(cell, "plain")) for cell in range(size * size))
    return Grid(size, start, goal, tuple(exits), tuple(looks))


def key_of(size: int, exits: list[int], start: int, goal: int) -> str:
    """Return the map as text, which decides the split."""
    lines = ["maze"]
    for row in range(size):
        cells = range(row * size, (row + 1) * size)
        lines.append(
            "+" + "+".join("  " if exits[cell] & tiles.U else "--" for cell in cells) + "+"
        )
        marks = {start: "S", goal: "G"}
        lines.append(
            "|"
            + "".join(
                f"{marks.get(cell, ' ')} {' ' if exits[cell] & tiles.R else '|'}" for cell in cells
            )
        )
    return "\n".join([*lines, "+" + "--+" * size])


def _ends(size: int, rng: random.Random) -> tuple[int, int]:
    """Choose start and goal: opposite corners for half of the mazes, any two cells for the others."""
    cells = size * size
    if rng.random() < 0.5:
        corner = rng.choice((0, size - 1, cells - size, cells - 1))
        return corner, cells - 1 - corner
    start, goal = rng.sample(range(cells), 2)
    return start, goal


def _neighbours(cell: int, size: int) -> list[tuple[str, int]]:
    row, column = divmod(cell, size)
    return [
        (move, cell + down * size + right)
        for move, (down, right) in STEPS.items()
        if 0 <= row + down < size and 0 <= column + right < size
    ]


def _open(exits: list[int], cell: int, move: str, other: int) -> None:
    exits[cell] |= BIT[move]
    exits[other] |= BIT[BACK[move]]


def _depth_first(size: int, rng: random.Random) -> list[int]:
    """Carve a maze with long corridors (depth-first search)."""
    exits = [0] * (size * size)
    trail = [rng.randrange(size * size)]
    seen = set(trail)
    while trail:
        ahead = [(move, cell) for move, cell in _neighbours(trail[-1], size) if cell not in seen]
        if not ahead:
            trail.pop()
            continue
        move, cell = rng.choice(ahead)
        _open(exits, trail[-1], move, cell)
        seen.add(cell)
        trail.append(cell)
    return exits


def _prim(size: int, rng: random.Random) -> list[int]:
    """Carve a maze with many short dead ends (Prim)."""
    exits = [0] * (size * size)
    first = rng.randrange(size * size)
    seen = {first}
    edge = [(first, move, cell) for move, cell in _neighbours(first, size)]
    while edge:
        pick = rng.randrange(len(edge))
        edge[pick], edge[-1] = edge[-1], edge[pick]
        cell, move, other = edge.pop()
        if other in seen:
            continue
        _open(exits, cell, move, other)
        seen.add(other)
        edge += [
            (other, onward, beyond)
            for onward, beyond in _neighbours(other, size)
            if beyond not in seen
        ]
    return exits


def _wilson(size: int, rng: random.Random) -> list[int]:
    """Carve a maze uniformly at random (Wilson 1996: loop-erased random walks)."""
    exits = [0] * (size * size)
    outside = set(range(size * size))
    outside.discard(rng.randrange(size * size))
    while outside:
        first = cell = min(outside)
        last_exit: dict[int, tuple[str, int]] = {}
        while cell in outside:
            last_exit[cell] = rng.choice(_neighbours(cell, size))
            cell = last_exit[cell][1]
        cell = first
        while cell in outside:
            move, other = last_exit[cell]
            _open(exits, cell, move, other)
            outside.discard(cell)
            cell = other
    return exits


CARVERS: tuple[Callable[[int, random.Random], list[int]], ...] = (_depth_first, _prim, _wilson)
"""Ways to carve a maze, equally often."""
