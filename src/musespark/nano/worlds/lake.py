"""Frozen lakes: find a safe shortest way over the ice (the maps of gymnasium's FrozenLake, 3x3 to 6x6)."""

from __future__ import annotations

import random

import numpy as np

from musespark.nano import tiles
from musespark.nano.trace import Branch
from musespark.nano.worlds import frames, grid
from musespark.nano.worlds.grid import BIT, SIZES, STEPS, Grid
from musespark.nano.worlds.grid_questions import (
    LAKE_PHRASINGS as PHRASINGS,
    LAKE_QUESTIONS as QUESTIONS,
    asks_for_shortest,
    not_read,
)
from musespark.nano.worlds.lake_reading import is_explained, look
from musespark.nano.worlds.world import Problem, held_out as is_held_out

FROZEN = (0.8, 0.8, 0.8, 0.7, 0.6)
"""Shares of ice that the maps are drawn with, one of them at random."""
_TILE = {"F": tiles.ICE, "H": tiles.HOLE, "S": tiles.LAKE_START, "G": tiles.LAKE_GOAL}


class Lake:
    """The world of frozen lakes."""

    name = "lake"

    def problem(self, rng: random.Random, held_out: bool) -> Problem:
        """A solvable map and a picture of it; what is held out is drawn and laid out as gymnasium does it."""
        size = rng.choice(SIZES)
        while True:
            rows = _random_map(size, rng, plain=held_out)
            key = key_of(rows)
            board = read_map(rows)
            answer = grid.solve(board)
            if answer is not None and is_held_out(key) == held_out:
                break
        image = frames.current(rows) if held_out else _draw(rows, rng)
        return Problem(self.name, rng.choice(QUESTIONS), answer, image, key, {"grid": board, "map": rows})

    def think(self, problem: Problem, mode: str, branch: Branch, rng: random.Random) -> None:
        """Redraw, flood, follow: see `grid.py`."""
        grid.think(problem.facts["grid"], self.name, mode, branch, rng)

    def right(self, problem: Problem, answer: str) -> bool:
        """Whether the moves are safe, reach the goal, and are as few as can be."""
        return grid.is_shortest(problem.facts["grid"], answer)

    def verify(self, question: str, image: np.ndarray | None, answer: str) -> bool | None:
        """The same, for the map in the picture; None where the question or the picture is not read whole, or no way is safe."""
        drawn = None if image is None or PHRASINGS.read(question) is None else look(image)
        if image is None or drawn is None or not is_explained(drawn, image):
            return None
        return grid.judge(read_map(drawn.rows), answer, asks_for_shortest(question))

    def outside(self, question: str, image: np.ndarray | None) -> str | None:
        """Conditions that are not known, and pictures that are not a map of a size that the model is trained on, or have no way."""
        if reason := not_read(PHRASINGS, question):
            return reason
        drawn = None if image is None else look(image)
        if drawn is None:
            return "I cannot read a frozen lake in the picture" if image is not None else "there is no picture with it"
        if drawn.is_older:
            return "the lake is drawn as gymnasium did up to version 1.2"
        if len(drawn.rows) not in SIZES:
            return f"the lake has {len(drawn.rows)}x{len(drawn.rows)} cells"
        if grid.solve(read_map(drawn.rows)) is None:
            return "no way over the ice leads to the goal"
        is_all = image is not None and is_explained(drawn, image)
        return None if is_all else "there is more in the picture than a frozen lake after a reset"


def key_of(rows: tuple[str, ...]) -> str:
    """The map as text: what the split goes by."""
    return "lake\n" + "\n".join(rows)


def read_map(rows: tuple[str, ...]) -> Grid:
    """A map in gymnasium's letters (S start, F frozen, H hole, G goal) as a grid."""
    size = len(rows)
    letters = "".join(rows)
    exits = []
    for cell in range(size * size):
        row, column = divmod(cell, size)
        exits.append(
            sum(
                BIT[move]
                for move, (down, right) in STEPS.items()
                if 0 <= row + down < size and 0 <= column + right < size and rows[row + down][column + right] != "H"
            )
        )
    return Grid(size, letters.index("S"), letters.index("G"), tuple(exits), tuple(_TILE[letter] for letter in letters))


def _random_map(size: int, rng: random.Random, plain: bool) -> tuple[str, ...]:
    """Like gymnasium's generate_random_map; where not `plain`, also with more holes, and ends anywhere."""
    frozen = 0.8 if plain else rng.choice(FROZEN)
    letters = ["F" if rng.random() < frozen else "H" for _ in range(size * size)]
    start, goal = 0, size * size - 1
    if not plain and rng.random() < 0.25:
        start, goal = rng.sample(range(size * size), 2)
    letters[start], letters[goal] = "S", "G"
    return tuple("".join(letters[row * size : (row + 1) * size]) for row in range(size))


def _draw(rows: tuple[str, ...], rng: random.Random) -> np.ndarray:
    """Three quarters as gymnasium renders it, at any scale; the others in the model's own style."""
    if rng.random() < 0.25:
        return frames.own(read_map(rows), rng)
    return frames.scaled(frames.current(rows), rng)
