"""Segmentation by colour, and simple geometric shapes among the regions: no knowledge of objects is needed."""

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
"""Pixels of the longest side to which an image is scaled down before it is segmented."""
MIN_SHARE = 0.0002
"""Share of the image's area below which a region is taken for noise or letters."""
MAX_SHARE = 0.9
"""Share of the image's area above which a region is taken for the background."""


@dataclass(frozen=True, slots=True)
class Colour:
    """The HSV range of a colour name: hues from 0 to 180, as OpenCV counts them, saturation and value from 0 to 255."""

    hues: tuple[tuple[int, int], ...]
    min_saturation: int = 70
    value: tuple[int, int] = (50, 255)


COLOURS = {
    "red": Colour(((0, 8), (172, 180))),
    "orange": Colour(((8, 20),), value=(150, 255)),
    "brown": Colour(((4, 20),), value=(40, 150)),
    "yellow": Colour(((20, 35),)),
    "green": Colour(((35, 85),)),
    "cyan": Colour(((85, 100),)),
    "blue": Colour(((100, 130),)),
    "purple": Colour(((128, 162),)),
    "pink": Colour(((145, 172),), 40, (190, 255)),
}
"""Ranges may overlap: some colours have two names."""
GREYS = ("black", "grey", "white")
SYNONYMS = {
    "gray": "grey",
    "violet": "purple",
    "magenta": "pink",
    "turquoise": "cyan",
    "teal": "cyan",
    "gold": "yellow",
    "crimson": "red",
    "navy": "blue",
    "lime": "green",
    "maroon": "brown",
}
SHAPES = {
    "circle": "circle",
    "round": "circle",
    "dot": "circle",
    "disc": "circle",
    "ellipse": "ellipse",
    "oval": "ellipse",
    "triangle": "triangle",
    "square": "square",
    "rectangle": "rectangle",
    "box": "rectangle",
    "bar": "rectangle",
    "rectangular": "rectangle",
    "line": "line",
    "pentagon": "pentagon",
    "hexagon": "hexagon",
}
_SPECIAL_CASES = {"ellipse": ("ellipse", "circle"), "rectangle": ("rectangle", "square")}
"""A circle is an ellipse, a square a rectangle."""


@dataclass(frozen=True, slots=True)
class Description:
    """The colour and shape of the regions to find; None stands for any."""

    colour: str | None
    shape: str | None


@dataclass(frozen=True, slots=True)
class Region:
    """A region of one colour."""

    box: Box
    colour: str
    shape: str
    share: float
    """Share of the image's area, 0 to 1."""


def parse_description(text: str) -> Description | None:
    """Find the names of a colour and of a shape in a text; None if it has neither."""
    words = [
        word.removesuffix("s") if word.removesuffix("s") in SHAPES else word
        for word in re.findall(r"[a-z]+", text.lower())
    ]
    colours = [
        SYNONYMS.get(word, word) for word in words if SYNONYMS.get(word, word) in (*COLOURS, *GREYS)
    ]
    shapes = [SHAPES[word] for word in words if word in SHAPES]
    if not colours and not shapes:
        return None
    return Description(colours[0] if colours else None, shapes[0] if shapes else None)


def find_regions(pixels: PIL.Image.Image, wanted: Description) -> list[Region]:
    """Find the regions that match a description, largest first."""
    import cv2
    import numpy as np
    from PIL import Image as pillow

    factor = min(1.0, SIDE / max(pixels.size))
    size = (max(1, round(pixels.width * factor)), max(1, round(pixels.height * factor)))
    array = np.asarray(pixels.resize(size, pillow.Resampling.BOX) if factor < 1 else pixels)
    hsv = cv2.cvtColor(array, cv2.COLOR_RGB2HSV)
    found = [
        region
        for colour in ([wanted.colour] if wanted.colour else [*COLOURS, *GREYS])
        for region in _regions_of(colour, _mask(hsv, colour))
        if _matches(region, wanted)
    ]
    best: list[Region] = []
    for region in sorted(found, key=lambda region: -region.share):
        if not any(region.box.iou(other.box) > 0.8 for other in best):
            best.append(region)
    return best


def _matches(region: Region, wanted: Description) -> bool:
    return wanted.shape is None or region.shape in _SPECIAL_CASES.get(wanted.shape, (wanted.shape,))


def _mask(hsv: np.ndarray[Any, Any], colour: str) -> np.ndarray[Any, Any]:
    """Return a mask of the pixels of that colour: 255, and 0 elsewhere."""
    import numpy as np

    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    # The saturation of nearly black pixels is noise.
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
            there &= (
                (saturation > named.min_saturation)
                & (value > named.value[0])
                & (value <= named.value[1])
            )
    return there.astype(np.uint8) * 255


def _regions_of(colour: str, mask: np.ndarray[Any, Any]) -> Iterator[Region]:
    """Find the connected regions of a mask, each with the shape of its outline."""
    import cv2

    height, width = mask.shape
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for outline in outlines:
        area = cv2.contourArea(outline)
        share = area / (width * height)
        left, top, wide, high = cv2.boundingRect(outline)
        thin = min(wide, high) <= 4 and max(wide, high) >= 20
        if (share < MIN_SHARE and not thin) or share > MAX_SHARE:
            continue
        box = Box(
            left / width * SPAN,
            top / height * SPAN,
            (left + wide) / width * SPAN,
            (top + high) / height * SPAN,
        )
        yield Region(box, colour, _classify_shape(outline, area), share)


def _classify_shape(outline: np.ndarray[Any, Any], area: float) -> str:
    """Name the simple shape of an outline; `shape` if it is none."""
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
