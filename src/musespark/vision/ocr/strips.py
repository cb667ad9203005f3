"""Strips: images many times as wide as high. The detector takes one for a single line of text, and scales it up to a size without
bound; so a strip is cut into pieces at blank columns, and each piece is put on a ground of a usual shape."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

MAX_RATIO = 6.0
"""Width divided by height beyond which an image is a strip."""
PIECE_WIDTH = 1800
"""Pixels of the width of a piece, at most."""
MIN_HEIGHT = 48
"""Pixels to which a lower strip is enlarged, at most three times."""
MARGIN = 16
"""Pixels of ground around a piece."""
NOISE = 24
"""Difference in brightness, of 255, within a column that counts as blank."""


def is_strip(width: int, height: int) -> bool:
    """Return True for the size of a strip."""
    return width > MAX_RATIO * height


def strip_scale(height: int) -> float:
    """Return the factor by which a strip is scaled."""
    return min(3.0, max(1.0, MIN_HEIGHT / height))


def split_columns(pixels: PIL.Image.Image) -> Iterator[tuple[int, int]]:
    """Yield the left and right of each piece, in pixels, cut where no text stands if there is such a place."""
    import numpy as np

    grey = np.asarray(pixels.convert("L"))
    is_blank = grey.max(axis=0).astype(int) - grey.min(axis=0) < NOISE
    left = 0
    while pixels.width - left > PIECE_WIDTH:
        first = left + PIECE_WIDTH // 2
        cut = first + _widest_blank(is_blank[first : left + PIECE_WIDTH])
        yield left, cut
        left = cut
    yield left, pixels.width


def _widest_blank(is_blank: np.ndarray[Any, Any]) -> int:
    """Return the middle of the longest run of blank columns; the end if there is none."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate(([0], is_blank.astype(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return len(is_blank)
    widest = int(np.argmax(ends - starts))
    return max(1, int(starts[widest] + ends[widest]) // 2)


def put_on_ground(piece: PIL.Image.Image) -> tuple[PIL.Image.Image, int, int]:
    """Put a piece on a ground of its own colour and a usual shape; returns it with the piece's left and top."""
    import numpy as np
    from PIL import Image as pillow

    array = np.asarray(piece)
    edge = np.concatenate((array[0], array[-1]))
    ground = tuple(int(value) for value in np.median(edge, axis=0))
    width = piece.width + 2 * MARGIN
    height = max(piece.height + 2 * MARGIN, math.ceil(width / MAX_RATIO))
    canvas = pillow.new("RGB", (width, height), ground)
    top = (height - piece.height) // 2
    canvas.paste(piece, (MARGIN, top))
    return canvas, MARGIN, top
