"""Zoom: a region of a picture, larger."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.vision.album import View
from musespark.vision.coordinates import SPAN, Affine, Box, box_asked
from musespark.vision.resize import encoded
from musespark.vision.tools.vision_tool import BOX, COORDINATES, PICTURE, Sight, ThreadedLook

if TYPE_CHECKING:
    import PIL.Image

LEAST = 8
"""Pixels of a view's sides, at least: of fewer, nobody sees anything."""

Pixels = tuple[int, int, int, int]
"""Left, top, right and bottom, in whole pixels."""


class Zoom(ThreadedLook):
    """The tool `zoom`."""

    name = "zoom"
    does = f"Shows a region of a picture larger, in all the detail that the picture has. {COORDINATES}"
    takes: ClassVar[Mapping[str, Any]] = {"box": {**BOX, "description": "The region: [x1, y1, x2, y2]."}, "picture": PICTURE}
    needs = ("box",)

    def look(self, arguments: Mapping[str, Any]) -> Sight:
        remarks: list[str] = []
        box = box_asked(arguments["box"], remarks)
        picture, pixels = self.picture(arguments)
        region = whole_pixels(box, pixels.width, pixels.height)
        cut = pixels.crop(region)
        seen = part_of(region, pixels.width, pixels.height)
        if box.width * pixels.width < (LEAST - 1) * SPAN or box.height * pixels.height < (LEAST - 1) * SPAN:
            remarks.append(f"The box {box} is too small to be seen, and was widened to {seen}.")
        view = View(cut, encoded(cut, self.album.side, enlarge=True), f"picture {picture.number}, zoomed to {seen}",
                    lambda whole: whole.crop(region), picture, onto(seen))
        return Sight(view, remarks=tuple(remarks))


def whole_pixels(box: Box, width: int, height: int) -> Pixels:
    """The pixels that a box touches, at least `LEAST` each way where the picture has them."""
    left, right = _edges(box.left, box.right, width)
    top, bottom = _edges(box.top, box.bottom, height)
    return left, top, right, bottom


def _edges(low: float, high: float, size: int) -> tuple[int, int]:
    # A hair less than a pixel is one that only rounding touches.
    first, last = math.floor(low / SPAN * size + 1e-6), math.ceil(high / SPAN * size - 1e-6)
    missing = min(LEAST, size) - (last - first)
    if missing > 0:
        first = min(max(0, first - missing // 2), size - min(LEAST, size))
        last = first + min(LEAST, size)
    return first, last


def part_of(region: Pixels, width: int, height: int) -> Box:
    """A region of whole pixels as a box."""
    left, top, right, bottom = region
    return Box(left / width * SPAN, top / height * SPAN, right / width * SPAN, bottom / height * SPAN)


def onto(box: Box) -> Affine:
    """From the coordinates of a view of that box to those of the picture that it is a view of."""
    return Affine.scale(box.width / SPAN, box.height / SPAN).then(Affine.shift(box.left, box.top))


def cropped(pixels: PIL.Image.Image, box: Box | None) -> tuple[PIL.Image.Image, Affine, Box]:
    """A box of a picture, all of it by default: its pixels, the way from its coordinates to the picture's, and what it holds."""
    if box is None:
        return pixels, Affine(), Box(0.0, 0.0, SPAN, SPAN)
    region = whole_pixels(box, pixels.width, pixels.height)
    seen = part_of(region, pixels.width, pixels.height)
    return pixels.crop(region), onto(seen), seen
