"""The codebook: every tile has one name, and looks like what it means."""

from __future__ import annotations

import numpy as np
import pytest

from musespark.nano import tiles
from musespark.nano.tiles import MARKS, MOVES
from musespark.nano.vocabulary import TILES

LAKE = (tiles.ICE, tiles.HOLE, tiles.LAKE_START, tiles.LAKE_GOAL)
MAZE = tuple(tiles.maze(walls, mark) for mark in MARKS for walls in range(16))
ARROWS = (*map(tiles.flood, MOVES), *map(tiles.path, MOVES))


def test_every_index_has_one_meaning() -> None:
    assert sorted((*LAKE, *MAZE, *ARROWS)) == list(range(tiles.USED))
    assert tiles.USED <= TILES == len(tiles.codebook())


def test_names_and_indices_translate_both_ways() -> None:
    assert [tiles.as_maze(tiles.maze(walls, mark)) for mark in MARKS for walls in range(16)] == [
        (walls, mark) for mark in MARKS for walls in range(16)
    ]
    assert all(tiles.as_maze(tile) is None for tile in (*LAKE, *ARROWS))


@pytest.mark.parametrize("walls", [-1, 16])
def test_a_cell_has_four_walls(walls: int) -> None:
    with pytest.raises(IndexError):
        tiles.maze(walls)


def test_base_tiles_are_opaque_and_all_different() -> None:
    base = tiles.codebook()[[*LAKE, *MAZE]]
    assert (base[..., 3] == 255).all()
    assert len(np.unique(base.reshape(len(base), -1), axis=0)) == len(base)


def test_ink_lets_the_ground_show() -> None:
    assert [tiles.is_ink(tile) for tile in range(tiles.USED)] == [
        tile in ARROWS for tile in range(tiles.USED)
    ]
    for tile in ARROWS:
        assert set(np.unique(tiles.codebook()[tile, ..., 3])) == {0, 255}


@pytest.mark.parametrize("move", MOVES)
def test_a_bold_arrow_hides_the_thin_one(move: str) -> None:
    thin, bold = (
        tiles.codebook()[tile, ..., 3] > 0 for tile in (tiles.flood(move), tiles.path(move))
    )
    assert (bold | ~thin).all()


def test_walls_are_black_at_their_own_side() -> None:
    for walls in range(16):
        cell = tiles.codebook()[tiles.maze(walls), ..., :3]
        edges = (cell[0, 1:-1], cell[-1, 1:-1], cell[1:-1, 0], cell[1:-1, -1])
        assert [bool((edge == 0).all()) for edge in edges] == [
            bool(walls & side) for side in (1, 2, 4, 8)
        ]


def test_the_codebook_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        tiles.codebook()[0] = 0
