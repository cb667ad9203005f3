"""Compare: two pictures side by side, or where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.vision.album import Picture, View
from musespark.vision.coordinates import SPAN, Box, Unclear, box_asked
from musespark.vision.draw.marks import Marks, drawn, font
from musespark.vision.resize import encoded
from musespark.vision.tools.vision_tool import BOX, COORDINATES, Sight, ThreadedLook
from musespark.vision.tools.zoom import cropped

if TYPE_CHECKING:
    import PIL.Image

BESIDE, DIFFERENCE = "side_by_side", "difference"
UNLIKE = 24
"""Of 255: less difference is noise, such as JPEG leaves."""
APART = 12
"""Thousandths of the picture between two differences that count as two."""
SPECKS = 3
"""Pixels; fewer that differ are no difference."""
MOST = 12
"""Differences that are told, the largest first."""
COMMON = 1600
"""Pixels of the longest side on which two pictures are compared."""


class Compare(ThreadedLook):
    """The tool `compare`."""

    name = "compare"
    does = "Shows two pictures side by side, or where they differ: unlike regions are outlined, the rest is pale, and their " \
           f"boxes are told in the coordinates of the first. The second is scaled to the first; nothing is aligned. {COORDINATES}"
    takes: ClassVar[Mapping[str, Any]] = {
        "pictures": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 2, "maxItems": 2,
                     "description": "The numbers of both."},
        "how": {"type": "string", "enum": [BESIDE, DIFFERENCE], "description": f"{BESIDE} if left out."},
        "box": {**BOX, "description": "Only this region of both."},
    }
    needs = ("pictures",)

    def look(self, arguments: Mapping[str, Any]) -> Sight:
        remarks: list[str] = []
        numbers, how = arguments["pictures"], arguments.get("how", BESIDE)
        if not isinstance(numbers, list) or len(numbers) != 2:
            raise Unclear("pictures is a list of two numbers, such as [1, 2].")
        if how not in (BESIDE, DIFFERENCE):
            raise Unclear(f"how is {BESIDE} or {DIFFERENCE}; this is {how!r:.60}.")
        box = box_asked(arguments["box"], remarks) if "box" in arguments else None
        first, second = (self.album.picture(number) for number in numbers)
        if first.number == second.number:
            raise Unclear(f"Both are picture {first.number}; name two different ones.")
        return self._beside(first, second, box, remarks) if how == BESIDE else self._difference(first, second, box, remarks)

    def _beside(self, first: Picture, second: Picture, box: Box | None, remarks: list[str]) -> Sight:
        def made() -> PIL.Image.Image:
            left, right = (cropped(self.album.pixels(one), box)[0] for one in (first, second))
            return side_by_side(left, right, f"picture {first.number}", f"picture {second.number}")

        pixels = made()
        view = View(pixels, encoded(pixels, self.album.side), f"pictures {first.number} and {second.number} side by side", made)
        return Sight(view, "Its coordinates are its own: for a closer look name one of the two.", tuple(remarks))

    def _difference(self, first: Picture, second: Picture, box: Box | None, remarks: list[str]) -> Sight:
        def made(whole: PIL.Image.Image) -> tuple[PIL.Image.Image, list[Box]]:
            return difference(cropped(whole, box)[0], cropped(self.album.pixels(second), box)[0])

        cut, back, _ = cropped(self.album.pixels(first), box)
        if _shape(first) != _shape(second):
            remarks.append(f"Picture {second.number} ({second.size}) has another shape than picture {first.number} ({first.size}) "
                           "and was stretched to it.")
        pixels, boxes = difference(cut, cropped(self.album.pixels(second), box)[0])
        view = View(pixels, encoded(pixels, self.album.side), f"where pictures {first.number} and {second.number} differ",
                    lambda whole: made(whole)[0], first, back)
        there = back.then(first.to_original)
        told = [f"{number}: {there.box(each)}" for number, each in enumerate(boxes[:MOST], 1)]
        most = f", the largest {MOST}" if len(boxes) > MOST else ""
        said = f"They differ in {len(boxes)} region{'s' * (len(boxes) > 1)}; boxes of picture {first.original}{most}:"
        return Sight(view, "\n".join((said, *told)) if boxes else "No difference to be seen.", tuple(remarks))


def _shape(picture: Picture) -> float:
    return round(picture.width / picture.height, 2)


def side_by_side(left: PIL.Image.Image, right: PIL.Image.Image, *titles: str) -> PIL.Image.Image:
    """Both at the height of the taller one, where that makes neither too wide, with their titles above."""
    from PIL import Image as pillow, ImageDraw

    height = min(COMMON, max(left.height, right.height))
    scaled = []
    for one in (left, right):
        factor = min(height / one.height, COMMON / one.width)
        size = max(1, round(one.width * factor)), max(1, round(one.height * factor))
        scaled.append(one.resize(size, pillow.Resampling.LANCZOS, reducing_gap=3.0))
    letters = font(max(14, height // 40))
    band, gap = max(20, height // 25), max(8, height // 100)
    sheet = pillow.new("RGB", (sum(one.width for one in scaled) + gap, height + band), "#808080")
    draw, x = ImageDraw.Draw(sheet), 0
    for one, title in zip(scaled, titles, strict=True):
        sheet.paste(one, (x, band))
        draw.text((x + 4, 2), title, fill="white", font=letters)
        x += one.width + gap
    return sheet


def difference(first: PIL.Image.Image, second: PIL.Image.Image) -> tuple[PIL.Image.Image, list[Box]]:
    """The first picture, pale where they are alike, and the boxes around what is unlike, the largest first."""
    from PIL import Image as pillow, ImageChops

    factor = min(1.0, COMMON / max(first.size))
    size = (max(1, round(first.width * factor)), max(1, round(first.height * factor)))
    # Without overshoot at edges, which would be a difference of its own.
    one, other = (each.resize(size, pillow.Resampling.BOX if each.width > size[0] else pillow.Resampling.BILINEAR)
                  for each in (first, second))
    apart = ImageChops.difference(one, other)
    red, green, blue = apart.split()
    unlike = ImageChops.lighter(ImageChops.lighter(red, green), blue).point([255 if value > UNLIKE else 0 for value in range(256)])
    pale = pillow.blend(one, pillow.new("RGB", size, "white"), 0.7)
    pale.paste(one, mask=unlike)
    boxes = _regions(unlike)
    return drawn(pale, Marks(boxes=[(box, str(number)) for number, box in enumerate(boxes[:MOST], 1)])), boxes


def _regions(unlike: PIL.Image.Image) -> list[Box]:
    """Boxes around the white parts, those close to each other together."""
    import numpy as np

    width, height = unlike.size
    cell = max(1, round(max(width, height) * APART / SPAN / 2))
    mask = np.asarray(unlike) > 0
    rows, columns = -(-height // cell), -(-width // cell)
    padded = np.zeros((rows * cell, columns * cell), dtype=bool)
    padded[:height, :width] = mask
    cells = padded.reshape(rows, cell, columns, cell).any(axis=(1, 3))
    found = []
    for group in _groups({(int(row), int(column)) for row, column in np.argwhere(cells)}):
        top, bottom = min(row for row, _ in group) * cell, (max(row for row, _ in group) + 1) * cell
        left, right = min(column for _, column in group) * cell, (max(column for _, column in group) + 1) * cell
        ys, xs = np.nonzero(mask[top:bottom, left:right])
        if len(ys) < SPECKS:
            continue
        found.append(Box((left + xs.min()) / width * SPAN, (top + ys.min()) / height * SPAN,
                         (left + xs.max() + 1) / width * SPAN, (top + ys.max() + 1) / height * SPAN))
    return sorted(found, key=lambda box: -box.area)


def _groups(cells: set[tuple[int, int]]) -> Sequence[list[tuple[int, int]]]:
    """Cells that touch, or nearly, together."""
    groups = []
    while cells:
        waiting, group = [cells.pop()], []
        while waiting:
            row, column = waiting.pop()
            group.append((row, column))
            near = {(row + down, column + across) for down in range(-2, 3) for across in range(-2, 3)} & cells
            cells -= near
            waiting += near
        groups.append(group)
    return groups
