"""A contact sheet: numbered frames with their times, on one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SIDE = 1536
"""Pixels of the sheet's longer side, at most: what models take without scaling it down."""
_GAP = 8
_LABEL = 30
"""Pixels above each frame, where its number and time stand."""


def drawn(frames: Sequence[tuple[float, Picture]]) -> Picture:
    """The sheet of some frames (seconds, picture), row by row, as large as they and `SIDE` allow."""
    from PIL import Image as pillow, ImageDraw, ImageFont

    widest, highest = (max(getattr(picture, side) for _, picture in frames) for side in ("width", "height"))
    columns, scale = _layout(len(frames), widest, highest)
    cell = max(round(widest * scale), 120), round(highest * scale)
    rows = -(-len(frames) // columns)
    size = columns * (cell[0] + _GAP) + _GAP, rows * (cell[1] + _LABEL + _GAP) + _GAP
    sheet = pillow.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(22)
    for index, (seconds, picture) in enumerate(frames):
        row, column = divmod(index, columns)
        left, top = _GAP + column * (cell[0] + _GAP), _GAP + row * (cell[1] + _LABEL + _GAP)
        pen.text((left, top), f"{index + 1}   {seconds:.2f} s", "black", font)
        fit = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        sheet.paste(picture if fit == picture.size else picture.resize(fit, pillow.Resampling.LANCZOS), (left, top + _LABEL))
    return sheet


def _layout(count: int, wide: int, high: int) -> tuple[int, float]:
    """The number of columns with which the frames are largest, and their scale."""

    def scale(columns: int) -> float:
        rows = -(-count // columns)
        across = (SIDE - _GAP) / columns - _GAP
        down = (SIDE - _GAP) / rows - _GAP - _LABEL
        return min(1.0, across / wide, down / high)

    # Of equal ones the squarest sheet: frames that are small need no row of their own.
    best = max(range(1, count + 1), key=lambda columns: (scale(columns), -abs(columns * wide - -(-count // columns) * high)))
    return best, scale(best)
