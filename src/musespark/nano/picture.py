"""Pictures that people give: from any common file to the 64 patches the model reads.

Only PNG, JPEG, GIF, WebP, BMP, TIFF and PPM files are opened: other decoders of Pillow start programs or are rarely exercised.
Of an animation the first frame is looked at; what is transparent is shown on white.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from musespark.errors import BadPicture, MissingFile
from musespark.nano import tiles
from musespark.nano.vocabulary import GRID, PLACES

SIDE = GRID * tiles.SIDE
"""Pixels per side of the picture the model sees."""
PATCH_WIDTH = tiles.SIDE * tiles.SIDE * 3 + PLACES
"""Floats per patch: its pixels, and a one-hot of its place."""
LARGEST_FILE = 20_000_000
"""Bytes of a file that is still opened."""
LARGEST_PICTURE = 50_000_000
"""Pixels of a picture that is still decoded."""
PAPER = 225
"""A pixel whose darkest channel is at least this is blank paper."""
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM")
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, OverflowError, EOFError, struct.error, zlib.error)


def load(source: bytes | bytearray | str | Path | Image.Image | np.ndarray) -> np.ndarray:
    """A picture as (height, width, 3) uint8 RGB on white, from a file's bytes, a path, a PIL image or an array.

    Arrays are (height, width), (height, width, 1), (height, width, 3) or (height, width, 4): uint8, uint16, bool, or floats
    from 0 to 1. Raises MissingFile where there is no such file, BadPicture for everything else that is not a picture.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, Image.Image):
        return _decode(source)
    data = _read(Path(source)) if isinstance(source, str | Path) else bytes(source)
    return _decode(_open(data))


def trim(pixels: np.ndarray) -> np.ndarray:
    """The picture without its blank margins: it must not matter where on the page a drawing lies, nor how large it is."""
    inked = np.minimum(np.minimum(pixels[..., 0], pixels[..., 1]), pixels[..., 2]) < PAPER  # pixels.min(axis=2), ten times faster
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if not len(rows):
        return pixels
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def shrink(pixels: np.ndarray) -> np.ndarray:
    """What the model sees of a picture: trimmed, padded with white to a square, resized to (64, 64, 3) uint8."""
    pixels = trim(pixels)
    height, width = pixels.shape[:2]
    side = max(height, width)
    if height != width:
        square = np.full((side, side, 3), 255, np.uint8)
        top, left = (side - height) // 2, (side - width) // 2
        square[top : top + height, left : left + width] = pixels
        pixels = square
    if side == SIDE:
        return np.ascontiguousarray(pixels)
    # Hamming: as sharp as bicubic where thin walls become thinner than a pixel, and never darker than the picture
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.HAMMING, reducing_gap=3.0)
    return np.asarray(small)


def patches(pixels: np.ndarray) -> np.ndarray:
    """The model's view of a 64x64 picture: (64, 256) float32, 8x8x3 pixels from -1 to 1 (y, x, colour) and a one-hot of the place.

    The one-hot is a fourth channel that holds the coordinates (CoordConv: Liu et al. 2018).
    """
    blocks = pixels.reshape(GRID, tiles.SIDE, GRID, tiles.SIDE, 3).transpose(0, 2, 1, 3, 4).reshape(PLACES, -1)
    return np.concatenate([blocks.astype(np.float32) / 255 * 2 - 1, np.eye(PLACES, dtype=np.float32)], axis=1)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadPicture(_too_heavy(path.stat().st_size), str(path))
        return path.read_bytes()
    except FileNotFoundError:
        raise MissingFile(path) from None
    except (OSError, ValueError) as error:  # a folder, no permission, a name with a zero in it
        raise MissingFile(path, getattr(error, "strerror", None) or str(error)) from error


def _open(data: bytes) -> Image.Image:
    if not data:
        raise BadPicture("it is empty")
    if len(data) > LARGEST_FILE:
        raise BadPicture(_too_heavy(len(data)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about size: the limit here is stricter than the one Pillow warns about
            return Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError:
        raise BadPicture(_too_large()) from None
    except _BROKEN:
        raise BadPicture(f"it is none of {', '.join(_FORMATS)}") from None


def _decode(image: Image.Image) -> np.ndarray:
    width, height = image.size
    if width * height > LARGEST_PICTURE:
        raise BadPicture(_too_large(width, height))
    if not width * height:
        raise BadPicture("it has no pixels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.load()
            return _on_white(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError:
        raise BadPicture(_too_large()) from None
    except _BROKEN:
        raise BadPicture("it is broken or cut off") from None


def _on_white(image: Image.Image) -> np.ndarray:
    if image.mode.startswith(("I", "F")):  # one channel of more than eight bits
        return _from_array(_eight_bits(np.asarray(image)))
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Grey values as they come out of files (8, 16 or 32 bits, or floats from 0 to 1) as uint8."""
    top = values.max(initial=0)
    if values.dtype.kind == "f":
        full = 1 if top <= 1 else 255 if top <= 255 else 65535
    else:
        full = 65535 if values.dtype.itemsize == 2 or top > 255 else 255
    return (np.nan_to_num(values.astype(np.float64)).clip(0, full) * (255 / full)).round().astype(np.uint8)


def _from_array(values: np.ndarray) -> np.ndarray:
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4) or 0 in values.shape:
        raise BadPicture(f"an array of shape {values.shape} is not (height, width, 3)")
    if values.shape[0] * values.shape[1] > LARGEST_PICTURE:
        raise BadPicture(_too_large(values.shape[1], values.shape[0]))
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * 255
    elif values.dtype == np.uint16:
        values = (values // 257).astype(np.uint8)
    elif values.dtype.kind == "f":
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            raise BadPicture("it is an array of floats that are not all between 0 and 1")
        values = (values * 255).round().astype(np.uint8)
    elif values.dtype != np.uint8:
        raise BadPicture(f"it is an array of {values.dtype}, not of uint8")
    if values.shape[2] == 4:
        alpha = values[..., 3:].astype(np.uint16)
        values = ((values[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(values, (*values.shape[:2], 3)))


def _too_heavy(size: int) -> str:
    return f"it takes {size / 1e6:.0f} MB, more than {LARGEST_FILE / 1e6:.0f} MB"


def _too_large(width: int = 0, height: int = 0) -> str:
    size = f"{width} x {height} pixels, " if width else ""
    return f"it has {size}more than {LARGEST_PICTURE // 1_000_000} million pixels"
