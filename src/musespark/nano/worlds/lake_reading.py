"""Reads frozen lakes from pictures: gymnasium's frames, new and old, at any scale, and the model's own tiles."""

from __future__ import annotations

import functools

import numpy as np

from musespark.nano import tiles
from musespark.nano.picture import trim
from musespark.nano.worlds import frames
from musespark.nano.worlds.reading import Areas, read_tiles

_SIZES = range(2, 9)
_FINE = 4
"""Cells are compared by the mean colours of _FINE x _FINE parts, which hardly change with the scale."""
_NOISE = 9.0
"""Mean difference (of 255) up to which a cell is what it looks like most."""
_LEAD = 1.5
"""How many times better the reading must fit than any other one."""
_OLDER = {
    "F": "deedfa ebf4fb f1f7fb e9f2fa e8f3fb ebf5fd f1f8fd e0effb e7f2fc f1f8fc f5fafd e9f3fb ebf3fa ebf4fb eaf3fc e0eefb",
    "H": "cee3f8 8ac6f1 8dc9f2 c8e1f5 71c3ee 60dcf8 54d7f6 62c3f0 79d8f6 60e0f7 64e0f8 85daf9 c7e7f9 77d8f7 7cdef8 ace0fa",
    "S": "deedfa e8f1f8 eff4f8 e9f2fa e8f3fb b8a091 b8a092 e0effb e7f2fc b8a49e bca69e e9f3fb ebf3fa e7eff7 e5eef7 e0eefb",
    "G": "deedfa e7ecf1 eff2f4 e9f2fa d4deea ac7744 b37841 bfccd9 dde9f4 826856 966f4f cbd5df e8f1f9 aab3c0 aab1bd d4e3f2",
}
"""Mean colours of the cells that gymnasium drew up to version 1.2, row by row."""
_LETTERS = {tiles.ICE: "F", tiles.HOLE: "H", tiles.LAKE_START: "S", tiles.LAKE_GOAL: "G"}


def read_lake(pixels: np.ndarray) -> tuple[str, ...] | None:
    """The map in gymnasium's letters, or None where the picture (height, width, 3) uint8 is not clearly one."""
    return _read_own(pixels) or _read_frame(trim(pixels))


def _read_own(pixels: np.ndarray) -> tuple[str, ...] | None:
    drawn = read_tiles(pixels)
    if drawn is None or any(tile not in _LETTERS for row in drawn for tile in row):
        return None
    return _checked(["".join(_LETTERS[tile] for tile in row) for row in drawn])


def _read_frame(pixels: np.ndarray) -> tuple[str, ...] | None:
    """Try every size and both versions; the best fit counts where every cell fits and no other reading comes near."""
    if pixels.shape[0] != pixels.shape[1] or len(pixels) < 32:
        return None
    fits, areas = [], Areas(pixels)
    for size in _SIZES:
        parts = areas.means(size * _FINE, size * _FINE)
        cells = parts.reshape(size, _FINE, size, _FINE, 3).swapaxes(1, 2).reshape(size, size, -1)
        for letters, looks in _templates():
            distances = np.abs(cells[:, :, None] - looks).mean(-1)
            rows = ["".join(letters[index] for index in row) for row in distances.argmin(-1)]
            # the worst cell tells: a wrong size fits much of the ice, but not the start and the goal
            fits.append((float(distances.min(-1).max()), rows))
    fits.sort(key=lambda fit: fit[0])
    (worst, rows), (rival, _) = fits[:2]
    if worst > _NOISE or rival < worst * _LEAD:
        return None
    return _checked(rows)


def _checked(rows: list[str]) -> tuple[str, ...] | None:
    text = "".join(rows)
    return tuple(rows) if text.count("S") == text.count("G") == 1 else None


@functools.cache
def _templates() -> list[tuple[str, np.ndarray]]:
    """For each version: the letters, and what their cells look like, (letters, parts * 3)."""
    cells = [("F", None), ("F", 0), ("F", 1), ("H", None), ("S", None), ("G", None)]
    new = [Areas(frames.current_cell(letter, crack)).means(_FINE, _FINE).ravel() for letter, crack in cells]
    old = [list(bytes.fromhex(colours)) for colours in _OLDER.values()]
    return [("".join(letter for letter, _ in cells), np.array(new)), ("".join(_OLDER), np.array(old, np.float64))]
