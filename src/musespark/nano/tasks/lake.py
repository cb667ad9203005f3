"""Frozen lakes: find a safe shortest path over the ice (the maps of gymnasium's FrozenLake, 3x3 to 6x6)."""

from __future__ import annotations

import random

from musespark.nano import tiles
from musespark.nano.arrays import Array, Pixels
from musespark.nano.tasks import frames, grid
from musespark.nano.tasks.grid import BIT, SIZES, STEPS, Grid
from musespark.nano.tasks.grid_questions import (
    LAKE_PHRASINGS as PHRASINGS,
    LAKE_QUESTIONS as QUESTIONS,
    asks_for_shortest,
    reason_unread,
)
from musespark.nano.tasks.lake_reading import is_explained, read_drawing
from musespark.nano.tasks.task import TaskProblem, held_out as is_held_out

FROZEN = (0.8, 0.8, 0.8, 0.7, 0.6)
"""Shares of ice, one of them chosen at random for a map."""
_TILE = {"F": tiles.ICE, "H": tiles.HOLE, "S": tiles.LAKE_START, "G": tiles.LAKE_GOAL}


class Lake(grid.GridTask):
    """The task of frozen lakes."""

    name = "lake"

    def generate(self, rng: random.Random, held_out: bool) -> TaskProblem:
        """Generate a solvable map and its image; held-out ones are laid out and drawn as gymnasium does."""
        size = rng.choice(SIZES)
        while True:
            rows = _random_map(size, rng, plain=held_out)
            key = key_of(rows)
            board = read_map(rows)
            answer = grid.solve(board)
            if answer is not None and is_held_out(key) == held_out:
                break
        image = frames.render_frame(rows) if held_out else _draw(rows, rng)
        return TaskProblem(
            self.name, rng.choice(QUESTIONS), answer, image, key, {"grid": board, "map": rows}
        )

    def verify(self, question: str, image: Pixels | None, answer: str) -> bool | None:
        """Check the moves on the map in the image; None if question or image were not read completely, or no path is safe."""
        drawn = None if image is None or PHRASINGS.read(question) is None else read_drawing(image)
        if image is None or drawn is None or not is_explained(drawn, image):
            return None
        return grid.judge(read_map(drawn.rows), answer, asks_for_shortest(question))

    def abstention_reason(self, question: str, image: Pixels | None) -> str | None:
        """Abstain from unknown conditions, images without a map, maps of other sizes, and maps without a safe path."""
        if reason := reason_unread(PHRASINGS, question):
            return reason
        drawn = None if image is None else read_drawing(image)
        if drawn is None:
            return (
                "I cannot read a frozen lake in the picture"
                if image is not None
                else "there is no picture with it"
            )
        if drawn.is_older:
            return "the lake is drawn as gymnasium did up to version 1.2"
        if len(drawn.rows) not in SIZES:
            return f"the lake has {len(drawn.rows)}x{len(drawn.rows)} cells"
        if grid.solve(read_map(drawn.rows)) is None:
            return "no way over the ice leads to the goal"
        is_all = image is not None and is_explained(drawn, image)
        return None if is_all else "there is more in the picture than a frozen lake after a reset"


def key_of(rows: tuple[str, ...]) -> str:
    """Return the map as text, which decides the split."""
    return "lake\n" + "\n".join(rows)


def read_map(rows: tuple[str, ...]) -> Grid:
    """Convert a map in gymnasium's letters (S start, F frozen, H hole, G goal) to a grid."""
    size = len(rows)
    letters = "".join(rows)
    exits = []
    for cell in range(size * size):
        row, column = divmod(cell, size)
        exits.append(
            sum(
                BIT[move]
                for move, (down, right) in STEPS.items()
                if 0 <= row + down < size
                and 0 <= column + right < size
                and rows[row + down][column + right] != "H"
            )
        )
    return Grid(
        size,
        letters.index("S"),
        letters.index("G"),
        tuple(exits),
        tuple(_TILE[letter] for letter in letters),
    )


def _random_map(size: int, rng: random.Random, plain: bool) -> tuple[str, ...]:
    """Draw a map like gymnasium's generate_random_map; unless `plain`, also with more holes, start and goal anywhere."""
    frozen = 0.8 if plain else rng.choice(FROZEN)
    letters = ["F" if rng.random() < frozen else "H" for _ in range(size * size)]
    start, goal = 0, size * size - 1
    if not plain and rng.random() < 0.25:
        start, goal = rng.sample(range(size * size), 2)
    letters[start], letters[goal] = "S", "G"
    return tuple("".join(letters[row * size : (row + 1) * size]) for row in range(size))


def _draw(rows: tuple[str, ...], rng: random.Random) -> Array:
    """Draw three quarters of the maps as gymnasium renders them, at any scale; the others in the model's own style."""
    if rng.random() < 0.25:
        return frames.draw_own_tiles(read_map(rows), rng)
    return frames.scale_randomly(frames.render_frame(rows), rng)
