"""Read: the text of an image, line by line, each with its box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from musespark.vision.album import View
from musespark.vision.coordinates import parse_box
from musespark.vision.crop import crop_to_box
from musespark.vision.draw.marks import Marks, draw_marks
from musespark.vision.ocr.reader import TextLine, shared_reader
from musespark.vision.resize import encode_image
from musespark.vision.tools.vision_tool import BOX, COORDINATES, IMAGE, ToolView, VisionTool

MAX_LINES = 200
"""Limit of lines in the result of one call."""


class ReadTool(VisionTool):
    """The tool `read`."""

    name = "read"
    description = (
        "Reads the text of a picture, or of a box of it, by character recognition: each line with its box, which is told in "
        f"the coordinates of the original picture. Small print is read better in a box. {COORDINATES}"
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "box": {**BOX, "description": "Only this region: [x1, y1, x2, y2]."},
        "picture": IMAGE,
    }

    async def run(self, arguments: Mapping[str, Any]) -> ToolView:
        return await shared_reader().run(self.compute, arguments)

    def compute(self, arguments: Mapping[str, Any]) -> ToolView:
        remarks: list[str] = []
        box = parse_box(arguments["box"], remarks) if "box" in arguments else None
        image, pixels = self.source(arguments)
        cropped, to_source, covered = crop_to_box(pixels, box)
        lines = shared_reader().read(cropped)
        marks = Marks(
            boxes=[(line.box, str(number)) for number, line in enumerate(lines[:MAX_LINES], 1)]
        )
        marked = draw_marks(cropped, marks)
        caption = (
            f"the text in {covered} of picture {image.number}"
            if box
            else f"the text of picture {image.number}"
        )
        view = View(
            marked,
            encode_image(marked, self.album.longest_side, enlarge=box is not None),
            caption,
            lambda whole: draw_marks(crop_to_box(whole, box)[0], marks),
            image,
            to_source,
        )
        to_original = to_source.then(image.to_original)
        listed = [
            f"{number}. {to_original.box(line.box).clamped} {line.text}{_doubt(line)}"
            for number, line in enumerate(lines[:MAX_LINES], 1)
        ]
        if not lines:
            return ToolView(view, "There is no text to be read.", tuple(remarks))
        head = f"{len(lines)} line{'s' * (len(lines) > 1)}, with boxes of picture {image.original}:"
        if len(lines) > MAX_LINES:
            listed.append(f"({len(lines) - MAX_LINES} more lines; read a smaller box.)")
        return ToolView(view, "\n".join((head, *listed)), tuple(remarks))


def _doubt(line: TextLine) -> str:
    return f" (uncertain, {line.confidence:.0%})" if line.confidence < 0.8 else ""
