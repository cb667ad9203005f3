"""Pictures as large as a model takes them, and no larger: scaled once before a call.

Coordinates are normalised, so nothing moves.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from musespark.content import Image, Message, Part, Request, ToolResult
from musespark.errors import BadPicture
from musespark.images import head, looked_at

if TYPE_CHECKING:
    import PIL.Image

SIDE = 1568
"""Pixels of the longest side of a view, where the model does not say how large a picture it takes."""
LEAST = 768
"""Pixels of the longest side that a smaller view is enlarged to, at most `ENLARGED` times: models see little of a thumbnail."""
ENLARGED = 8.0
LARGE_FILE = 1_000_000
"""Bytes of a PNG file beyond which a photograph goes as JPEG: a conversation carries every picture in every call."""


def encoded(pixels: PIL.Image.Image, side: int | None = None, *, enlarge: bool = False) -> Image:
    """A picture as a model is shown it, its longest side at most `side` pixels; with `enlarge` a small one is made larger."""
    from PIL import Image as pillow

    longest = max(pixels.size)
    factor = min(1.0, (side or SIDE) / longest)
    if enlarge and longest < LEAST:
        factor = min(ENLARGED, LEAST / longest)
    if factor != 1.0:
        size = tuple(max(1, round(edge * factor)) for edge in pixels.size)
        pixels = pixels.resize((size[0], size[1]), pillow.Resampling.LANCZOS, reducing_gap=3.0 if factor < 1 else None)
    file = _saved(pixels, "PNG")
    if len(file) > LARGE_FILE and len(jpeg := _saved(pixels, "JPEG")) < len(file) / 2:
        return Image(jpeg, "image/jpeg")
    return Image(file, "image/png")


def _saved(pixels: PIL.Image.Image, format: str) -> bytes:
    file = io.BytesIO()
    if format == "PNG":
        pixels.save(file, format, compress_level=3)
    else:
        pixels.save(file, format, quality=90)
    return file.getvalue()


async def fitted(request: Request, side: int | None) -> Request:
    """The request with no picture's longest side above `side` pixels; None leaves all as they are."""
    if side is None or not any(_images(part) for message in request.messages for part in message.parts):
        return request
    return replace(request, messages=await asyncio.to_thread(_all_fitted, request.messages, side))


def _images(part: Part) -> bool:
    return isinstance(part, Image) or (isinstance(part, ToolResult) and any(isinstance(one, Image) for one in part.content))


def _all_fitted(messages: tuple[Message, ...], side: int) -> tuple[Message, ...]:
    return tuple(replace(message, parts=tuple(_part(part, side) for part in message.parts))
                 if any(map(_images, message.parts)) else message for message in messages)


def _part(part: Part, side: int) -> Part:
    match part:
        case Image():
            return _fitted(part, side)
        case ToolResult():
            return replace(part, content=tuple(_fitted(one, side) if isinstance(one, Image) else one for one in part.content))
    return part


def _fitted(image: Image, side: int) -> Image:
    try:
        known = head(image)
        return image if max(known.width, known.height) <= side else _smaller(image, side)
    except BadPicture:
        return image  # whoever takes it may still read it, and says so if not


@lru_cache(maxsize=16)
def _smaller(image: Image, side: int) -> Image:
    """Kept, because every turn of every agent sends the same pictures again."""
    return replace(encoded(looked_at(image), side), made_by=image.made_by)
