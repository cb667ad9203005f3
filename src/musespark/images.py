"""Pictures between the outside world, the messages and the arrays that models compute with.

Pillow and NumPy are imported when a picture is at hand, so that a question without one starts faster.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from musespark.content import Image
from musespark.errors import BadPicture, MuseError

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

MAX_PIXELS = 50_000_000
"""A 48-megapixel photograph still fits; what is larger would cost gigabytes to look at."""
_ORIENTATION = 0x0112
"""The EXIF tag that says how a camera was held."""
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
"""What `Image` accepts. Pillow's other decoders are rarely exercised, and some start programs: they are never asked."""

ImageLike: TypeAlias = "str | Path | bytes | Image | PIL.Image.Image | np.ndarray[Any, Any]"
"""A path, a file's bytes, an `Image`, a PIL image, or an array as `png` takes it."""


def as_image(source: ImageLike, *, strict: bool = True) -> Image:
    """The picture as a checked part of a message.

    strict: refuse what shows more than one picture, or depends on what is behind it; else `looked_at` shows what is seen of it.
    Raises `MissingFile`, or `BadPicture` where it is broken, huge, animated, partly transparent or no picture.
    """
    from PIL import Image as pillow

    name = str(source) if isinstance(source, str | Path) else ""
    if isinstance(source, Image):
        image = source
    elif isinstance(source, str | Path):
        image = Image.from_path(source)
    elif isinstance(source, bytes | bytearray | memoryview):
        image = Image.from_bytes(bytes(source))
    elif isinstance(source, pillow.Image):
        image = Image.from_bytes(_encoded(source))
    elif hasattr(source, "__array__"):
        image = Image.from_bytes(png(source))
    else:
        raise BadPicture(f"a {type(source).__name__} is neither a path, bytes, a PIL image nor an array")
    _decoded(image, name, strict)
    return image


def pixels(image: Image) -> np.ndarray[Any, Any]:
    """The picture as (height, width, 3) uint8, upright as its camera meant it; raises `BadPicture`."""
    import numpy as np

    return np.asarray(_decoded(image))


