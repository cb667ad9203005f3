"""Zoom: a region of an image, larger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from musespark.vision.album import View
from musespark.vision.coordinates import SPAN, parse_box
from musespark.vision.crop import MIN_PIXELS, covered_pixels, crop_to_box
from musespark.vision.resize import encode_image
from musespark.vision.tools.vision_tool import BOX, COORDINATES, IMAGE, ThreadedVisionTool, ToolView


class ZoomTool(ThreadedVisionTool):
    """The tool `zoom`."""

    name = "zoom"
    description = (
        f"Shows a region of a picture larger, in all the detail that the picture has. {COORDINATES}"
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "box": {**BOX, "description": "The region: [x1, y1, x2, y2]."},
        "picture": IMAGE,
    }
    required = ("box",)

    def compute(self, arguments: Mapping[str, Any]) -> ToolView:
        remarks: list[str] = []
        box = parse_box(arguments["box"], remarks)
        image, pixels = self.source(arguments)
        cropped, to_source, covered = crop_to_box(pixels, box)
        if (
            box.width * pixels.width < (MIN_PIXELS - 1) * SPAN
            or box.height * pixels.height < (MIN_PIXELS - 1) * SPAN
        ):
            remarks.append(f"The box {box} is too small to be seen, and was widened to {covered}.")
        region = covered_pixels(box, pixels.width, pixels.height)
        view = View(
            cropped,
            encode_image(cropped, self.album.longest_side, enlarge=True),
            f"picture {image.number}, zoomed to {covered}",
            lambda whole: whole.crop(region),
            image,
            to_source,
        )
        return ToolView(view, remarks=tuple(remarks))
