"""Classical image processing that the worlds check answers with: no network, nothing learned.

It is written apart from the code that draws, and says None rather than guess.
"""

from __future__ import annotations

import numpy as np

from musespark.nano import canvas, tiles
from musespark.nano.vocabulary import GRID

_TILE_NOISE = 6.0
"""Mean difference (of 255) at which a tile still counts as recognised."""


class Areas:
    """Mean colours of a picture (height, width, 3) in parts of any size, from running sums (Crow 1984, an axis at a time)."""

    def __init__(self, pixels: np.ndarray) -> None:
        self._down = _running(pixels)

    def means(self, rows: int, columns: int) -> np.ndarray:
        """The mean colour of each of rows x columns equal parts, (rows, columns, 3) float64.

        Pixels that two parts share count in both by the share of their area.
        """
        strips = _parts(self._down, rows)
        return _parts(_running(strips.swapaxes(0, 1)), columns).swapaxes(0, 1)


def read_tiles(pixels: np.ndarray) -> list[list[int]] | None:
    """The map of a picture in the model's own style, as rows of base tiles; None where the picture is anything else."""
    if pixels.shape[0] != pixels.shape[1] or len(pixels) < canvas.SIDE:
        return None
    seen = Areas(pixels).means(canvas.SIDE, canvas.SIDE)
    seen = seen.reshape(GRID, tiles.SIDE, GRID, tiles.SIDE, 3).swapaxes(1, 2).reshape(GRID, GRID, -1)
    known = [tile for tile in range(tiles.USED) if not tiles.is_ink(tile)]
    book = tiles.codebook()[known, ..., :3].reshape(len(known), -1).astype(np.float64)
    if np.abs(seen[0, 0] - book).mean(-1).min() > _TILE_NOISE:
        return None  # as almost every other picture does, at little cost
    distances = np.abs(seen[:, :, None] - book).mean(-1)
    if distances.min(-1).max() > _TILE_NOISE:
        return None
    nearest = np.array(known)[distances.argmin(-1)]
    blank = nearest == tiles.maze(0)  # a crossing looks like white paper, but never at the edge of a map
    inked = np.argwhere(~blank)
    if not len(inked):
        return None
    size = int(inked.max()) + 1
    return [[int(tile) for tile in row[:size]] for row in nearest[:size]]


def _running(values: np.ndarray) -> np.ndarray:
    """Sums along the first axis, from none of the values to all of them."""
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


def _parts(sums: np.ndarray, count: int) -> np.ndarray:
    """Means over equal parts of the first axis, from its running sums."""
    length = len(sums) - 1
    edges = np.linspace(0, length, count + 1)
    below = np.minimum(edges.astype(int), length - 1)
    share = (edges - below)[:, None, None]
    means: np.ndarray = np.diff(sums[below] * (1 - share) + sums[below + 1] * share, axis=0) * (count / length)
    return means
