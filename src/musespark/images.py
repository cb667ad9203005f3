"""Images between files, messages and the arrays that models compute with.

Pillow and NumPy are imported when an image is at hand, so that a question without one starts faster. Decoding takes up to a second:
on an event loop, `load_images` does it in worker threads.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import io
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote, urlsplit

from musespark.content import Image
from musespark.errors import BadImage, MissingFile, MuseError

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

MAX_PIXELS = 50_000_000
"""A 48-megapixel photograph fits; decoding a larger image would cost gigabytes."""
_ORIENTATION = 0x0112
"""The EXIF tag for the orientation of the camera."""
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
"""The formats that `Image` accepts. Pillow's other decoders are rarely exercised, and some start programs: they are never used."""

_SAMPLED_PIXELS = 1_000_000
"""Pixels that are looked at to choose a background."""
_MOSTLY = 0.9
"""Share of an image that is drawn beyond which its background hardly shows."""
_NEARLY_WHITE, _NEARLY_BLACK = 200, 90
"""Brightness, of 255, beyond which a pixel is not seen on white, and below which it is not seen on black."""

ImageLike: TypeAlias = "str | Path | bytes | Image | PIL.Image.Image | np.ndarray[Any, Any]"
"""A path, a file's bytes, an `Image`, a PIL image, or an array as `encode_png` takes it."""


async def load_images(sources: Iterable[ImageLike], *, strict: bool = True) -> list[Image]:
    """Check images with `as_image`, in worker threads so that the event loop stays free. Raises what `as_image` raises."""
    return [await asyncio.to_thread(as_image, source, strict=strict) for source in sources]


def as_image(source: ImageLike, *, strict: bool = True) -> Image:
    """Read, decode and check an image for a message.

    strict: refuse an image that has several frames, or depends on the background behind it; otherwise `decode_visible` shows one
    frame of it, on a plain background. Raises `MissingFile`, or `BadImage` if the image is broken, too large, animated, partly
    transparent or not an image.
    """
    from PIL import Image as pillow

    name = str(source) if isinstance(source, str | Path) else ""
    if isinstance(source, Image):
        image = source
    elif isinstance(source, str | Path):
        image = _from_place(source)
    elif isinstance(source, bytes | bytearray | memoryview):
        image = Image.from_bytes(bytes(source))
    elif isinstance(source, pillow.Image):
        image = Image.from_bytes(_encode_visible(source))
    elif hasattr(source, "__array__"):
        image = Image.from_bytes(encode_png(source))
    else:
        raise BadImage(
            f"a value of type {type(source).__name__} is neither a path, bytes, a PIL image nor an array"
        )
    _decode(image, name, strict)
    return image


def _from_place(source: str | Path) -> Image:
    """Read an image from a path, also with `~` or as a file: address, or from a data URL."""
    scheme, _, rest = str(source).partition(":")
    match scheme.lower():
        case "http" | "https" if isinstance(source, str):
            raise MissingFile(source[:200], "it is a web address; download it, and name the file")
        case "data" if "," in rest:
            try:
                return Image.from_bytes(base64.b64decode(unquote(rest.partition(",")[2])))
            except binascii.Error as error:
                raise BadImage("its data URL is not base64") from error
        case "file" if rest.startswith("/"):
            return Image.from_path(unquote(urlsplit(str(source)).path))
    with contextlib.suppress(RuntimeError):  # nobody is at home
        if not Path(source).exists():
            return Image.from_path(Path(source).expanduser())
    return Image.from_path(source)


def to_array(image: Image) -> np.ndarray[Any, Any]:
    """Decode an image to (height, width, 3) uint8, upright by its EXIF orientation. Raises `BadImage`."""
    import numpy as np

    return np.asarray(_decode(image))


