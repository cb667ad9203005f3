"""Mazes: perfect ones, drawn in many ways, and a reader that reads them back."""

from __future__ import annotations

import dataclasses
import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from musespark.images import as_image, to_array
from musespark.nano.tasks import grid, walls
from musespark.nano.tasks.grid import Grid
from musespark.nano.tasks.lake import Lake
from musespark.nano.tasks.maze import CARVERS, Maze, as_grid, key_of
from musespark.nano.tasks.maze_reading import DrawnMaze, read_maze
from musespark.nano.tasks.task import held_out
from musespark.nano.tasks.walls import Style

QUESTION = "Which moves solve this maze?"
task = Maze()
STYLE = Style(side=300, margin=0.04, wall=0.08, dot=0.3, green=(0, 160, 60), red=(225, 40, 40))


def carved(size: int, seed: int = 0) -> Grid:
    rng = random.Random(seed)
    return as_grid(size, rng.choice(CARVERS)(size, rng), 0, size * size - 1)


def same(seen: DrawnMaze | None, maze: Grid) -> bool:
    return seen == DrawnMaze(maze.size, list(maze.exits), maze.start, maze.goal)


@pytest.mark.parametrize("carver", CARVERS)
@pytest.mark.parametrize("size", [3, 6])
def test_mazes_are_perfect(carver, size: int) -> None:
    for seed in range(30):
        exits = carver(size, random.Random(seed))
        maze = as_grid(size, exits, 0, size * size - 1)
        assert sum(each.bit_count() for each in exits) == 2 * (size * size - 1), (
            "a tree has one passage less than cells"
        )
        for goal in range(1, size * size):
            assert grid.solve(dataclasses.replace(maze, goal=goal)), "every cell can be reached"


def test_wilson_makes_every_maze() -> None:
    rng = random.Random(0)
    assert len({tuple(CARVERS[2](2, rng)) for _ in range(100)}) == 4


def test_the_key_is_the_map() -> None:
    exits = [0] * 4
    for cell, other, there, back in ((0, 1, 8, 4), (1, 3, 2, 1), (3, 2, 4, 8)):
        exits[cell] |= there
        exits[other] |= back
    assert key_of(2, exits, 0, 2) == "maze\n+--+--+\n|S    |\n+--+  +\n|G    |\n+--+--+"


def test_training_covers_every_size_and_both_kinds_of_ends() -> None:
    rng = random.Random(1)
    boards = [task.generate(rng, False).facts["grid"] for _ in range(200)]
    assert {board.size for board in boards} == {3, 4, 5, 6}
    corners = sum(board.start + board.goal == board.size**2 - 1 for board in boards) / len(boards)
    assert 0.4 < corners < 0.7


def test_the_reader_is_never_wrong_about_what_the_world_draws() -> None:
    rng = random.Random(2)
    none = 0
    for _ in range(500):
        problem = task.generate(rng, False)
        seen = read_maze(problem.image)
        none += seen is None
        assert seen is None or same(seen, problem.facts["grid"])
    assert none <= 5


@pytest.mark.parametrize("draw", [walls.draw_lines, walls.draw_blocks])
@pytest.mark.parametrize("size", [3, 4, 5, 6, 8])
def test_the_reader_knows_usual_drawings(draw, size: int) -> None:
    for seed in range(3):
        maze = carved(size, seed)
        for style in (
            STYLE,
            dataclasses.replace(STYLE, side=800),
            dataclasses.replace(STYLE, ink=(50, 50, 50), smooth=False),
        ):
            assert same(read_maze(draw(maze, style)), maze)


def test_the_reader_survives_jpeg_and_white_margins() -> None:
    for seed in range(20):
        maze = carved(5, seed)
        page = np.pad(
            walls.draw_lines(maze, STYLE), ((10, 60), (0, 25), (0, 0)), constant_values=255
        )
        out = io.BytesIO()
        Image.fromarray(page).save(out, "JPEG", quality=85)
        assert same(read_maze(to_array(as_image(out.getvalue()))), maze)


def test_the_reader_says_none_to_other_images() -> None:
    rng = random.Random(4)
    image = walls.draw_lines(carved(5), STYLE)
    without_dots = image.copy()
    without_dots[np.ptp(image, axis=-1) > 20] = 255
    noise = np.random.default_rng(4).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    others = [
        noise,
        np.full((64, 64, 3), 255, np.uint8),
        without_dots,
        image[100:],
        np.rot90(image)[:, 70:],
        image[:20, :20],
    ]
    others += [Lake().generate(rng, held).image for held in (True, False) for _ in range(15)]
    assert [read_maze(image) for image in others] == [None] * len(others)


def test_answers_are_verified_by_looking() -> None:
    maze = carved(4, 7)
    answer = grid.solve(maze) or ""
    image = walls.draw_lines(maze, STYLE)
    assert task.verify(QUESTION, image, answer) is True
    assert task.verify(QUESTION, image, answer[:-1]) is False
    assert task.verify(QUESTION, image, "through the wall") is False
    assert task.verify(QUESTION, None, answer) is None
    assert task.verify(QUESTION, image[:150], answer) is None


def test_the_example_is_a_maze_that_training_never_sees() -> None:
    image = to_array(as_image(Path(__file__).parents[3] / "examples" / "maze.png"))
    drawn = read_maze(image)
    assert drawn is not None
    assert held_out(key_of(drawn.size, drawn.exits, drawn.start, drawn.goal))
    answer = grid.solve(as_grid(drawn.size, drawn.exits, drawn.start, drawn.goal)) or ""
    assert task.verify(QUESTION, image, answer) is True
