"""Rotate: an image rotated, or mirrored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.images import MAX_PIXELS
from musespark.vision.album import View
from musespark.vision.coordinates import SPAN, Affine, InvalidToolArguments
from musespark.vision.resize import encode_image
from musespark.vision.tools.vision_tool import (
    COORDINATES,
    IMAGE,
    ThreadedVisionTool,
    ToolView,
    parse_flag,
    parse_number,
)

if TYPE_CHECKING:
    import PIL.Image


class RotateTool(ThreadedVisionTool):
    """The tool `rotate`."""

    name = "rotate"
    description = (
        "Shows a picture turned clockwise by any number of degrees, or mirrored (left and right swapped, before it is turned). "
        f"Use it for what was photographed or scanned askew. {COORDINATES}"
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "degrees": {
            "type": "number",
            "minimum": -360,
            "maximum": 360,
            "description": "Clockwise; negative is the other way.",
        },
        "mirror": {"type": "boolean"},
        "picture": IMAGE,
    }

    def compute(self, arguments: Mapping[str, Any]) -> ToolView:
        degrees, mirror = (
            parse_number(arguments, "degrees", -360, 360, 0) % 360,
            parse_flag(arguments, "mirror"),
        )
        if not degrees and not mirror:
            raise InvalidToolArguments(
                "Nothing would change; give degrees other than 0, or mirror."
            )
        image, pixels = self.source(arguments)
        if degrees % 90 and (pixels.width + pixels.height) ** 2 / 2 > MAX_PIXELS:
            raise InvalidToolArguments(
                "The picture is too large to be turned that far; zoom in first, or turn it by quarters."
            )
        rotated = rotate_image(pixels, degrees, mirror)
        done = " and ".join(
            (["mirrored"] if mirror else [])
            + ([f"turned {degrees:g} degrees clockwise"] if degrees else [])
        )
        view = View(
            rotated,
            encode_image(rotated, self.album.longest_side),
            f"picture {image.number}, {done}",
            lambda whole: rotate_image(whole, degrees, mirror),
            image,
            rotation_transform(pixels.size, rotated.size, degrees, mirror),
        )
        return ToolView(view)


def rotate_image(pixels: PIL.Image.Image, degrees: float, mirror: bool = False) -> PIL.Image.Image:
    """Mirror if wanted, then rotate clockwise on a canvas that holds all of it; multiples of 90 degrees are lossless."""
    from PIL import Image as pillow

    if mirror:
        pixels = pixels.transpose(pillow.Transpose.FLIP_LEFT_RIGHT)
    quarters = {
        90.0: pillow.Transpose.ROTATE_270,
        180.0: pillow.Transpose.ROTATE_180,
        270.0: pillow.Transpose.ROTATE_90,
    }
    if degrees in quarters:
        return pixels.transpose(quarters[degrees])
    return (
        pixels.rotate(-degrees, pillow.Resampling.BICUBIC, expand=True, fillcolor="white")
        if degrees
        else pixels
    )


def rotation_transform(
    before: tuple[int, int], after: tuple[int, int], degrees: float, mirror: bool
) -> Affine:
    """Return the transform from the coordinates of the rotated image to those of its source; both rotate about their centres.

    before, after: width and height of source and result, in pixels.
    """
    (width, height), (wide, high) = before, after
    back = (
        Affine.scaling(wide / SPAN, high / SPAN)
        .then(Affine.translation(-wide / 2, -high / 2))
        .then(Affine.rotation(-degrees % 360))
        .then(Affine.translation(width / 2, height / 2))
        .then(Affine.scaling(SPAN / width, SPAN / height))
    )
    return back.then(Affine(a=-1.0, c=SPAN)) if mirror else back
