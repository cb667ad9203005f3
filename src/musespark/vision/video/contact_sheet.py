"""Contact sheets: numbered frames with their times in one image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import PIL.Image

LONGEST_SIDE = 1536
"""Limit of the sheet's longer side, in pixels: models take such an image without scaling it down."""
_GAP = 8
_LABEL = 30
"""Pixels above each frame for its number and time."""


def draw_contact_sheet(frames: Sequence[tuple[float, PIL.Image.Image]]) -> PIL.Image.Image:
    """Draw frames (seconds, image) row by row, as large as they and `LONGEST_SIDE` allow."""
    from PIL import Image as pillow, ImageDraw, ImageFont

    widest, highest = (
        max(getattr(image, side) for _, image in frames) for side in ("width", "height")
    )
    columns, scale = _layout(len(frames), widest, highest)
    cell = max(round(widest * scale), 120), round(highest * scale)
    rows = -(-len(frames) // columns)
    size = columns * (cell[0] + _GAP) + _GAP, rows * (cell[1] + _LABEL + _GAP) + _GAP
    sheet = pillow.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(22)
    for index, (seconds, image) in enumerate(frames):
        row, column = divmod(index, columns)
        left, top = _GAP + column * (cell[0] + _GAP), _GAP + row * (cell[1] + _LABEL + _GAP)
        pen.text((left, top), f"{index + 1}   {seconds:.2f} s", "black", font)
        fit = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        sheet.paste(
            image if fit == image.size else image.resize(fit, pillow.Resampling.LANCZOS),
            (left, top + _LABEL),
        )
    return sheet


def _layout(count: int, wide: int, high: int) -> tuple[int, float]:
    """Return the number of columns with which the frames are largest, and their scale."""

    def scale(columns: int) -> float:
        rows = -(-count // columns)
        across = (LONGEST_SIDE - _GAP) / columns - _GAP
        down = (LONGEST_SIDE - _GAP) / rows - _GAP - _LABEL
        return min(1.0, across / wide, down / high)

    # Among equal scales take the squarest sheet: small frames need no row of their own.
    best = max(
        range(1, count + 1),
        key=lambda columns: (scale(columns), -abs(columns * wide - -(-count // columns) * high)),
    )
    return best, scale(best)
