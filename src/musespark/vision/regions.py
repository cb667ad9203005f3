"""Regions of one colour, and the plain shapes among them: what can be found in a picture without knowing what it shows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from musespark.vision.coordinates import SPAN, Box

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

SIDE = 1200
"""Pixels of the longest side on which regions are looked for."""
SMALLEST = 0.0002
"""Of the picture; what is smaller is taken for noise or letters."""
LARGEST = 0.9
"""Of the picture; what is larger is the background."""
@dataclass(frozen=True, slots=True)
class Colour:
    """What has that name: hues from 0 to 180, as OpenCV counts them, saturations and brightnesses from 0 to 255."""

    hues: tuple[tuple[int, int], ...]
    saturated: int = 70
    bright: tuple[int, int] = (50, 255)


COLOURS = {
    "red": Colour(((0, 8), (172, 180))), "orange": Colour(((8, 20),), bright=(150, 255)),
    "brown": Colour(((4, 20),), bright=(40, 150)),
    "yellow": Colour(((20, 35),)), "green": Colour(((35, 85),)), "cyan": Colour(((85, 100),)), "blue": Colour(((100, 130),)),
    "purple": Colour(((128, 162),)), "pink": Colour(((145, 172),), 40, (190, 255)),
}
"""Some colours have two names."""
GREYS = ("black", "grey", "white")
ALSO = {"gray": "grey", "violet": "purple", "magenta": "pink", "turquoise": "cyan", "teal": "cyan", "gold": "yellow",
        "crimson": "red", "navy": "blue", "lime": "green", "maroon": "brown"}
SHAPES = {"circle": "circle", "round": "circle", "dot": "circle", "disc": "circle", "ellipse": "ellipse", "oval": "ellipse",
          "triangle": "triangle", "square": "square", "rectangle": "rectangle", "box": "rectangle", "bar": "rectangle",
          "rectangular": "rectangle", "line": "line", "pentagon": "pentagon", "hexagon": "hexagon"}
_KINDS = {"ellipse": ("ellipse", "circle"), "rectangle": ("rectangle", "square")}
"""A circle is an ellipse, a square a rectangle."""


@dataclass(frozen=True, slots=True)
class Description:
    """What kind of region is meant."""

    colour: str | None
    shape: str | None


@dataclass(frozen=True, slots=True)
class Region:
    """A region that was found."""

    box: Box
    colour: str
    shape: str
    share: float
    """Of the picture's area."""


def described(text: str) -> Description | None:
    """The colour and the shape that a description names; None where it names neither."""
    words = [word.removesuffix("s") if word.removesuffix("s") in SHAPES else word for word in re.findall(r"[a-z]+", text.lower())]
    colours = [ALSO.get(word, word) for word in words if ALSO.get(word, word) in (*COLOURS, *GREYS)]
    shapes = [SHAPES[word] for word in words if word in SHAPES]
    if not colours and not shapes:
        return None
    return Description(colours[0] if colours else None, shapes[0] if shapes else None)


def regions(pixels: PIL.Image.Image, wanted: Description) -> list[Region]:
    """What fits the description, the largest first."""
    import cv2
    import numpy as np
    from PIL import Image as pillow

    factor = min(1.0, SIDE / max(pixels.size))
    size = (max(1, round(pixels.width * factor)), max(1, round(pixels.height * factor)))
    array = np.asarray(pixels.resize(size, pillow.Resampling.BOX) if factor < 1 else pixels)
    hsv = cv2.cvtColor(array, cv2.COLOR_RGB2HSV)
    found = [region for colour in ([wanted.colour] if wanted.colour else [*COLOURS, *GREYS])
             for region in _of(colour, _mask(hsv, colour)) if _fits(region, wanted)]
    best: list[Region] = []
    for region in sorted(found, key=lambda region: -region.share):
        if not any(region.box.overlap(other.box) > 0.8 for other in best):
            best.append(region)
    return best


def _fits(region: Region, wanted: Description) -> bool:
    return wanted.shape is None or region.shape in _KINDS.get(wanted.shape, (wanted.shape,))


def _mask(hsv: np.ndarray[Any, Any], colour: str) -> np.ndarray[Any, Any]:
    """Where the picture has that colour, 255, and 0 elsewhere."""
    import numpy as np

    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    # Saturation of what is nearly black says nothing.
    coloured = (saturation > 70) & (value > 50)
    match colour:
        case "black":
            there = (value <= 60) & ~coloured
        case "white":
            there = (value >= 235) & (saturation < 25)
        case "grey":
            there = (value > 60) & (value < 235) & (saturation < 40)
        case _:
            named = COLOURS[colour]
            there = np.logical_or.reduce([(hue >= low) & (hue < high) for low, high in named.hues])
            there &= (saturation > named.saturated) & (value > named.bright[0]) & (value <= named.bright[1])
    return there.astype(np.uint8) * 255


def _of(colour: str, mask: np.ndarray[Any, Any]) -> Iterator[Region]:
    """The regions of a mask, each with its outline's shape."""
    import cv2

    height, width = mask.shape
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for outline in outlines:
        area = cv2.contourArea(outline)
        share = area / (width * height)
        left, top, wide, high = cv2.boundingRect(outline)
        thin = min(wide, high) <= 4 and max(wide, high) >= 20
        if (share < SMALLEST and not thin) or share > LARGEST:
            continue
        box = Box(left / width * SPAN, top / height * SPAN, (left + wide) / width * SPAN, (top + high) / height * SPAN)
        yield Region(box, colour, _shape(outline, area), share)


def _shape(outline: np.ndarray[Any, Any], area: float) -> str:
    """The plain shape that an outline has, or `shape`."""
    import cv2

    (_, (long, short), _), length = cv2.minAreaRect(outline), cv2.arcLength(outline, True)
    long, short = max(long, short) + 1, min(long, short) + 1
    if long > 8 * short:
        return "line"
    corners = len(cv2.approxPolyDP(outline, 0.03 * length, True))
    if corners == 3:
        return "triangle"
    if area > 0.9 * (long - 1) * (short - 1):
        return "square" if long < 1.12 * short else "rectangle"
    if abs(area / (math.pi / 4 * long * short) - 1) < 0.1 and corners > 5:
        return "circle" if long < 1.12 * short else "ellipse"
    return {5: "pentagon", 6: "hexagon"}.get(corners, "shape")
