"""Read images of one coloured shape for the verifier: the shape must account for every pixel, and clearly be one of three.

Moments distinguish a disc from polygons: of c * z^k over the pixels, with c the covered share of a pixel and z its offset from the
centre as a complex number, a disc has only the 0th, and a regular polygon of n corners has the n-th (Flusser 2000, "On the
independence of rotation moment invariants"). Rectangles and triangles are recognised by the length and the middle of every row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from musespark.nano.arrays import Array
from musespark.nano.tasks.reading import is_noise
from musespark.nano.tasks.shapes_images import COLOURS, ground_of, read

_LARGEST = 512
PALE = 215
"""Least value of the darkest channel of a ground in training."""
_NAMED = 12.0
"""Largest difference (of 255) at which a colour has a name."""
_FAINT = 8.0
"""Difference (of 255) from the ground or the paint that any pixel may have."""
_RIM = 1.6
"""Pixels on either side of a shape's rim that may be mixtures."""
_MOMENTS = range(2, 13)
_ROUND, _ROUNDISH = (0.045, 0.075), (0.13, 0.27)
"""Largest moment of a certain disc, apart from every fourth, which the grid of pixels has itself; and the largest of a possible
disc, with soft edges and with hard ones.
"""
_STRAIGHT, _UPRIGHT = 0.35, 0.3
"""Largest deviation, in pixels, of the length and the middle of a row from those of a certain rectangle."""
_CORNERS = 0.1
"""Largest share of a pixel missing at a corner of a certain rectangle."""
_STRAIGHT_SLOPE = (0.6, 1.0)
"""Largest deviation of a row's length in a certain triangle, with soft edges and with hard ones."""
_ROWS = 6
"""Least number of rows, without the first and the last ones, that make a triangle with hard edges certain."""
_HARD = 0.1
"""Half-covered pixels per pixel of the rim: an edge with fewer counts as hard."""
_CLOSE = 0.3
"""Largest area between a shape and its reading, in pixels per pixel of the rim."""
_TALL = 3**0.5 / 2
"""Height of an upright triangle for its width."""


@dataclass(frozen=True)
class Seen:
    """Contents of an image of a shape."""

    colour: str
    shape: str
    is_certain: bool
    """True if no other shape is possible: a small or rough disc may also be a hexagon."""
    is_pale: bool
    """True if the ground is as pale as in training."""


@dataclass(frozen=True)
class _Ideal:
    """An ideal shape without noise: the distance of every pixel from its rim, negative inside."""

    distance: Array
    rim: float
    """Length of the rim, in pixels."""


def read_shape(image: Array) -> Seen | None:
    """Read the one shape in an image (height, width, 3) uint8; None if there is anything else, or it has no name here."""
    found = read(image)
    if found is None:
        return None
    if max(image.shape[:2]) > _LARGEST:
        small = Image.fromarray(image[..., :3])
        small.thumbnail((_LARGEST, _LARGEST), Image.Resampling.BOX)
        image = np.asarray(small)
    colour, shape = found
    pixels, ground = image[..., :3].astype(float), ground_of(image).astype(float)
    paint = _paint(pixels, ground)
    if np.abs(paint - COLOURS[colour]).max() > _NAMED:
        return None
    axis = paint - ground
    covered = np.clip((pixels - ground) @ axis / (axis @ axis), 0, 1)
    ideal = _IDEALS[shape](covered)
    error = float(np.abs(covered - np.clip(0.5 - ideal.distance, 0, 1)).sum()) / ideal.rim
    if error > _CLOSE or not _is_all(pixels, ideal.distance, ground, paint):
        return None
    straightness = _CHECKS[shape](covered)
    if straightness is None:
        return None
    return Seen(colour, shape, straightness, float(ground.min()) >= PALE)


def _paint(pixels: Array, ground: Array) -> Array:
    differs = np.abs(pixels - ground).sum(-1)
    paint: Array = np.median(pixels[differs > 0.75 * differs.max()], axis=0)
    return paint


def _is_all(pixels: Array, distance: Array, ground: Array, paint: Array) -> bool:
    """Return True if the ground is plain, the paint is plain, and the pixels on the rim are mixtures of the two."""
    outer, inner = distance > _RIM, distance < -_RIM
    apart = np.where(
        outer, np.abs(pixels - ground).max(-1), np.where(inner, np.abs(pixels - paint).max(-1), 0.0)
    )
    axis = paint - ground
    share = np.clip((pixels - ground) @ axis / (axis @ axis), 0, 1)
    off = np.abs(pixels - ground - share[..., None] * axis).max(-1)
    return is_noise(apart, _FAINT) and is_noise(off, 4 * _FAINT)


