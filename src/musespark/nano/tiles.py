"""The codebook: pixels of the model's image tokens, 8x8 each, drawn by code.

Base tiles are opaque and replace what was painted at a place; ink tiles (arrows) are drawn on transparent ground and are drawn
over the base tile below them. Walls and moves are given in the order U, D, L, R everywhere.
"""

from __future__ import annotations

import functools

import numpy as np

from musespark.nano.arrays import Array
from musespark.nano.vocabulary import TILES

SIDE = 8
"""Pixels per side of a tile."""
MOVES = "UDLR"
U, D, L, R = 1, 2, 4, 8
"""One bit a side of a cell, in the order of MOVES."""

ICE, HOLE, LAKE_START, LAKE_GOAL = range(4)
_MAZE = 4
MARKS = ("plain", "start", "goal")
_FLOOD = _MAZE + 16 * len(MARKS)
_PATH = _FLOOD + len(MOVES)
USED = _PATH + len(MOVES)
"""Indices from here to TILES are unused; their tiles are transparent."""

WHITE, BLACK = (255, 255, 255, 255), (0, 0, 0, 255)
GREEN, RED = (0, 160, 60, 255), (225, 40, 40, 255)
SNOW, FROST, DEEP, SHORE = (
    (214, 238, 250, 255),
    (238, 248, 254, 255),
    (18, 52, 104, 255),
    (120, 170, 210, 255),
)
LIGHT_BLUE, ORANGE = (96, 160, 235, 255), (240, 120, 0, 255)

_THIN_UP = (
    "........",
    "........",
    "...#....",
    "..###...",
    "...#....",
    "...#....",
    "...#....",
    "........",
)
_BOLD_UP = (
    "........",
    "...##...",
    "..####..",
    ".######.",
    "...##...",
    "...##...",
    "...##...",
    "........",
)
_DISC = (
    "........",
    "........",
    "...##...",
    "..####..",
    "..####..",
    "...##...",
    "........",
    "........",
)
_FLAG = (
    "........",
    "..#.....",
    "..####..",
    "..#####.",
    "..####..",
    "..#.....",
    "..#.....",
    "........",
)
_BALL = (
    "........",
    "..####..",
    ".######.",
    ".######.",
    ".######.",
    ".######.",
    "..####..",
    "........",
)
_GLINT = (
    "........",
    "......#.",
    ".....#..",
    "........",
    "........",
    "..#.....",
    ".#......",
    "........",
)


def maze(walls: int, mark: str = "plain") -> int:
    """The tile of a maze's cell: `walls` is a sum of U, D, L, R; `mark` is one of MARKS."""
    if not 0 <= walls < 16:
        raise IndexError(f"{walls} is not a sum of the four walls 1, 2, 4, 8")
    return _MAZE + 16 * MARKS.index(mark) + walls


def flood(move: str) -> int:
    """The thin arrow: from this cell, this move leads towards the goal."""
    return _FLOOD + MOVES.index(move)


def path(move: str) -> int:
    """The bold arrow: the path leaves this cell by this move."""
    return _PATH + MOVES.index(move)


def as_maze(tile: int) -> tuple[int, str] | None:
    """The walls and the mark of a maze's cell, or None for any other tile."""
    if not _MAZE <= tile < _FLOOD:
        return None
    return (tile - _MAZE) % 16, MARKS[(tile - _MAZE) // 16]


def is_ink(tile: int) -> bool:
    """Return True if the tile is drawn over the one below, False if it replaces it."""
    return tile >= _FLOOD


@functools.cache
def codebook() -> Array:
    """All tiles, (TILES, 8, 8, 4) uint8 RGBA, read-only."""
    tiles = np.zeros((TILES, SIDE, SIDE, 4), np.uint8)
    tiles[ICE : LAKE_GOAL + 1] = SNOW
    _ink(tiles[ICE], _GLINT, FROST)
    tiles[HOLE] = SHORE
    _ink(tiles[HOLE], _BALL, DEEP)
    _ink(tiles[LAKE_START], _BALL, GREEN)
    _ink(tiles[LAKE_GOAL], _FLAG, RED)
    for walls in range(16):
        for mark, ink in zip(MARKS, (WHITE, GREEN, RED), strict=True):
            cell = tiles[maze(walls, mark)]
            cell[:] = WHITE
            _ink(cell, _DISC, ink)
            _wall(cell, walls)
    for move in MOVES:
        _ink(tiles[flood(move)], _turned(_THIN_UP, move), LIGHT_BLUE)
        _ink(tiles[path(move)], _turned(_BOLD_UP, move), ORANGE)
    tiles.setflags(write=False)
    return tiles


def _wall(cell: Array, walls: int) -> None:
    for side, edge in ((U, np.s_[0, :]), (D, np.s_[-1, :]), (L, np.s_[:, 0]), (R, np.s_[:, -1])):
        if walls & side:
            cell[edge] = BLACK


def _mask(rows: tuple[str, ...]) -> Array:
    return np.array([[letter == "#" for letter in row] for row in rows])


def _turned(rows: tuple[str, ...], move: str) -> Array:
    return np.rot90(_mask(rows), {"U": 0, "L": 1, "D": 2, "R": 3}[move])


def _ink(cell: Array, shape: tuple[str, ...] | Array, colour: tuple[int, int, int, int]) -> None:
    cell[_mask(shape) if isinstance(shape, tuple) else shape] = colour
