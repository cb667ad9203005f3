"""Compare: two images side by side, or the first with the differences outlined."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.tools.arguments import parse_json
from musespark.vision.album import AlbumImage, View
from musespark.vision.coordinates import SPAN, Box, InvalidToolArguments, parse_box
from musespark.vision.crop import crop_to_box
from musespark.vision.draw.marks import Marks, draw_marks, load_font
from musespark.vision.resize import encode_image
from musespark.vision.tools.vision_tool import BOX, COORDINATES, ThreadedVisionTool, ToolView

if TYPE_CHECKING:
    import PIL.Image

BESIDE, DIFFERENCE = "side_by_side", "difference"
LAYOUTS = {
    **dict.fromkeys((BESIDE, "beside", "sidebyside", "both"), BESIDE),
    **dict.fromkeys((DIFFERENCE, "diff", "differences", "highlight"), DIFFERENCE),
}
"""The layout of each name that models give to one."""
NOISE = 24
"""Difference of a colour channel, of 255, up to which pixels count as equal: JPEG leaves such noise."""
MERGE_DISTANCE = 12
"""Distance in coordinates (0 to 1000) within which differing pixels belong to one region."""
MIN_PIXELS = 3
"""Differing pixels of a region, at least; fewer are ignored."""
MAX_REGIONS = 12
"""Limit of regions in the report, largest first."""
LONGEST_SIDE = 1600
"""Pixels of the longest side to which two images are scaled down for a comparison."""


class CompareTool(ThreadedVisionTool):
    """The tool `compare`."""

    name = "compare"
    description = (
        "Shows two pictures side by side, or where they differ: unlike regions are outlined, the rest is pale, and their boxes are "
        f"told in the coordinates of the first. The second is scaled to the first; nothing is aligned. {COORDINATES}"
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "pictures": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1},
            "minItems": 2,
            "maxItems": 2,
            "description": "The numbers of both.",
        },
        "how": {
            "type": "string",
            "enum": [BESIDE, DIFFERENCE],
            "description": f"{BESIDE} if left out.",
        },
        "box": {**BOX, "description": "Only this region of both."},
    }
    required = ("pictures",)

    def compute(self, arguments: Mapping[str, Any]) -> ToolView:
        remarks: list[str] = []
        numbers, layout = _to_pair(arguments["pictures"]), arguments.get("how", BESIDE)
        if isinstance(layout, str):
            layout = LAYOUTS.get(layout.strip().lower().replace(" ", "_").replace("-", "_"), layout)
        if not isinstance(numbers, list) or len(numbers) != 2:
            raise InvalidToolArguments("pictures is a list of two numbers, such as [1, 2].")
        if layout not in (BESIDE, DIFFERENCE):
            raise InvalidToolArguments(f"how is {BESIDE} or {DIFFERENCE}; this is {layout!r:.60}.")
        box = parse_box(arguments["box"], remarks) if "box" in arguments else None
        first, second = (self.album.get(number) for number in numbers)
        if first.number == second.number:
            raise InvalidToolArguments(f"Both are picture {first.number}; name two different ones.")
        return (
            self._beside(first, second, box, remarks)
            if layout == BESIDE
            else self._difference(first, second, box, remarks)
        )

    def _beside(
        self, first: AlbumImage, second: AlbumImage, box: Box | None, remarks: list[str]
    ) -> ToolView:
        def render() -> PIL.Image.Image:
            left, right = (crop_to_box(self.album.decode(one), box)[0] for one in (first, second))
            return side_by_side(left, right, f"picture {first.number}", f"picture {second.number}")

        pixels = render()
        view = View(
            pixels,
            encode_image(pixels, self.album.longest_side),
            f"pictures {first.number} and {second.number} side by side",
            render,
        )
        return ToolView(
            view,
            "Its coordinates are its own: for a closer look name one of the two.",
            tuple(remarks),
        )

    def _difference(
        self, first: AlbumImage, second: AlbumImage, box: Box | None, remarks: list[str]
    ) -> ToolView:
        def outline(whole: PIL.Image.Image) -> tuple[PIL.Image.Image, list[Box]]:
            return outline_differences(
                crop_to_box(whole, box)[0], crop_to_box(self.album.decode(second), box)[0]
            )

        _, to_source, _ = crop_to_box(self.album.decode(first), box)
        if _aspect_ratio(first) != _aspect_ratio(second):
            remarks.append(
                f"Picture {second.number} ({second.size}) has another shape than picture {first.number} ({first.size}) "
                "and was stretched to it."
            )
        pixels, boxes = outline(self.album.decode(first))
        view = View(
            pixels,
            encode_image(pixels, self.album.longest_side),
            f"where pictures {first.number} and {second.number} differ",
            lambda whole: outline(whole)[0],
            first,
            to_source,
        )
        to_original = to_source.then(first.to_original)
        listed = [
            f"{number}: {to_original.box(each)}"
            for number, each in enumerate(boxes[:MAX_REGIONS], 1)
        ]
        most = f", the largest {MAX_REGIONS}" if len(boxes) > MAX_REGIONS else ""
        head = f"They differ in {len(boxes)} region{'s' * (len(boxes) > 1)}; boxes of picture {first.original}{most}:"
        return ToolView(
            view,
            "\n".join((head, *listed)) if boxes else "No difference to be seen.",
            tuple(remarks),
        )


def _to_pair(value: Any) -> Any:
    """Two numbers of pictures, also from text and from an object."""
    if isinstance(value, str):
        found = parse_json(value)
        value = re.findall(r"\d+", value) if found is None else found
    return list(value.values()) if isinstance(value, dict) else value


def _aspect_ratio(image: AlbumImage) -> float:
    return round(image.width / image.height, 2)


def side_by_side(left: PIL.Image.Image, right: PIL.Image.Image, *titles: str) -> PIL.Image.Image:
    """Return both images with titles above, at the height of the taller one unless that makes one too wide."""
    from PIL import Image as pillow, ImageDraw

    height = min(LONGEST_SIDE, max(left.height, right.height))
    scaled = []
    for one in (left, right):
        factor = min(height / one.height, LONGEST_SIDE / one.width)
        size = max(1, round(one.width * factor)), max(1, round(one.height * factor))
        scaled.append(one.resize(size, pillow.Resampling.LANCZOS, reducing_gap=3.0))
    title_font = load_font(max(14, height // 40))
    band, gap = max(20, height // 25), max(8, height // 100)
    sheet = pillow.new("RGB", (sum(one.width for one in scaled) + gap, height + band), "#808080")
    draw, x = ImageDraw.Draw(sheet), 0
    for one, title in zip(scaled, titles, strict=True):
        sheet.paste(one, (x, band))
        draw.text((x + 4, 2), title, fill="white", font=title_font)
        x += one.width + gap
    return sheet


def outline_differences(
    first: PIL.Image.Image, second: PIL.Image.Image
) -> tuple[PIL.Image.Image, list[Box]]:
    """Return the first image, pale except for the differing pixels, and the boxes of the differences, largest first."""
    from PIL import Image as pillow, ImageChops

    factor = min(1.0, LONGEST_SIDE / max(first.size))
    size = (max(1, round(first.width * factor)), max(1, round(first.height * factor)))
    # Filters that do not overshoot at edges: overshoot would be a difference of its own.
    one, other = (
        each.resize(
            size, pillow.Resampling.BOX if each.width > size[0] else pillow.Resampling.BILINEAR
        )
        for each in (first, second)
    )
    difference = ImageChops.difference(one, other)
    red, green, blue = difference.split()
    strongest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    differing = strongest.point([255 if value > NOISE else 0 for value in range(256)])
    pale = pillow.blend(one, pillow.new("RGB", size, "white"), 0.7)
    pale.paste(one, mask=differing)
    boxes = _regions(differing)
    return draw_marks(
        pale, Marks(boxes=[(box, str(number)) for number, box in enumerate(boxes[:MAX_REGIONS], 1)])
    ), boxes


def _regions(differing: PIL.Image.Image) -> list[Box]:
    """Return boxes around the white pixels of a mask; pixels close to each other share a box."""
    import numpy as np

    width, height = differing.size
    cell = max(1, round(max(width, height) * MERGE_DISTANCE / SPAN / 2))
    mask = np.asarray(differing) > 0
    rows, columns = -(-height // cell), -(-width // cell)
    padded = np.zeros((rows * cell, columns * cell), dtype=bool)
    padded[:height, :width] = mask
    cells = padded.reshape(rows, cell, columns, cell).any(axis=(1, 3))
    found = []
    for group in _group_cells({(int(row), int(column)) for row, column in np.argwhere(cells)}):
        top, bottom = min(row for row, _ in group) * cell, (max(row for row, _ in group) + 1) * cell
        left, right = (
            min(column for _, column in group) * cell,
            (max(column for _, column in group) + 1) * cell,
        )
        ys, xs = np.nonzero(mask[top:bottom, left:right])
        if len(ys) < MIN_PIXELS:
            continue
        found.append(
            Box(
                (left + xs.min()) / width * SPAN,
                (top + ys.min()) / height * SPAN,
                (left + xs.max() + 1) / width * SPAN,
                (top + ys.max() + 1) / height * SPAN,
            )
        )
    return sorted(found, key=lambda box: -box.area)


def _group_cells(cells: set[tuple[int, int]]) -> Sequence[list[tuple[int, int]]]:
    """Group cells that are at most one cell apart."""
    groups = []
    while cells:
        waiting, group = [cells.pop()], []
        while waiting:
            row, column = waiting.pop()
            group.append((row, column))
            near = {
                (row + down, column + across) for down in range(-2, 3) for across in range(-2, 3)
            } & cells
            cells -= near
            waiting += near
        groups.append(group)
    return groups
