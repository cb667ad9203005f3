"""Pictures between the outside world, the messages and the arrays that models compute with.

Pillow and NumPy are imported when a picture is at hand, so that a question without one starts faster.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from musespark.content import Image
from musespark.errors import BadPicture, MuseError

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

MAX_PIXELS = 50_000_000
"""A 48-megapixel photograph still fits; what is larger would cost gigabytes to look at."""

ImageLike: TypeAlias = "str | Path | bytes | Image | PIL.Image.Image | np.ndarray[Any, Any]"
"""A path, a file's bytes, an `Image`, a PIL image, or an array (height, width[, 3]) of uint8."""


def as_image(source: ImageLike) -> Image:
    """The picture as a checked part of a message.

    Raises `MissingFile`, or `BadPicture` where it is broken, huge, animated, partly transparent or no picture.
    """
    name = str(source) if isinstance(source, str | Path) else ""
    if isinstance(source, Image):
        image = source
    elif isinstance(source, str | Path):
        image = Image.from_path(source)
    elif isinstance(source, bytes | bytearray | memoryview):
        image = Image.from_bytes(bytes(source))
    elif hasattr(source, "save"):
        image = Image.from_bytes(_saved(source))
    elif hasattr(source, "__array__"):
        image = Image.from_bytes(png(source))
    else:
        raise BadPicture(f"a {type(source).__name__} is neither a path, bytes, a PIL image nor an array")
    _opened(image, name)
    return image


def pixels(image: Image) -> np.ndarray[Any, Any]:
    """The picture as (height, width, 3) uint8, upright as its camera meant it; raises `BadPicture`."""
    import numpy as np
    from PIL import ImageOps

    return np.asarray(ImageOps.exif_transpose(_opened(image)).convert("RGB"))


def png(array: np.ndarray[Any, Any]) -> bytes:
    """A PNG file's bytes of an array (height, width[, 3 or 4]) of uint8; raises `BadPicture` for any other array."""
    import numpy as np
    from PIL import Image as pillow

    array = np.asarray(array)
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not shaped or array.size == 0:
        raise BadPicture(f"an array of {array.dtype} {array.shape} is not (height, width, 3) of uint8")
    return _saved(pillow.fromarray(np.ascontiguousarray(array)))


def _saved(picture: Any) -> bytes:
    file = io.BytesIO()
    try:
        picture.save(file, "PNG")
    except Exception as error:  # whatever the object is, it could not become a picture
        raise BadPicture(f"it cannot be saved as a PNG ({error})") from error
    return file.getvalue()


def _opened(image: Image, name: str = "") -> PIL.Image.Image:
    """The picture, decoded: only that shows that it is whole."""
    from PIL import Image as pillow

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; the size is judged here
            picture = pillow.open(io.BytesIO(image.data))
            _require_usable(picture, name)
            picture.load()
            _require_opaque(picture, name)
    except MuseError:
        raise
    except pillow.DecompressionBombError as error:
        raise BadPicture(f"it has more than {MAX_PIXELS // 1_000_000} megapixels", name) from error
    except Exception as error:  # Pillow's decoders raise many types for a broken file
        raise BadPicture("it is broken or cut short", name) from error
    return picture


def _require_usable(picture: PIL.Image.Image, name: str) -> None:
    """What the header tells, before any pixel is decoded."""
    if picture.width * picture.height > MAX_PIXELS:
        raise BadPicture(f"it has {picture.width}x{picture.height} pixels, more than "
                         f"{MAX_PIXELS // 1_000_000} megapixels", name)
    if getattr(picture, "n_frames", 1) > 1:
        raise BadPicture("it is animated; save the one frame you mean", name)


def _require_opaque(picture: PIL.Image.Image, name: str) -> None:
    if picture.has_transparency_data and picture.convert("RGBA").getchannel("A").getextrema() != (255, 255):
        raise BadPicture("it has transparent parts, whose colour would be a guess; save it on a solid background", name)
