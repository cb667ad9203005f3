"""Frozen lakes: gymnasium's rules and its frames, to the last pixel; readers that read them back."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from musespark.images import as_image, to_array
from musespark.nano.tasks import frames, grid, lake
from musespark.nano.tasks.lake import Lake, key_of, read_map
from musespark.nano.tasks.lake_reading import _OLDER, read_lake
from musespark.nano.tasks.maze import Maze
from musespark.nano.tasks.task import held_out

MAP = ("SFFF", "FHFH", "FFFH", "HFFG")
QUESTION = "Find a safe shortest path from the start to the goal on this frozen lake."
task = Lake()


def drawn(
    count: int, rng: random.Random, held: bool = False
) -> list[tuple[tuple[str, ...], np.ndarray]]:
    problems = [task.generate(rng, held) for _ in range(count)]
    return [
        (problem.facts["map"], problem.image) for problem in problems if problem.image is not None
    ]


@pytest.mark.parametrize("size", [3, 4, 5, 6, 8])
def test_frames_are_those_of_gymnasium(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    toy_text = pytest.importorskip("gymnasium.envs.toy_text.frozen_lake")
    pytest.importorskip("pygame")
    if not (Path(toy_text.__file__).parent / "img" / "tile_ice.png").exists():
        pytest.skip("another version of gymnasium, with other art")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    rows = tuple(toy_text.generate_random_map(size, 0.6, seed=size))
    env = toy_text.FrozenLakeEnv(desc=list(rows), render_mode="rgb_array")
    env.reset(seed=0)
    frame = env.render().copy()
    env.close()
    assert (frames.render_frame(rows) == frame).all()


def test_the_older_frames_can_be_read_too() -> None:
    rng = random.Random(0)
    looks = {
        letter: np.array(list(bytes.fromhex(colours)), np.uint8).reshape(4, 4, 3)
        for letter, colours in _OLDER.items()
    }
    for rows, _ in drawn(40, rng):
        means = np.concatenate(
            [np.concatenate([looks[letter] for letter in row], axis=1) for row in rows]
        )
        frame = means.repeat(16, axis=0).repeat(16, axis=1)
        assert read_lake(frame) == rows
        assert read_lake(frames.scale_randomly(frame, rng)) in (rows, None)


def test_the_rules_are_those_of_gymnasium() -> None:
    board = read_map(MAP)
    assert (board.start, board.goal) == (0, 15)
    assert grid.solve(board) == "RRDDDR"
    assert grid.is_shortest(board, "DDRRDR")
    assert not grid.is_shortest(board, "RDDDRR"), "into a hole"
    assert not grid.is_shortest(board, "URRDDDR"), "off the grid"


def test_what_is_held_out_is_laid_out_and_drawn_as_gymnasium_does() -> None:
    for rows, image in drawn(30, random.Random(1), held=True):
        assert held_out(key_of(rows))
        assert rows[0][0] == "S"
        assert rows[-1][-1] == "G"
        assert (image == frames.render_frame(rows)).all()


def test_training_covers_every_size_and_more_than_the_corners() -> None:
    maps = [rows for rows, _ in drawn(300, random.Random(2))]
    assert {len(rows) for rows in maps} == {3, 4, 5, 6}
    corners = sum(rows[0][0] == "S" and rows[-1][-1] == "G" for rows in maps) / len(maps)
    assert 0.65 < corners < 0.9
    assert len({key_of(rows) for rows in maps}) > 200


def test_the_reader_is_never_wrong_about_what_the_world_draws() -> None:
    rng = random.Random(3)
    read = [(rows, read_lake(image)) for rows, image in drawn(500, rng)]
    assert all(seen in (rows, None) for rows, seen in read)
    assert sum(seen is None for _, seen in read) <= 5


def test_the_reader_says_none_to_other_images() -> None:
    rng = random.Random(4)
    noise = np.random.default_rng(4).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    frame = frames.render_frame(MAP)
    others = [
        noise,
        np.full((64, 64, 3), 255, np.uint8),
        frame[:200],
        frame[30:, 30:],
        frame[20:, ::-1],
        np.roll(frame, 30, 1),
    ]
    others += [Maze().generate(rng, False).image for _ in range(20)]
    assert [read_lake(image) for image in others] == [None] * len(others)


def test_answers_are_verified_by_looking() -> None:
    frame = np.asarray(
        Image.fromarray(frames.render_frame(MAP)).resize((200, 200), Image.Resampling.LANCZOS)
    )
    assert task.verify(QUESTION, frame, "RRDDDR") is True
    assert task.verify(QUESTION, frame, "DDRRDR") is True
    assert task.verify(QUESTION, frame, "RRDDRD") is False
    assert task.verify(QUESTION, frame, "") is False
    assert task.verify(QUESTION, None, "RRDDDR") is None
    assert task.verify(QUESTION, frame[:150], "RRDDDR") is None
    blocked = frames.render_frame(("SHF", "HFF", "FFG"))
    assert task.verify(QUESTION, blocked, "DD") is None


def test_the_example_is_a_lake_that_training_never_sees() -> None:
    image = to_array(as_image(Path(__file__).parents[3] / "examples" / "lake.png"))
    rows = read_lake(image)
    assert rows is not None
    assert held_out(key_of(rows))
    assert task.verify(QUESTION, image, grid.solve(read_map(rows)) or "") is True


def test_lake_keys_do_not_depend_on_drawing_or_wording() -> None:
    assert key_of(MAP) == "lake\nSFFF\nFHFH\nFFFH\nHFFG"
    assert lake.read_map(MAP).tiles[0] != lake.read_map(MAP).tiles[1]
