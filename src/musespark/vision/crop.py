"""Cropping an image to a box, with the transform back to the coordinates of the whole image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from musespark.vision.coordinates import IDENTITY, SPAN, WHOLE, Affine, Box

if TYPE_CHECKING:
    import PIL.Image

MIN_PIXELS = 8
"""Pixels of a crop's sides, at least: fewer show nothing."""

PixelBox = tuple[int, int, int, int]
"""Left, top, right and bottom, in whole pixels."""


def crop_to_box(pixels: PIL.Image.Image, box: Box | None) -> tuple[PIL.Image.Image, Affine, Box]:
    """Crop an image to a box; None takes all of it.

    Returns the pixels, the transform from the crop's coordinates to those of the image, and the box that the crop covers.
    """
    if box is None:
        return pixels, IDENTITY, WHOLE
    region = covered_pixels(box, pixels.width, pixels.height)
    covered = pixels_to_box(region, pixels.width, pixels.height)
    return pixels.crop(region), crop_transform(covered), covered


def covered_pixels(box: Box, width: int, height: int) -> PixelBox:
    """Return the pixels that a box touches, at least `MIN_PIXELS` each way if the image has them."""
    left, right = _pixel_range(box.left, box.right, width)
    top, bottom = _pixel_range(box.top, box.bottom, height)
    return left, top, right, bottom


def _pixel_range(low: float, high: float, size: int) -> tuple[int, int]:
    # Ignore a pixel that is touched only because of rounding.
    first, last = math.floor(low / SPAN * size + 1e-6), math.ceil(high / SPAN * size - 1e-6)
    missing = min(MIN_PIXELS, size) - (last - first)
    if missing > 0:
        first = min(max(0, first - missing // 2), size - min(MIN_PIXELS, size))
        last = first + min(MIN_PIXELS, size)
    return first, last


def pixels_to_box(region: PixelBox, width: int, height: int) -> Box:
    """Convert whole pixels to a box."""
    left, top, right, bottom = region
    return Box(
        left / width * SPAN, top / height * SPAN, right / width * SPAN, bottom / height * SPAN
    )


def crop_transform(box: Box) -> Affine:
    """Return the transform from the coordinates of a crop of that box to those of the image."""
    return Affine.scaling(box.width / SPAN, box.height / SPAN).then(
        Affine.translation(box.left, box.top)
    )
