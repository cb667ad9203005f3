"""Scaling images to the size that a model takes: once, before a call.

Coordinates are normalised, so they do not change.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from musespark.content import Image, Message, Part, Request, ToolResult
from musespark.errors import BadImage
from musespark.images import decode_visible, read_header

if TYPE_CHECKING:
    import PIL.Image

LONGEST_SIDE = 1568
"""Pixels of the longest side of a view, if the model does not say how large an image it takes."""
ENLARGE_TO = 768
"""Pixels of the longest side that a smaller view is enlarged to, at most `MAX_ENLARGEMENT` times: models read thumbnails badly."""
MAX_ENLARGEMENT = 8.0
LARGE_FILE = 1_000_000
"""Bytes of a PNG file beyond which a photograph is sent as JPEG: every call carries all images of the conversation."""


def encode_image(
    pixels: PIL.Image.Image, longest_side: int | None = None, *, enlarge: bool = False
) -> Image:
    """Encode an image for a model, its longest side at most `longest_side` pixels. enlarge: also enlarge a small one."""
    from PIL import Image as pillow

    longest = max(pixels.size)
    factor = min(1.0, (longest_side or LONGEST_SIDE) / longest)
    if enlarge and longest < ENLARGE_TO:
        factor = min(MAX_ENLARGEMENT, ENLARGE_TO / longest)
    if factor != 1.0:
        size = tuple(max(1, round(edge * factor)) for edge in pixels.size)
        pixels = pixels.resize(
            (size[0], size[1]), pillow.Resampling.LANCZOS, reducing_gap=3.0 if factor < 1 else None
        )
    file = _save(pixels, "PNG")
    if len(file) > LARGE_FILE and len(jpeg := _save(pixels, "JPEG")) < len(file) / 2:
        return Image(jpeg, "image/jpeg")
    return Image(file, "image/png")


def _save(pixels: PIL.Image.Image, format: str) -> bytes:
    file = io.BytesIO()
    if format == "PNG":
        pixels.save(file, format, compress_level=3)
    else:
        pixels.save(file, format, quality=90)
    return file.getvalue()


async def fit_images(
    request: Request, longest_side: int | None, types: tuple[str, ...] | None = None
) -> Request:
    """Convert, in a worker thread, every image with a side of more than `longest_side` pixels, or of another type than these.

    None leaves all sizes, or types, as they are.
    """
    if (longest_side is None and types is None) or not any(
        _has_image(part) for message in request.messages for part in message.parts
    ):
        return request
    fitted = await asyncio.to_thread(_fit_messages, request.messages, longest_side, types)
    return replace(request, messages=fitted)


def _has_image(part: Part) -> bool:
    return isinstance(part, Image) or (
        isinstance(part, ToolResult) and any(isinstance(one, Image) for one in part.content)
    )


def _fit_messages(
    messages: tuple[Message, ...], side: int | None, types: tuple[str, ...] | None
) -> tuple[Message, ...]:
    return tuple(
        replace(message, parts=tuple(_fit_part(part, side, types) for part in message.parts))
        if any(map(_has_image, message.parts))
        else message
        for message in messages
    )


def _fit_part(part: Part, side: int | None, types: tuple[str, ...] | None) -> Part:
    match part:
        case Image():
            return _fit(part, side, types)
        case ToolResult():
            return replace(
                part,
                content=tuple(
                    _fit(one, side, types) if isinstance(one, Image) else one
                    for one in part.content
                ),
            )
    return part


def _fit(image: Image, side: int | None, types: tuple[str, ...] | None) -> Image:
    is_known = types is None or image.media_type in types
    try:
        if side is None:
            return image if is_known else _scale_down(image, None)
        header = read_header(image)
        is_small = max(header.width, header.height) <= side
        return image if is_small and is_known else _scale_down(image, side)
    except BadImage:
        return image  # the model may still read it, and reports an error otherwise


@lru_cache(maxsize=16)
def _scale_down(image: Image, side: int | None) -> Image:
    """Scale and encode an image; cached, because every turn of every agent sends the same images again."""
    pixels = decode_visible(image)
    return replace(encode_image(pixels, side or max(pixels.size)), made_by=image.made_by)
