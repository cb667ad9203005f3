"""Images as text: a cell shows two pixels, an upper half block in one's colour on the other's."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.color import Color
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from PIL import Image

_HALF = "▀"


@lru_cache(maxsize=32)  # every frame shows the same few
def preview(png: bytes, columns: int) -> tuple[Text, ...]:
    """A PNG image in at most `columns` columns and half as many lines; no lines if it cannot be read."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(png)) as image:
            whole = _trimmed(image.convert("RGB"))
            width, height = _fitted(whole.size, columns)
            how = Image.Resampling.BOX if width < whole.width else Image.Resampling.NEAREST
            pixels = whole.resize((width, height + height % 2), how)
    except (
        Exception
    ):  # Pillow's decoders raise many types; an image that cannot be shown is still in its file
        return ()
    raw = pixels.tobytes()
    rows = [raw[start : start + 3 * width] for start in range(0, len(raw), 3 * width)]
    return tuple(_line(upper, lower) for upper, lower in zip(rows[::2], rows[1::2], strict=True))


def _trimmed(image: Image.Image) -> Image.Image:
    """The image without its blank margin."""
    from PIL import Image, ImageChops

    blank = Image.new("RGB", image.size, image.getpixel((image.width - 1, image.height - 1)))
    return image.crop(ImageChops.difference(image, blank).getbbox())


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """The size that fits a square, if possible one that divides the image's size, so that its pixels stay crisp."""
    longest = max(size)
    crisp = [candidate for candidate in range(side, side * 2 // 3, -1) if longest % candidate == 0]
    scale = (crisp[0] if crisp else side) / longest
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _line(upper: bytes, lower: bytes) -> Text:
    line = Text(no_wrap=True)
    for at in range(0, len(upper), 3):
        line.append(_HALF, Style(color=_colour(upper, at), bgcolor=_colour(lower, at)))
    return line


def _colour(row: bytes, at: int) -> Color:
    return Color.from_rgb(row[at], row[at + 1], row[at + 2])