def encode_png(array: np.ndarray[Any, Any]) -> bytes:
    """Encode an array (height, width[, 1, 3 or 4]) of uint8, uint16, bool, or floats from 0 to 1 as a PNG file.

    Raises `BadImage` for any other array.
    """
    import numpy as np
    from PIL import Image as pillow

    with _as_bad_image(""):
        array = np.asarray(array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    white = {"u1": 255, "u2": 65535, "b1": 1, "f2": 1, "f4": 1, "f8": 1}.get(array.dtype.str[1:])
    if white is None or not is_image or array.size == 0:
        raise BadImage(
            f"an array of {array.dtype} {array.shape} is not (height, width, 3) of uint8"
        )
    _require_size(array.shape[1], array.shape[0], "")
    return _save_png(pillow.fromarray(np.ascontiguousarray(_to_uint8(array, white))))


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Size of an image in pixels, upright, and remarks on content that is not shown."""

    width: int
    height: int
    remarks: tuple[str, ...] = ()


def read_header(image: Image) -> ImageHeader:
    """Read the header of an image without decoding its pixels.

    Raises `BadImage` if it is broken, too large or of another format.
    """
    from PIL import Image as pillow

    with _as_bad_image(""), pillow.open(io.BytesIO(image.data), formats=_FORMATS) as opened:
        _require_size(opened.width, opened.height, "")
        frames = getattr(opened, "n_frames", 1) if opened.format != "MPO" else 1
        is_on_its_side = opened.getexif().get(_ORIENTATION, 1) in range(5, 9)
        width, height = (opened.height, opened.width) if is_on_its_side else opened.size
        remarks = [f"only the first of its {frames} frames is shown"] if frames > 1 else []
        remarks += (
            ["what is transparent is shown on a plain ground"]
            if opened.has_transparency_data
            else []
        )
        return ImageHeader(width, height, tuple(remarks))


def decode_visible(image: Image) -> PIL.Image.Image:
    """Decode the visible part of an image, upright in RGB: the first frame of an animation, and transparent parts on white, or on a
    background that the rest stands out from.

    `read_header` has remarks on both. Raises `BadImage` if the image is broken, too large or of another format.
    """
    return _decode(image, strict=False)


def as_png(image: Image) -> tuple[bytes, int, int]:
    """Convert an image to the form that events carry: a PNG file's bytes, width and height in pixels. Raises `BadImage`."""
    array = to_array(image)
    return encode_png(array), array.shape[1], array.shape[0]


def _encode_visible(opened: PIL.Image.Image) -> bytes:
    """Encode the visible part of a PIL image, in whatever mode it is, as a PNG file."""
    with _as_bad_image(""):
        return _save_png(_to_rgb(opened, ""))


def _decode(image: Image, name: str = "", strict: bool = True) -> PIL.Image.Image:
    """Decode a file to its end: nothing less proves that it is whole."""
    from PIL import Image as pillow

    with _as_bad_image(name), pillow.open(io.BytesIO(image.data), formats=_FORMATS) as opened:
        return _to_rgb(opened, name, strict)


def _save_png(opened: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    opened.save(file, "PNG")
    return file.getvalue()


def _to_rgb(opened: PIL.Image.Image, name: str, strict: bool = True) -> PIL.Image.Image:
    """Return the image upright, in RGB of eight bits. Nothing is decoded before the header has passed the checks.

    strict: refuse an image that has several frames, or depends on the background behind it.
    """
    import numpy as np
    from PIL import Image as pillow, ImageOps

    _require_size(opened.width, opened.height, name)
    # The second image of an MPO, as phones write them, is another view of the first: depth, or a wider dynamic range.
    if strict and getattr(opened, "is_animated", False) and opened.format != "MPO":
        raise BadImage("it is animated; save the one frame you mean", name)
    opened.load()
    if strict and _has_transparency(opened):
        raise BadImage(
            "it has transparent parts, whose colour would be a guess; save it on a solid background",
            name,
        )
    opened = ImageOps.exif_transpose(opened)
    if opened.has_transparency_data:
        opened = _on_ground(opened)
    if opened.mode[0] in "IF":  # one channel of more than eight bits, which Pillow would clip
        values = np.asarray(opened)
        opened = pillow.fromarray(_to_uint8(values, _white_level(opened.mode, values)))
    return opened.convert("RGB")


def _has_transparency(opened: PIL.Image.Image) -> bool:
    import numpy as np

    if not opened.has_transparency_data:
        return False
    if opened.mode.startswith(
        "I"
    ):  # Pillow cannot convert these; a single grey is declared transparent
        return bool(np.any(np.asarray(opened) == opened.info["transparency"]))
    return opened.convert("RGBA").getchannel("A").getextrema() != (255, 255)


def _on_ground(opened: PIL.Image.Image) -> PIL.Image.Image:
    """Return the image composed on a white background; on black or grey if it would not be seen on white."""
    import numpy as np
    from PIL import Image as pillow

    if opened.mode.startswith(
        "I"
    ):  # Pillow cannot convert these; a single grey is declared transparent
        values = np.asarray(opened)
        return pillow.fromarray(
            np.where(values == opened.info["transparency"], 65535, values).astype(np.uint16)
        )
    layers = opened.convert("RGBA")
    return pillow.alpha_composite(pillow.new("RGBA", layers.size, _choose_ground(layers)), layers)


def _choose_ground(layers: PIL.Image.Image) -> str:
    """Choose the background for an image with transparent parts: white, unless most of what is drawn is nearly white itself."""
    import numpy as np

    step = max(1, round((layers.width * layers.height / _SAMPLED_PIXELS) ** 0.5))
    drawn = np.asarray(layers.getchannel("A"))[::step, ::step] > 127
    if not drawn.any() or drawn.mean() > _MOSTLY:
        return "white"
    brightness = np.asarray(layers.convert("L"))[::step, ::step][drawn]
    if np.mean(brightness > _NEARLY_WHITE) < 0.5:
        return "white"
    return "black" if np.mean(brightness < _NEARLY_BLACK) < 0.02 else "grey"


def _white_level(mode: str, values: np.ndarray[Any, Any]) -> int:
    """Return the value that means white: fixed for I;16; for integers and floats the least usual one that is large enough."""
    if mode.startswith("I;16"):
        return 65535
    usual = (1, 255) if mode == "F" else (255,)
    return next((white for white in usual if values.max() <= white), 65535)


def _to_uint8(values: np.ndarray[Any, Any], white: int) -> np.ndarray[Any, Any]:
    """Scale values from 0 to `white` to uint8."""
    import numpy as np

    if white == 255 and values.dtype == np.uint8:
        return values
    if not (values.min() >= 0 and values.max() <= white):  # also true if a value is NaN
        raise BadImage(f"its values are not all between 0 and {white}")
    scaled: np.ndarray[Any, Any] = np.multiply(values, 255 / white, dtype=np.float32)
    return scaled.round().astype(np.uint8)


def _require_size(width: int, height: int, name: str) -> None:
    if not width * height:
        raise BadImage("it has no pixels", name)
    if width * height > MAX_PIXELS:
        raise BadImage(
            f"it has {width}x{height} pixels, more than {MAX_PIXELS // 1_000_000} megapixels", name
        )


@contextlib.contextmanager
def _as_bad_image(name: str) -> Iterator[None]:
    """Raise every error inside as `BadImage` of that name: decoders raise many types for a broken file."""
    from PIL import Image as pillow

    try:
        # Warning filters are global: threads that leave this block out of order can let a warning through, or leave the process
        # without any. Pillow's own limit, of which it warns, is global, too.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the checks here replace Pillow's warnings
            yield
    except MuseError:
        raise
    except pillow.DecompressionBombError as error:
        raise BadImage(f"it has more than {MAX_PIXELS // 1_000_000} megapixels", name) from error
    except Exception as error:
        raise BadImage("it is broken or cut short", name) from error
