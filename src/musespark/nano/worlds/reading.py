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
    """Mean colours of a picture (height, width, 3) in parts of any size, from its integral image (Crow 1984)."""

    def __init__(self, pixels: np.ndarray) -> None:
        self._sums = np.zeros((pixels.shape[0] + 1, pixels.shape[1] + 1, 3))
        self._sums[1:, 1:] = pixels.cumsum(0, dtype=np.float64).cumsum(1)

    def means(self, rows: int, columns: int) -> np.ndarray:
        """The mean colour of each of rows x columns equal parts, (rows, columns, 3) float64.

        Pixels that two parts share count in both by the share of their area.
        """
        height, width = (length - 1 for length in self._sums.shape[:2])
        until = _between(self._sums, np.linspace(0, height, rows + 1))
        until = _between(until.swapaxes(0, 1), np.linspace(0, width, columns + 1)).swapaxes(0, 1)
        means: np.ndarray = np.diff(np.diff(until, axis=0), axis=1) * (rows * columns / (height * width))
        return means


def read_tiles(pixels: np.ndarray) -> list[list[int]] | None:
    """The map of a picture in the model's own style, as rows of base tiles; None where the picture is anything else."""
    if pixels.shape[0] != pixels.shape[1] or len(pixels) < canvas.SIDE:
        return None
    seen = Areas(pixels).means(canvas.SIDE, canvas.SIDE)
    seen = seen.reshape(GRID, tiles.SIDE, GRID, tiles.SIDE, 3).swapaxes(1, 2).reshape(GRID, GRID, -1)
    known = [tile for tile in range(tiles.USED) if not tiles.is_ink(tile)]
    book = tiles.codebook()[known, ..., :3].reshape(len(known), -1).astype(np.float64)
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


def _between(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Linear interpolation along the first axis."""
    below = np.minimum(where.astype(int), len(values) - 2)
    share = (where - below)[:, None, None]
    mixed: np.ndarray = values[below] * (1 - share) + values[below + 1] * share
    return mixed
