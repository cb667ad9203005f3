"""Images as the model sees them: trimmed of margins, shrunk to 64 by 64 pixels, cut into 64 patches."""

from __future__ import annotations

import numpy as np
from PIL import Image

from musespark.nano import tiles
from musespark.nano.arrays import Array
from musespark.nano.vocabulary import GRID, PLACES

SIDE = GRID * tiles.SIDE
"""Pixels per side of the image the model sees."""
PATCH_WIDTH = tiles.SIDE * tiles.SIDE * 3 + PLACES
"""Floats per patch: its pixels, and a one-hot of its place."""
LONGEST = 2048
"""Pixels per side beyond which an image that is not square is shrunk before it is padded: a long strip would fill the memory."""
PAPER = 225
"""A pixel whose darkest channel is at least this is blank paper."""


def trim(pixels: Array) -> Array:
    """Cut off the blank margins, so that position and size of a drawing on the page do not matter."""
    return pixels[within_margins(pixels)]


def within_margins(pixels: Array) -> tuple[slice, slice]:
    """Rows and columns between the blank margins; all of them if the image is blank."""
    inked = (
        np.minimum(np.minimum(pixels[..., 0], pixels[..., 1]), pixels[..., 2]) < PAPER
    )  # pixels.min(axis=2), ten times faster
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if not len(rows):
        return slice(None), slice(None)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def shrink(pixels: Array) -> Array:
    """Trim an image, pad it with white to a square and resize it to (64, 64, 3) uint8."""
    pixels = trim(pixels)
    height, width = pixels.shape[:2]
    side = max(height, width)
    if height != width and side > LONGEST:
        fitting = (max(1, round(width * LONGEST / side)), max(1, round(height * LONGEST / side)))
        pixels = np.asarray(Image.fromarray(pixels).resize(fitting, Image.Resampling.BOX))
        height, width, side = *pixels.shape[:2], LONGEST
    if height != width:
        square = np.full((side, side, 3), 255, np.uint8)
        top, left = (side - height) // 2, (side - width) // 2
        square[top : top + height, left : left + width] = pixels
        pixels = square
    if side == SIDE:
        return np.ascontiguousarray(pixels)
    # Hamming: as sharp as bicubic when thin walls become thinner than a pixel, and never darker than the image
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.HAMMING, reducing_gap=3.0)
    return np.asarray(small)


def patches(pixels: Array) -> Array:
    """Cut a 64x64 image into patches: (64, 256) float32, 8x8x3 pixels from -1 to 1 (y, x, colour) and a one-hot of the place.

    The one-hot is a fourth channel that holds the coordinates (CoordConv: Liu et al. 2018).
    """
    blocks = (
        pixels.reshape(GRID, tiles.SIDE, GRID, tiles.SIDE, 3)
        .transpose(0, 2, 1, 3, 4)
        .reshape(PLACES, -1)
    )
    return np.concatenate(
        [blocks.astype(np.float32) / 255 * 2 - 1, np.eye(PLACES, dtype=np.float32)], axis=1
    )
