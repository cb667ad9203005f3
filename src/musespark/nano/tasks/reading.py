"""Classical image processing for the verifiers: no network, nothing learned.

It is independent of the code that draws, and returns None if in doubt.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from musespark.nano import canvas, tiles
from musespark.nano.arrays import Array
from musespark.nano.patches import within_margins
from musespark.nano.vocabulary import GRID

_TILE_NOISE = 6.0
"""Largest mean difference (of 255) at which a tile counts as recognised."""


_FILTERS = (
    Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.NEAREST,
)  # fmt: skip
_FAINT, _GRAINY, _SHARPEST, _BLURRED = 10.0, 17.0, 60.0, 38.0
"""Limits on the differences (of 255) between an image and its redrawing: the difference that any pixel may have; the multiple
of the mean difference that it may have (noise of JPEG and scaling is everywhere, additions are not); the largest difference of a
pixel; the largest in a mean of 3x3 pixels.
"""
_MARGIN = 12
"""Largest difference (of 255) of the margins from their own colour."""


def explains(drawn: Array, seen: Array) -> bool:
    """Return True if a drawing (height, width, 3), scaled to the image's size, accounts for every pixel of the image."""
    height, width = seen.shape[:2]
    sheet = Image.fromarray(drawn)
    scaled = (
        (sheet,)
        if sheet.size == (width, height)
        else (sheet.resize((width, height), each) for each in _FILTERS)
    )
    return any(_is_close(np.asarray(one), seen) for one in scaled)


def _is_close(drawn: Array, seen: Array) -> bool:
    return is_noise(np.abs(drawn.astype(np.int16) - seen).max(-1), _FAINT)


def is_noise(apart: Array, faint: float, mean: float | None = None) -> bool:
    """Return True if differences (height, width), 0 to 255, look like noise of scaling and JPEG, and not like an addition.

    faint: difference that any pixel may have; mean: the mean difference, if some were set to 0 before.
    """
    grain = float(apart.mean()) if mean is None else mean
    if apart.max() > min(_SHARPEST, faint + _GRAINY * grain):
        return False
    blurred = np.asarray(Image.fromarray(apart.astype(np.uint8)).filter(ImageFilter.BoxBlur(1)))
    return int(blurred.max()) <= _BLURRED


def has_plain_margins(pixels: Array) -> bool:
    """Return True if everything that `patches.trim` cuts off has one colour."""
    rest = np.ones(pixels.shape[:2], bool)
    rest[within_margins(pixels)] = False
    outer = pixels[rest]
    return not len(outer) or int(np.ptp(outer, axis=0).max()) <= _MARGIN


class Areas:
    """Mean colours of an image (height, width, 3) in parts of any size, from running sums (Crow 1984, an axis at a time)."""

    def __init__(self, pixels: Array) -> None:
        self._down = _running(pixels)

    def means(self, rows: int, columns: int) -> Array:
        """Return the mean colour of each of rows x columns equal parts, (rows, columns, 3) float64.

        A pixel on the border of two parts counts in both, by the share of its area.
        """
        strips = _parts(self._down, rows)
        return _parts(_running(strips.swapaxes(0, 1)), columns).swapaxes(0, 1)


def read_tiles(pixels: Array) -> list[list[int]] | None:
    """Read a map in the model's own style, as rows of base tiles; None for any other image."""
    if pixels.shape[0] != pixels.shape[1] or len(pixels) < canvas.SIDE:
        return None
    seen = Areas(pixels).means(canvas.SIDE, canvas.SIDE)
    seen = (
        seen.reshape(GRID, tiles.SIDE, GRID, tiles.SIDE, 3).swapaxes(1, 2).reshape(GRID, GRID, -1)
    )
    known = [tile for tile in range(tiles.USED) if not tiles.is_ink(tile)]
    book = tiles.codebook()[known, ..., :3].reshape(len(known), -1).astype(np.float64)
    if np.abs(seen[0, 0] - book).mean(-1).min() > _TILE_NOISE:
        return None  # rejects almost every other image at little cost
    distances = np.abs(seen[:, :, None] - book).mean(-1)
    if distances.min(-1).max() > _TILE_NOISE:
        return None
    nearest = np.array(known)[distances.argmin(-1)]
    blank = nearest == tiles.maze(
        0
    )  # a crossing looks like white paper, but cannot stand at the edge of a map
    inked = np.argwhere(~blank)
    if not len(inked):
        return None
    size = int(inked.max()) + 1
    return [[int(tile) for tile in row[:size]] for row in nearest[:size]]


def _running(values: Array) -> Array:
    """Running sums along the first axis, beginning with 0."""
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


def _parts(sums: Array, count: int) -> Array:
    """Means over equal parts of the first axis, from its running sums."""
    length = len(sums) - 1
    edges = np.linspace(0, length, count + 1)
    below = np.minimum(edges.astype(int), length - 1)
    share = (edges - below)[:, None, None]
    means: Array = np.diff(sums[below] * (1 - share) + sums[below + 1] * share, axis=0) * (
        count / length
    )
    return means
