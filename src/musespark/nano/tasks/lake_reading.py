"""Read frozen lakes from images: gymnasium's frames, new and old, at any scale, and the model's own tiles."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from musespark.nano import tiles
from musespark.nano.arrays import Array
from musespark.nano.canvas import Canvas
from musespark.nano.patches import trim
from musespark.nano.tasks import frames
from musespark.nano.tasks.reading import Areas, explains, has_plain_margins, read_tiles
from musespark.nano.vocabulary import GRID

_SIZES = range(2, 9)
_FINE = 4
"""Cells are compared by the mean colours of _FINE x _FINE parts, which hardly change with the scale."""
_NOISE = 9.0
"""Largest mean difference (of 255) between a cell and the template it is read as."""
_LEAD = 1.5
"""Factor by which the reading must fit better than any other one."""
_OLDER = {
    "F": "deedfa ebf4fb f1f7fb e9f2fa e8f3fb ebf5fd f1f8fd e0effb e7f2fc f1f8fc f5fafd e9f3fb ebf3fa ebf4fb eaf3fc e0eefb",
    "H": "cee3f8 8ac6f1 8dc9f2 c8e1f5 71c3ee 60dcf8 54d7f6 62c3f0 79d8f6 60e0f7 64e0f8 85daf9 c7e7f9 77d8f7 7cdef8 ace0fa",
    "S": "deedfa e8f1f8 eff4f8 e9f2fa e8f3fb b8a091 b8a092 e0effb e7f2fc b8a49e bca69e e9f3fb ebf3fa e7eff7 e5eef7 e0eefb",
    "G": "deedfa e7ecf1 eff2f4 e9f2fa d4deea ac7744 b37841 bfccd9 dde9f4 826856 966f4f cbd5df e8f1f9 aab3c0 aab1bd d4e3f2",
}
"""Mean colours of the cells as gymnasium drew them up to version 1.2, row by row."""
_TILES = {"F": tiles.ICE, "H": tiles.HOLE, "S": tiles.LAKE_START, "G": tiles.LAKE_GOAL}
_LETTERS = {tile: letter for letter, tile in _TILES.items()}


@dataclass(frozen=True)
class DrawnLake:
    """Contents of an image of a lake."""

    rows: tuple[str, ...]
    """The map in gymnasium's letters."""
    is_older: bool = False
    """True if drawn by gymnasium up to version 1.2, whose art is not available to compare every pixel with."""


def read_drawing(pixels: Array) -> DrawnLake | None:
    """Read the map in an image (height, width, 3) uint8, if it clearly is one with a few cells; None otherwise."""
    if rows := _read_own(pixels):
        return DrawnLake(rows)
    return _read_frame(trim(pixels))


def is_explained(lake: DrawnLake, pixels: Array) -> bool:
    """Return True if the map accounts for every pixel of the image: nothing was moved or added."""
    if lake.is_older:
        return False
    if has_plain_margins(pixels) and explains(frames.render_frame(lake.rows), trim(pixels)):
        return True
    return explains(_own(lake.rows), pixels)


def read_lake(pixels: Array) -> tuple[str, ...] | None:
    """Read the map in gymnasium's letters; None if the image (height, width, 3) uint8 is not clearly one."""
    seen = read_drawing(pixels)
    return None if seen is None else seen.rows


def _own(rows: tuple[str, ...]) -> Array:
    """Draw a map in the model's own tiles, 64 pixels a side."""
    sheet = Canvas()
    for row, letters in enumerate(rows):
        for column, letter in enumerate(letters):
            if row < GRID and column < GRID:
                sheet.paint(row * GRID + column, _TILES[letter])
    return sheet.pixels()


def _read_own(pixels: Array) -> tuple[str, ...] | None:
    drawn = read_tiles(pixels)
    if drawn is None or any(tile not in _LETTERS for row in drawn for tile in row):
        return None
    return _checked(["".join(_LETTERS[tile] for tile in row) for row in drawn])


def _read_frame(pixels: Array) -> DrawnLake | None:
    """Try every size and both versions; accept the best fit if every cell fits and no other reading is close."""
    if pixels.shape[0] != pixels.shape[1] or len(pixels) < 32:
        return None
    fits, areas = [], Areas(pixels)
    for size in _SIZES:
        parts = areas.means(size * _FINE, size * _FINE)
        cells = parts.reshape(size, _FINE, size, _FINE, 3).swapaxes(1, 2).reshape(size, size, -1)
        for is_older, (letters, looks) in enumerate(_templates()):
            distances = np.abs(cells[:, :, None] - looks).mean(-1)
            rows = ["".join(letters[index] for index in row) for row in distances.argmin(-1)]
            # the worst cell decides: a wrong size fits much of the ice, but not the start and the goal
            fits.append((float(distances.min(-1).max()), rows, bool(is_older)))
    fits.sort(key=lambda fit: fit[0])
    (worst, best, is_older), (rival, _, _) = fits[:2]
    if worst > _NOISE or rival < worst * _LEAD:
        return None
    checked = _checked(best)
    return DrawnLake(checked, is_older) if checked else None


def _checked(rows: list[str]) -> tuple[str, ...] | None:
    text = "".join(rows)
    return tuple(rows) if text.count("S") == text.count("G") == 1 else None


@functools.cache
def _templates() -> list[tuple[str, Array]]:
    """Return for each version the letters and the colours of their cells, (letters, parts * 3)."""
    cells = [("F", None), ("F", 0), ("F", 1), ("H", None), ("S", None), ("G", None)]
    new = [
        Areas(frames.render_cell(letter, crack)).means(_FINE, _FINE).ravel()
        for letter, crack in cells
    ]
    old = [list(bytes.fromhex(colours)) for colours in _OLDER.values()]
    return [
        ("".join(letter for letter, _ in cells), np.array(new)),
        ("".join(_OLDER), np.array(old, np.float64)),
    ]
