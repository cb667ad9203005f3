"""Sketch: an SVG drawing, rendered and shown back, alone or over an image."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.vision.album import AlbumImage, View
from musespark.vision.coordinates import InvalidToolArguments
from musespark.vision.draw.render import compose_drawing, render_svg
from musespark.vision.draw.sanitize import MAX_LENGTH, sanitize_svg
from musespark.vision.resize import encode_image
from musespark.vision.tools.vision_tool import ToolView, VisionTool, parse_text

if TYPE_CHECKING:
    import PIL.Image

LONGEST_SIDE = 1024
"""Pixels of a drawing's longest side."""
OVERLAY_SIDE = 2048
"""Limit of the longest side of an image that is drawn over; a larger one is scaled down for it."""
MAX_CAPTION = 80
"""Characters after which a caption is cut."""


class SketchTool(VisionTool):
    """The tool `sketch`."""

    name = "sketch"
    description = (
        "Draws what you write as SVG and shows it: a diagram, a plan, a construction in geometry, a guess at what something looks "
        "like. Shapes, paths, text, gradients, patterns, masks and clips; no pictures, scripts, style sheets, filters. Without a "
        "viewBox, coordinates run from 0 to 1000 each way. With over, the drawing goes over that picture, in its coordinates, 0 to "
        "1000 each way."
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "svg": {
            "type": "string",
            "description": '<svg xmlns="http://www.w3.org/2000/svg">...</svg>',
        },
        "over": {
            "type": "integer",
            "minimum": 1,
            "description": "The number of a picture to draw over.",
        },
        "caption": {"type": "string", "description": "What it shows, in a few words."},
    }
    required = ("svg",)

    async def run(self, arguments: Mapping[str, Any]) -> ToolView:
        background = self.album.get(arguments["over"]) if "over" in arguments else None
        text = parse_text(arguments, "svg", MAX_LENGTH)
        drawing = await asyncio.to_thread(sanitize_svg, text, is_overlay=background is not None)
        if background:
            size = _scale(background.width, background.height, OVERLAY_SIDE)
        else:
            size = _scale(drawing.width, drawing.height, LONGEST_SIDE, enlarge=True)
        png = await render_svg(drawing, size)
        return await asyncio.to_thread(
            self._compose, png, background, _parse_caption(arguments), drawing.remarks
        )

    def _compose(
        self, png: bytes, background: AlbumImage | None, caption: str, remarks: tuple[str, ...]
    ) -> ToolView:
        def render(below: PIL.Image.Image | None = None) -> PIL.Image.Image:
            return compose_drawing(png, below)

        pixels = render(self.album.decode(background) if background else None)
        title = f"a sketch{f' of {caption}' if caption else ''}{f' over picture {background.number}' if background else ''}"
        return ToolView(
            View(pixels, encode_image(pixels, self.album.longest_side), title, render, background),
            remarks=remarks,
        )


def _parse_caption(arguments: Mapping[str, Any]) -> str:
    caption = arguments.get("caption", "")
    if not isinstance(caption, str):
        raise InvalidToolArguments("caption is a text.")
    return " ".join(caption.split())[:MAX_CAPTION]


def _scale(
    width: float, height: float, longest_side: int, *, enlarge: bool = False
) -> tuple[int, int]:
    factor = longest_side / max(width, height)
    factor = factor if enlarge else min(1.0, factor)
    return max(1, round(width * factor)), max(1, round(height * factor))
