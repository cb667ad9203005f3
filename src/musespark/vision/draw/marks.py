"""Boxes, points, paths and labels drawn over an image, visible on any background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from musespark.vision.coordinates import SPAN, Box, Point

if TYPE_CHECKING:
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFont

COLOURS = ("#e6194b", "#0050d8", "#087830", "#b35a00", "#8a1fb0", "#00737f", "#c2187f", "#6b5a00")
"""Used in turn; each is dark enough for white letters on it."""
MIN_SIDE = 768
"""Pixels to which a smaller image is enlarged, by a whole factor, so that the marks do not hide it."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks with their labels, in the coordinates of the image; an empty label is not drawn."""

    boxes: Sequence[tuple[Box, str]] = ()
    points: Sequence[tuple[Point, str]] = ()
    paths: Sequence[tuple[Sequence[Point], str]] = ()
    show_points: bool = False
    """True to mark the points of each path, too."""


def draw_marks(pixels: PIL.Image.Image, marks: Marks) -> PIL.Image.Image:
    """Return a copy of the image with the marks drawn on it, enlarged if it is small."""
    from PIL import Image as pillow, ImageDraw

    factor = min(8, max(1, MIN_SIDE // max(pixels.size)))
    size = (pixels.width * factor, pixels.height * factor)
    canvas = pixels.resize(size, pillow.Resampling.NEAREST) if factor > 1 else pixels.copy()
    pen = _Pen(ImageDraw.Draw(canvas), canvas.size)
    for index, (box, label) in enumerate(marks.boxes):
        pen.box(box, COLOURS[index % len(COLOURS)], label)
    for index, (points, label) in enumerate(marks.paths):
        pen.path(points, COLOURS[index % len(COLOURS)], label, marks.show_points)
    for index, (point, label) in enumerate(marks.points):
        pen.point(point, COLOURS[index % len(COLOURS)], label)
    return canvas


@cache
def load_font(size: int) -> PIL.ImageFont.ImageFont | PIL.ImageFont.FreeTypeFont:
    """Load Pillow's own font, which every machine has."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


class _Pen:
    """Draws in coordinates from 0 to 1000, with lines in proportion to the size of the image."""

    def __init__(self, draw: PIL.ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
        self.draw, self.size = draw, size
        self.thick = max(2, round(max(size) / 400))
        self.font = load_font(min(48, max(12, round(max(size) / 55))))

    def to_pixels(self, point: Point) -> Point:
        width, height = self.size
        return point[0] / SPAN * (width - 1), point[1] / SPAN * (height - 1)

    def box(self, box: Box, colour: str, label: str) -> None:
        (left, top), (right, bottom) = (
            self.to_pixels((box.left, box.top)),
            self.to_pixels((box.right, box.bottom)),
        )
        thick = self.thick
        # Around the box, not on it: its content stays visible.
        self.draw.rectangle(
            (left - thick - 1, top - thick - 1, right + thick + 1, bottom + thick + 1),
            outline="white",
            width=1,
        )
        self.draw.rectangle(
            (left - thick, top - thick, right + thick, bottom + thick), outline=colour, width=thick
        )
        if label:
            self.label((left - thick, top - thick), colour, label)

    def path(self, points: Sequence[Point], colour: str, label: str, show_points: bool) -> None:
        line = [self.to_pixels(point) for point in points]
        self.draw.line(line, fill="white", width=self.thick + 2, joint="curve")
        self.draw.line(line, fill=colour, width=self.thick, joint="curve")
        if show_points:
            for point in points:
                self.point(point, colour, "")
        if label:
            self.label(line[len(line) // 2], colour, label)

    def point(self, point: Point, colour: str, label: str) -> None:
        x, y = self.to_pixels(point)
        arm = self.thick * 4
        for ink, width in (("white", self.thick + 2), (colour, self.thick)):
            self.draw.line((x - arm, y, x + arm, y), fill=ink, width=width)
            self.draw.line((x, y - arm, x, y + arm), fill=ink, width=width)
        if label:
            self.label((x + arm, y - arm), colour, label)

    def label(self, corner: Point, colour: str, text: str) -> None:
        """Draw white text on the colour of the mark, its lower left corner at `corner`, moved to stay within the image."""
        left, top, right, bottom = self.draw.textbbox((0, 0), text, font=self.font)
        width, height = right - left + 6, bottom - top + 4
        x = min(max(0.0, corner[0]), max(0.0, self.size[0] - width))
        y = min(max(0.0, corner[1] - height), max(0.0, self.size[1] - height))
        self.draw.rectangle((x, y, x + width, y + height), fill=colour)
        self.draw.text((x + 3 - left, y + 2 - top), text, fill="white", font=self.font)
