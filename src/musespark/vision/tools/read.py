"""Read: the text of a picture, line by line, with where each line stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from musespark.vision.album import View
from musespark.vision.coordinates import box_asked
from musespark.vision.draw.marks import Marks, drawn
from musespark.vision.resize import encoded
from musespark.vision.tools.vision_tool import BOX, COORDINATES, PICTURE, Look, Sight
from musespark.vision.ocr.reader import Line, shared_reader
from musespark.vision.tools.zoom import cropped

MOST = 200
"""Lines that are told of one reading."""


class Read(Look):
    """The tool `read`."""

    name = "read"
    does = "Reads the text of a picture, or of a box of it, by character recognition: each line with its box, which is told in " \
           f"the coordinates of the original picture. Small print is read better in a box. {COORDINATES}"
    takes: ClassVar[Mapping[str, Any]] = {"box": {**BOX, "description": "Only this region: [x1, y1, x2, y2]."}, "picture": PICTURE}

    async def looked(self, arguments: Mapping[str, Any]) -> Sight:
        return await shared_reader().working(self.look, arguments)

    def look(self, arguments: Mapping[str, Any]) -> Sight:
        remarks: list[str] = []
        box = box_asked(arguments["box"], remarks) if "box" in arguments else None
        picture, pixels = self.picture(arguments)
        cut, back, seen = cropped(pixels, box)
        lines = shared_reader().read(cut)
        marks = _marks(lines)
        shown = drawn(cut, marks)
        where = f"the text in {seen} of picture {picture.number}" if box else f"the text of picture {picture.number}"
        view = View(shown, encoded(shown, self.album.side, enlarge=box is not None), where,
                    lambda whole: drawn(cropped(whole, box)[0], marks), picture, back)
        there = back.then(picture.to_original)
        told = [f"{number}. {there.box(line.box).held} {line.text}{_doubt(line)}" for number, line in enumerate(lines[:MOST], 1)]
        if not lines:
            return Sight(view, "There is no text to be read.", tuple(remarks))
        head = f"{len(lines)} line{'s' * (len(lines) > 1)}, with boxes of picture {picture.original}:"
        if len(lines) > MOST:
            told.append(f"({len(lines) - MOST} more lines; read a smaller box.)")
        return Sight(view, "\n".join((head, *told)), tuple(remarks))


def _marks(lines: Sequence[Line]) -> Marks:
    return Marks(boxes=[(line.box, str(number)) for number, line in enumerate(lines[:MOST], 1)])


def _doubt(line: Line) -> str:
    return f" (uncertain, {line.score:.0%})" if line.score < 0.8 else ""
