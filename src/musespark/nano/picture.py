"""What the model sees of a picture: trimmed of its margins, shrunk to 64 by 64 pixels, cut into 64 patches."""

from __future__ import annotations

import numpy as np
from PIL import Image

from musespark.nano import tiles
from musespark.nano.vocabulary import GRID, PLACES

SIDE = GRID * tiles.SIDE
"""Pixels per side of the picture the model sees."""
PATCH_WIDTH = tiles.SIDE * tiles.SIDE * 3 + PLACES
"""Floats per patch: its pixels, and a one-hot of its place."""
LONGEST = 2048
"""Pixels per side beyond which a picture that is no square is shrunk first: padded to one, a strip would fill the memory."""
PAPER = 225
"""A pixel whose darkest channel is at least this is blank paper."""


def trim(pixels: np.ndarray) -> np.ndarray:
    """The picture without its blank margins: it must not matter where on the page a drawing lies, nor how large it is."""
    return pixels[within_margins(pixels)]


def within_margins(pixels: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns between the blank margins; all of them where everything is blank."""
    inked = np.minimum(np.minimum(pixels[..., 0], pixels[..., 1]), pixels[..., 2]) < PAPER  # pixels.min(axis=2), ten times faster
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if not len(rows):
        return slice(None), slice(None)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def shrink(pixels: np.ndarray) -> np.ndarray:
    """What the model sees of a picture: trimmed, padded with white to a square, resized to (64, 64, 3) uint8."""
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
    # Hamming: as sharp as bicubic where thin walls become thinner than a pixel, and never darker than the picture
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.HAMMING, reducing_gap=3.0)
    return np.asarray(small)


def patches(pixels: np.ndarray) -> np.ndarray:
    """The model's view of a 64x64 picture: (64, 256) float32, 8x8x3 pixels from -1 to 1 (y, x, colour) and a one-hot of the place.

    The one-hot is a fourth channel that holds the coordinates (CoordConv: Liu et al. 2018).
    """
    blocks = pixels.reshape(GRID, tiles.SIDE, GRID, tiles.SIDE, 3).transpose(0, 2, 1, 3, 4).reshape(PLACES, -1)
    return np.concatenate([blocks.astype(np.float32) / 255 * 2 - 1, np.eye(PLACES, dtype=np.float32)], axis=1)