def png(array: np.ndarray[Any, Any]) -> bytes:
    """A PNG file's bytes of an array (height, width[, 1, 3 or 4]) of uint8, uint16, bool, or floats from 0 to 1.

    Raises `BadPicture` for any other array.
    """
    import numpy as np
    from PIL import Image as pillow

    with _blaming(""):
        array = np.asarray(array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    full = {"u1": 255, "u2": 65535, "b1": 1, "f2": 1, "f4": 1, "f8": 1}.get(array.dtype.str[1:])
    if full is None or not shaped or array.size == 0:
        raise BadPicture(f"an array of {array.dtype} {array.shape} is not (height, width, 3) of uint8")
    _require_size(array.shape[1], array.shape[0], "")
    return _saved(pillow.fromarray(np.ascontiguousarray(_eight_bits(array, full))))


@dataclass(frozen=True, slots=True)
class Head:
    """What a picture's header tells: its size in pixels, upright, and what of the file is not shown."""

    width: int
    height: int
    remarks: tuple[str, ...] = ()


def head(image: Image) -> Head:
    """Read a header alone: nothing is decoded. Raises `BadPicture` where it is broken, huge or of another format."""
    from PIL import Image as pillow

    with _blaming(""), pillow.open(io.BytesIO(image.data), formats=_FORMATS) as picture:
        _require_size(picture.width, picture.height, "")
        frames = getattr(picture, "n_frames", 1) if picture.format != "MPO" else 1
        turned = picture.getexif().get(_ORIENTATION, 1) in range(5, 9)
        width, height = (picture.height, picture.width) if turned else picture.size
        remarks = [f"only the first of its {frames} frames is shown"] if frames > 1 else []
        remarks += ["what is transparent is shown on white"] if picture.has_transparency_data else []
        return Head(width, height, tuple(remarks))


def looked_at(image: Image) -> PIL.Image.Image:
    """What a picture shows, upright in RGB, as far as it can be shown: the first frame of an animation, and transparent parts on
    white, which `head` remarks on. Raises `BadPicture` where it is broken, huge or of another format.
    """
    return _decoded(image, strict=False)


def shown(image: Image) -> tuple[bytes, int, int]:
    """A picture as events carry it: a PNG file's bytes, width and height in pixels. Raises `BadPicture`."""
    seen = pixels(image)
    return png(seen), seen.shape[1], seen.shape[0]


def _encoded(picture: PIL.Image.Image) -> bytes:
    """The PNG file of a PIL image: of what it shows, whatever its mode."""
    with _blaming(""):
        return _saved(_seen(picture, ""))


def _decoded(image: Image, name: str = "", strict: bool = True) -> PIL.Image.Image:
    """What a file shows, decoded to the end: only that proves that it is whole."""
    from PIL import Image as pillow

    with _blaming(name), pillow.open(io.BytesIO(image.data), formats=_FORMATS) as picture:
        return _seen(picture, name, strict)


def _saved(picture: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _seen(picture: PIL.Image.Image, name: str, strict: bool = True) -> PIL.Image.Image:
    """The picture upright, in RGB of eight bits, if its rules allow it. Nothing is decoded before its header has passed.

    strict: refuse what shows more than one picture, or depends on what is behind it.
    """
    import numpy as np
    from PIL import Image as pillow, ImageOps

    _require_size(picture.width, picture.height, name)
    # The second picture of an MPO, as telephones write them, is another view of the first: depth, or a wider range of light.
    if strict and getattr(picture, "is_animated", False) and picture.format != "MPO":
        raise BadPicture("it is animated; save the one frame you mean", name)
    picture.load()
    if strict and _has_holes(picture):
        raise BadPicture("it has transparent parts, whose colour would be a guess; save it on a solid background", name)
    picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        picture = _on_white(picture)
    if picture.mode[0] in "IF":  # one channel of more than eight bits, which Pillow would clip
        values = np.asarray(picture)
        picture = pillow.fromarray(_eight_bits(values, _white(picture.mode, values)))
    return picture.convert("RGB")


def _has_holes(picture: PIL.Image.Image) -> bool:
    import numpy as np

    if not picture.has_transparency_data:
        return False
    if picture.mode.startswith("I"):  # Pillow cannot convert these; a single grey is declared transparent
        return bool(np.any(np.asarray(picture) == picture.info["transparency"]))
    return picture.convert("RGBA").getchannel("A").getextrema() != (255, 255)


def _on_white(picture: PIL.Image.Image) -> PIL.Image.Image:
    """The picture without holes."""
    import numpy as np
    from PIL import Image as pillow

    if picture.mode.startswith("I"):  # Pillow cannot convert these; a single grey is declared transparent
        values = np.asarray(picture)
        return pillow.fromarray(np.where(values == picture.info["transparency"], 65535, values).astype(np.uint16))
    layers = picture.convert("RGBA")
    return pillow.alpha_composite(pillow.new("RGBA", layers.size, "white"), layers)


def _white(mode: str, values: np.ndarray[Any, Any]) -> int:
    """The value that means white: I;16 tells it; of integers and floats it is the least usual one that is large enough."""
    if mode.startswith("I;16"):
        return 65535
    usual = (1, 255) if mode == "F" else (255,)
    return next((full for full in usual if values.max() <= full), 65535)


def _eight_bits(values: np.ndarray[Any, Any], full: int) -> np.ndarray[Any, Any]:
    """Values from 0 to `full` as uint8."""
    import numpy as np

    if full == 255 and values.dtype == np.uint8:
        return values
    if not (values.min() >= 0 and values.max() <= full):  # which is so, too, if one is not a number
        raise BadPicture(f"its values are not all between 0 and {full}")
    scaled: np.ndarray[Any, Any] = np.multiply(values, 255 / full, dtype=np.float32)
    return scaled.round().astype(np.uint8)


def _require_size(width: int, height: int, name: str) -> None:
    if not width * height:
        raise BadPicture("it has no pixels", name)
    if width * height > MAX_PIXELS:
        raise BadPicture(f"it has {width}x{height} pixels, more than {MAX_PIXELS // 1_000_000} megapixels", name)


@contextlib.contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Whatever goes wrong inside is said of the picture: decoders raise many types for a broken file."""
    from PIL import Image as pillow

    try:
        # Threads that leave this out of order can show a warning, or leave the process without any: the filters belong to all
        # of them. Pillow's own limit, of which it warns, is global, too.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of is judged here
            yield
    except MuseError:
        raise
    except pillow.DecompressionBombError as error:
        raise BadPicture(f"it has more than {MAX_PIXELS // 1_000_000} megapixels", name) from error
    except Exception as error:
        raise BadPicture("it is broken or cut short", name) from error
