"""Coordinates in an image, the same for all tools.

Coordinates are normalised: x runs from 0 at the left edge to 1000 at the right one, y from 0 at the top to 1000 at the bottom,
for images of every size and shape. A point is [x, y]; a box is [x1, y1, x2, y2], its left, top, right and bottom.

A view (a zoomed or rotated image) has such coordinates of its own, and an `Affine` transform from them to those of the image it
was made from. The transforms of nested views compose, so tools report every result in the coordinates of the original image.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from musespark.vision.forms import to_box, to_point

SPAN = 1000.0
"""The largest coordinate."""

Point = tuple[float, float]


class InvalidToolArguments(Exception):
    """The arguments of a tool call cannot be used; the text is one sentence for the model."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangular region. One made by `parse_box` has ordered edges, is not empty and lies within the image."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in coordinates, 0 to 1000."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in coordinates, 0 to 1000."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Area in square coordinates."""
        return self.width * self.height

    @property
    def centre(self) -> Point:
        """Middle of the box, where one would click."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        """The four corners, clockwise from the top left."""
        return (
            (self.left, self.top),
            (self.right, self.top),
            (self.right, self.bottom),
            (self.left, self.bottom),
        )

    @property
    def clamped(self) -> Box:
        """The part of the box that lies within the image."""
        return Box(_clamp(self.left), _clamp(self.top), _clamp(self.right), _clamp(self.bottom))

    @classmethod
    def bounding(cls, points: Iterable[Point]) -> Self:
        """Return the smallest box that holds the points."""
        xs, ys = zip(*points, strict=True)
        return cls(min(xs), min(ys), max(xs), max(ys))

    def iou(self, other: Box) -> float:
        """Return the intersection over union, 0 to 1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        if width <= 0 or height <= 0:
            return 0.0
        return width * height / (self.area + other.area - width * height)

    def __str__(self) -> str:
        return "[{}, {}, {}, {}]".format(
            *map(format_coordinate, (self.left, self.top, self.right, self.bottom))
        )


WHOLE = Box(0.0, 0.0, SPAN, SPAN)
"""The box of a whole image."""


@dataclass(frozen=True, slots=True)
class Affine:
    """Affine transform of points: x' = a x + b y + c; y' = d x + e y + f."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 1.0
    f: float = 0.0

    def __call__(self, point: Point) -> Point:
        """Transform a point."""
        x, y = point
        return self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f

    def then(self, last: Affine) -> Affine:
        """Return the transform that applies this one first, then `last`."""
        a, b, c = (
            last.a * self.a + last.b * self.d,
            last.a * self.b + last.b * self.e,
            last.a * self.c + last.b * self.f + last.c,
        )
        d, e, f = (
            last.d * self.a + last.e * self.d,
            last.d * self.b + last.e * self.e,
            last.d * self.c + last.e * self.f + last.f,
        )
        return Affine(a, b, c, d, e, f)

    @property
    def inverse(self) -> Affine:
        """The inverse transform."""
        size = self.a * self.e - self.b * self.d
        a, b, d, e = self.e / size, -self.b / size, -self.d / size, self.a / size
        return Affine(a, b, -(a * self.c + b * self.f), d, e, -(d * self.c + e * self.f))

    def box(self, box: Box) -> Box:
        """Return the bounding box of a transformed box."""
        return Box.bounding(map(self, box.corners))

    @classmethod
    def scaling(cls, x: float, y: float) -> Self:
        """Return a scaling about the origin."""
        return cls(a=x, e=y)

    @classmethod
    def translation(cls, x: float, y: float) -> Self:
        """Return a translation."""
        return cls(c=x, f=y)

    @classmethod
    def rotation(cls, degrees: float) -> Self:
        """Return a clockwise rotation about the origin (y points down). Multiples of 90 degrees are exact."""
        quarters, rest = divmod(degrees, 90)
        cos, sin = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarters) % 4]
        if rest:
            cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return cls(a=cos, b=-sin, d=sin, e=cos)


IDENTITY = Affine()
"""The transform of an image that is not a view."""


def parse_point(value: Any, remarks: list[str], name: str = "point") -> Point:
    """Check a point from a model's arguments; one outside is moved to the edge, with a remark. Raises `InvalidToolArguments`."""
    given = _parse_numbers(to_point(value), 2, f"a {name} is [x, y], two numbers from 0 to 1000")
    x, y = _whole_range(given, f"{name}", remarks)
    inside = (_clamp(x), _clamp(y))
    if inside != (x, y):
        remarks.append(
            f"The {name} {_format(x, y)} lies outside of the picture and was moved to {_format(*inside)}."
        )
    return inside


def parse_box(value: Any, remarks: list[str]) -> Box:
    """Check a box from a model's arguments; swapped corners are put in order and edges outside are clamped, with remarks.

    Raises `InvalidToolArguments` if the value is not a box, or an empty one.
    """
    given = _parse_numbers(
        to_box(value), 4, "a box is [x1, y1, x2, y2], four numbers from 0 to 1000"
    )
    given = _whole_range(given, "box", remarks)
    x1, y1, x2, y2 = given
    ordered = Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    if (x1, y1) != (ordered.left, ordered.top):
        remarks.append(
            f"The corners of the box {_format(*given)} were swapped; it was read as {ordered}."
        )
    box = ordered.clamped
    if not box.width or not box.height:
        raise InvalidToolArguments(
            f"The box {_format(*given)} is empty: within the picture it has no width or no height; give one "
            "that is at least a pixel wide and high."
        )
    if box != ordered:
        remarks.append(
            f"The box {_format(*given)} reaches outside of the picture and was cut to {box}."
        )
    return box


def _parse_numbers(value: Any, count: int, form: str) -> list[float]:
    numbers = isinstance(value, list | tuple) and all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in value
    )
    if (
        not numbers or len(value) != count or not all(abs(one) < 1e9 for one in value)
    ):  # the comparison is false for NaN, too
        raise InvalidToolArguments(f"{form[0].upper()}{form[1:]}; this is {_shorten(value)}.")
    return [float(one) for one in value]


def _whole_range(given: list[float], name: str, remarks: list[str]) -> list[float]:
    """Read fractions of a picture, 0 to 1, as coordinates from 0 to 1000, with a remark: so small a box shows nothing."""
    is_fraction = all(0 <= each <= 1 for each in given) and (
        any(not each.is_integer() for each in given) or (len(given) == 4 and any(given))
    )
    if not is_fraction:
        return given
    scaled = [each * SPAN for each in given]
    remarks.append(
        f"The {name} {_format(*given)} was read as fractions of the picture, {_format(*scaled)}; coordinates run from 0 to 1000."
    )
    return scaled


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _clamp(value: float) -> float:
    return min(max(value, 0.0), SPAN)


def _format(*numbers: float) -> str:
    return f"[{', '.join(map(format_coordinate, numbers))}]"


def format_coordinate(number: float) -> str:
    """Format a coordinate for a model: to a tenth, without a trailing zero."""
    return f"{round(number, 1) + 0.0:g}" if abs(number) < 1e5 else f"{number:.0f}"


def format_point(point: Point) -> str:
    """Format a point for a model: [x, y]."""
    return _format(*point)
