"""Lines, boxes, points and labels over a picture, each seen on any background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from musespark.vision.coordinates import SPAN, Box, Point

if TYPE_CHECKING:
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFont

COLOURS = ("#e6194b", "#0050d8", "#087830", "#b35a00", "#8a1fb0", "#00737f", "#c2187f", "#6b5a00")
"""Dealt in turn; each is dark enough for white letters on it."""
LEAST_SIDE = 768
"""Pixels: a smaller picture is enlarged by a whole factor before it is drawn on, so that the drawing does not hide it."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What is to be drawn, in the picture's coordinates; a label stands beside what it belongs to."""

    boxes: Sequence[tuple[Box, str]] = ()
    points: Sequence[tuple[Point, str]] = ()
    paths: Sequence[tuple[Sequence[Point], str]] = ()
    dots: bool = field(default=False)
    """Whether a path's points are marked, too."""


def drawn(pixels: PIL.Image.Image, marks: Marks) -> PIL.Image.Image:
    """A copy of the picture with the marks on it."""
    from PIL import Image as pillow, ImageDraw

    factor = min(8, max(1, LEAST_SIDE // max(pixels.size)))
    size = (pixels.width * factor, pixels.height * factor)
    canvas = pixels.resize(size, pillow.Resampling.NEAREST) if factor > 1 else pixels.copy()
    pen = _Pen(ImageDraw.Draw(canvas), canvas.size)
    for index, (box, label) in enumerate(marks.boxes):
        pen.box(box, COLOURS[index % len(COLOURS)], label)
    for index, (points, label) in enumerate(marks.paths):
        pen.path(points, COLOURS[index % len(COLOURS)], label, marks.dots)
    for index, (point, label) in enumerate(marks.points):
        pen.point(point, COLOURS[index % len(COLOURS)], label)
    return canvas


@cache
def font(size: int) -> PIL.ImageFont.ImageFont | PIL.ImageFont.FreeTypeFont:
    """Pillow's own font, which is there on every machine."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


class _Pen:
    """Draws in coordinates from 0 to 1000, with lines as thick as the picture's size asks for."""

    def __init__(self, draw: PIL.ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
        self.draw, self.size = draw, size
        self.thick = max(2, round(max(size) / 400))
        self.font = font(min(48, max(12, round(max(size) / 55))))

    def at(self, point: Point) -> Point:
        width, height = self.size
        return point[0] / SPAN * (width - 1), point[1] / SPAN * (height - 1)

    def box(self, box: Box, colour: str, label: str) -> None:
        (left, top), (right, bottom) = self.at((box.left, box.top)), self.at((box.right, box.bottom))
        thick = self.thick
        # Around it, not on it: what is marked stays to be seen.
        self.draw.rectangle((left - thick - 1, top - thick - 1, right + thick + 1, bottom + thick + 1), outline="white", width=1)
        self.draw.rectangle((left - thick, top - thick, right + thick, bottom + thick), outline=colour, width=thick)
        if label:
            self.label((left - thick, top - thick), colour, label)

    def path(self, points: Sequence[Point], colour: str, label: str, dots: bool) -> None:
        line = [self.at(point) for point in points]
        self.draw.line(line, fill="white", width=self.thick + 2, joint="curve")
        self.draw.line(line, fill=colour, width=self.thick, joint="curve")
        if dots:
            for point in points:
                self.point(point, colour, "")
        if label:
            self.label(line[len(line) // 2], colour, label)

    def point(self, point: Point, colour: str, label: str) -> None:
        x, y = self.at(point)
        arm = self.thick * 4
        for ink, width in (("white", self.thick + 2), (colour, self.thick)):
            self.draw.line((x - arm, y, x + arm, y), fill=ink, width=width)
            self.draw.line((x, y - arm, x, y + arm), fill=ink, width=width)
        if label:
            self.label((x + arm, y - arm), colour, label)

    def label(self, corner: Point, colour: str, text: str) -> None:
        """White letters on the mark's colour, their lower left corner there, moved where they would leave the picture."""
        left, top, right, bottom = self.draw.textbbox((0, 0), text, font=self.font)
        width, height = right - left + 6, bottom - top + 4
        x = min(max(0.0, corner[0]), max(0.0, self.size[0] - width))
        y = min(max(0.0, corner[1] - height), max(0.0, self.size[1] - height))
        self.draw.rectangle((x, y, x + width, y + height), fill=colour)
        self.draw.text((x + 3 - left, y + 2 - top), text, fill="white", font=self.font)
