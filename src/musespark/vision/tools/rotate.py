"""Rotate: a picture turned, or mirrored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.images import MAX_PIXELS
from musespark.vision.album import View
from musespark.vision.coordinates import SPAN, Affine, Unclear
from musespark.vision.resize import encoded
from musespark.vision.tools.vision_tool import COORDINATES, PICTURE, Sight, ThreadedLook, flag, number

if TYPE_CHECKING:
    import PIL.Image


class Rotate(ThreadedLook):
    """The tool `rotate`."""

    name = "rotate"
    does = "Shows a picture turned clockwise by any number of degrees, or mirrored (left and right swapped, before it is " \
           f"turned). Use it for what was photographed or scanned askew. {COORDINATES}"
    takes: ClassVar[Mapping[str, Any]] = {
        "degrees": {"type": "number", "minimum": -360, "maximum": 360, "description": "Clockwise; negative is the other way."},
        "mirror": {"type": "boolean"},
        "picture": PICTURE,
    }

    def look(self, arguments: Mapping[str, Any]) -> Sight:
        degrees, mirror = number(arguments, "degrees", -360, 360, 0) % 360, flag(arguments, "mirror")
        if not degrees and not mirror:
            raise Unclear("Nothing would change; give degrees other than 0, or mirror.")
        picture, pixels = self.picture(arguments)
        if degrees % 90 and (pixels.width + pixels.height) ** 2 / 2 > MAX_PIXELS:
            raise Unclear("The picture is too large to be turned that far; zoom in first, or turn it by quarters.")
        turned = rotated(pixels, degrees, mirror)
        how = " and ".join((["mirrored"] if mirror else []) + ([f"turned {degrees:g} degrees clockwise"] if degrees else []))
        view = View(turned, encoded(turned, self.album.side), f"picture {picture.number}, {how}",
                    lambda whole: rotated(whole, degrees, mirror), picture, way_back(pixels.size, turned.size, degrees, mirror))
        return Sight(view)


def rotated(pixels: PIL.Image.Image, degrees: float, mirror: bool = False) -> PIL.Image.Image:
    """The picture, mirrored or not, then turned clockwise on a canvas that holds all of it; quarter turns lose nothing."""
    from PIL import Image as pillow

    if mirror:
        pixels = pixels.transpose(pillow.Transpose.FLIP_LEFT_RIGHT)
    quarters = {90.0: pillow.Transpose.ROTATE_270, 180.0: pillow.Transpose.ROTATE_180, 270.0: pillow.Transpose.ROTATE_90}
    if degrees in quarters:
        return pixels.transpose(quarters[degrees])
    return pixels.rotate(-degrees, pillow.Resampling.BICUBIC, expand=True, fillcolor="white") if degrees else pixels


def way_back(before: tuple[int, int], after: tuple[int, int], degrees: float, mirror: bool) -> Affine:
    """From the coordinates of the turned picture to those of the one it was: both turn about their centres, in pixels."""
    (width, height), (wide, high) = before, after
    back = (Affine.scale(wide / SPAN, high / SPAN).then(Affine.shift(-wide / 2, -high / 2)).then(Affine.turn(-degrees % 360))
            .then(Affine.shift(width / 2, height / 2)).then(Affine.scale(SPAN / width, SPAN / height)))
    return back.then(Affine(a=-1.0, c=SPAN)) if mirror else back