def _places(covered: Array) -> tuple[Array, Array, float, float, float]:
    """Return rows, columns, the row and column of the centre, and the area."""
    rows, columns = np.ogrid[: covered.shape[0], : covered.shape[1]]
    down, right = rows + 0.5, columns + 0.5
    area = float(covered.sum())
    return (
        down,
        right,
        float((covered * down).sum()) / area,
        float((covered * right).sum()) / area,
        area,
    )


def _disc(covered: Array) -> _Ideal:
    down, right, y, x, area = _places(covered)
    radius = float((area / np.pi) ** 0.5)
    return _Ideal(np.hypot(down - y, right - x) - radius, 2 * float(np.pi) * radius)


def _rectangle(covered: Array) -> _Ideal:
    down, right, y, x, area = _places(covered)
    width, height = float(covered.sum(1).max()), float(covered.sum(0).max())
    scale = (area / (width * height)) ** 0.5
    width, height = width * scale, height * scale
    return _Ideal(
        np.maximum(np.abs(right - x) - width / 2, np.abs(down - y) - height / 2),
        2 * (width + height),
    )


def _triangle(covered: Array) -> _Ideal:
    down, right, y, x, area = _places(covered)
    width = (2 * area / _TALL) ** 0.5
    height = _TALL * width
    foot, side = y + height / 3, float(np.hypot(height, width / 2))
    slope = (np.abs(right - x) * height - (width / 2) * (height - (foot - down))) / side
    return _Ideal(np.maximum(slope, down - foot), width + 2 * side)


def _is_round(covered: Array) -> bool | None:
    """Return True for a certain disc; None if it certainly is none; False if unsure."""
    down, right, y, x, _ = _places(covered)
    z = (right - x) + 1j * (down - y)
    size = np.abs(z)
    moments = {
        k: abs(complex((covered * z**k).sum())) / float((covered * size**k).sum()) for k in _MOMENTS
    }
    if max(moments.values()) > _ROUNDISH[_is_hard(covered)]:
        return None
    return all(moment <= _ROUND[k % 4 == 0] for k, moment in moments.items())


def _is_rectangular(covered: Array) -> bool | None:
    """Return True if all rows, and all columns, have one length and one middle; None if they certainly do not."""
    differences = [
        _rows(turned, lambda down, size: np.full(down.shape, size.max()))
        for turned in (covered, covered.T)
    ]
    certain = _certain(
        max(length for length, _ in differences),
        max(middle for _, middle in differences),
        _STRAIGHT,
    )
    product = (
        np.outer(covered.sum(1), covered.sum(0)) / covered.sum()
    )  # all rows of a rectangle are equal, corners included
    return certain and float(np.abs(covered - product).max()) <= _CORNERS


def _is_triangular(covered: Array) -> bool | None:
    """Return True if the rows grow evenly from nothing to the foot, about one middle; None if they certainly do not."""
    _, _, y, _, area = _places(covered)
    width = float((2 * area / _TALL) ** 0.5)
    top = y - 2 / 3 * _TALL * width
    length, middle = _rows(covered, lambda down, _: (down - top) / _TALL)
    is_hard = _is_hard(covered)
    certain = _certain(length, middle, _STRAIGHT_SLOPE[is_hard])
    return certain and not (is_hard and (covered.sum(1) > 0.5).sum() - 4 < _ROWS)


def _is_hard(covered: Array) -> bool:
    """Return True if hardly any pixel is half covered."""
    rim = 4 * float(covered.sum()) ** 0.5
    return bool(((covered > 0.1) & (covered < 0.9)).sum() < _HARD * rim)


def _rows(covered: Array, expected: Callable[[Array, Array], Array]) -> tuple[float, float]:
    """Return the largest deviations of a row's length and middle from the expected ones, without the first and last rows."""
    lengths = covered.sum(1)
    inside = np.flatnonzero(lengths > 0.5)[2:-2]
    if len(inside) < 2:
        return 1.0, 1.0
    right = np.arange(covered.shape[1]) + 0.5
    middles = (covered[inside] @ right) / lengths[inside]
    wanted = expected(inside + 0.5, lengths)
    return float(np.abs(lengths[inside] - wanted).max()), float(np.ptp(middles)) / 2


def _certain(length: float, middle: float, straight: float) -> bool | None:
    """Return True if deviations of rows fit a certain shape; None if they are too large for any."""
    if length <= straight and middle <= _UPRIGHT:
        return True
    return False if length <= 1.4 and middle <= 1.0 else None


_IDEALS: dict[str, Callable[[Array], _Ideal]] = {
    "circle": _disc,
    "rectangle": _rectangle,
    "triangle": _triangle,
}
_CHECKS: dict[str, Callable[[Array], bool | None]] = {
    "circle": _is_round, "rectangle": _is_rectangular, "triangle": _is_triangular,
}  # fmt: skip
