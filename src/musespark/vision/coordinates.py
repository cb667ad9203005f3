"""Where something is in a picture, for every tool alike.

Coordinates are normalised: x runs from 0 at the left edge to 1000 at the right one, y from 0 at the top to 1000 at the bottom,
whatever the picture's size and shape. A point is [x, y]; a box is [x1, y1, x2, y2], its left, top, right and bottom.

A view (a zoomed or turned picture) has such coordinates of its own, and an `Affine` that leads from them to those of the
picture it was made from. Views of views compose, so that whatever is found anywhere is told in the original's coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

SPAN = 1000.0
"""The largest coordinate."""

Point = tuple[float, float]


class Unclear(Exception):
    """What a model asked of a tool cannot be done as it is; the text is one sentence for the model."""


@dataclass(frozen=True, slots=True)
class Box:
    """A region; the edges are in order and the region is not empty, unless it was made without `asked`."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """In the units of the coordinates."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """In the units of the coordinates."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """In the units of the coordinates, squared."""
        return self.width * self.height

    @property
    def centre(self) -> Point:
        """Where one would click."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        """Clockwise from the top left."""
        return (self.left, self.top), (self.right, self.top), (self.right, self.bottom), (self.left, self.bottom)

    @property
    def held(self) -> Box:
        """What of it lies within the picture."""
        return Box(_held(self.left), _held(self.top), _held(self.right), _held(self.bottom))

    @classmethod
    def around(cls, points: Iterable[Point]) -> Self:
        """The smallest box that holds the points."""
        xs, ys = zip(*points, strict=True)
        return cls(min(xs), min(ys), max(xs), max(ys))

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        if width <= 0 or height <= 0:
            return 0.0
        return width * height / (self.area + other.area - width * height)

    def __str__(self) -> str:
        return "[{}, {}, {}, {}]".format(*map(shortly, (self.left, self.top, self.right, self.bottom)))


WHOLE = Box(0.0, 0.0, SPAN, SPAN)


@dataclass(frozen=True, slots=True)
class Affine:
    """x' = a x + b y + c; y' = d x + e y + f."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 1.0
    f: float = 0.0

    def __call__(self, point: Point) -> Point:
        """Where a point goes."""
        x, y = point
        return self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f

    def then(self, last: Affine) -> Affine:
        """First this, then `last`."""
        a, b, c = last.a * self.a + last.b * self.d, last.a * self.b + last.b * self.e, last.a * self.c + last.b * self.f + last.c
        d, e, f = last.d * self.a + last.e * self.d, last.d * self.b + last.e * self.e, last.d * self.c + last.e * self.f + last.f
        return Affine(a, b, c, d, e, f)

    @property
    def inverse(self) -> Affine:
        """The way back."""
        size = self.a * self.e - self.b * self.d
        a, b, d, e = self.e / size, -self.b / size, -self.d / size, self.a / size
        return Affine(a, b, -(a * self.c + b * self.f), d, e, -(d * self.c + e * self.f))

    def box(self, box: Box) -> Box:
        """The box around where a box goes."""
        return Box.around(map(self, box.corners))

    @classmethod
    def scale(cls, x: float, y: float) -> Self:
        """Stretched from the origin."""
        return cls(a=x, e=y)

    @classmethod
    def shift(cls, x: float, y: float) -> Self:
        """Moved."""
        return cls(c=x, f=y)

    @classmethod
    def turn(cls, degrees: float) -> Self:
        """Clockwise about the origin, as y points down. Quarter turns are exact."""
        quarters, rest = divmod(degrees, 90)
        cos, sin = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarters) % 4]
        if rest:
            cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return cls(a=cos, b=-sin, d=sin, e=cos)


HERE = Affine()
"""The picture's own coordinates."""


def point_asked(value: Any, remarks: list[str], name: str = "point") -> Point:
    """The point that a model wrote; one outside is moved to the edge, and the remarks say so. Raises `Unclear`."""
    x, y = _numbers(value, 2, f"a {name} is [x, y], two numbers from 0 to 1000")
    inside = (_held(x), _held(y))
    if inside != (x, y):
        remarks.append(f"The {name} {_written(x, y)} lies outside of the picture and was moved to {_written(*inside)}.")
    return inside


def box_asked(value: Any, remarks: list[str]) -> Box:
    """The box that a model wrote. Swapped corners are put in order and edges outside are moved to the picture's, and the remarks
    say so. Raises `Unclear` where it is none, or empty.
    """
    written = _numbers(value, 4, "a box is [x1, y1, x2, y2], four numbers from 0 to 1000")
    x1, y1, x2, y2 = written
    ordered = Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    if (x1, y1) != (ordered.left, ordered.top):
        remarks.append(f"The corners of the box {_written(*written)} were swapped; it was read as {ordered}.")
    box = ordered.held
    if not box.width or not box.height:
        raise Unclear(f"The box {_written(*written)} is empty: within the picture it has no width or no height; give one that is "
                      "at least a pixel wide and high.")
    if box != ordered:
        remarks.append(f"The box {_written(*written)} reaches outside of the picture and was cut to {box}.")
    return box


def _numbers(value: Any, count: int, form: str) -> list[float]:
    numbers = isinstance(value, list | tuple) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)
    if not numbers or len(value) != count or not all(abs(one) < 1e9 for one in value):  # which is so of no NaN either
        raise Unclear(f"{form[0].upper()}{form[1:]}; this is {_cut(value)}.")
    return [float(one) for one in value]


def _cut(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _held(value: float) -> float:
    return min(max(value, 0.0), SPAN)


def _written(*numbers: float) -> str:
    return f"[{', '.join(map(shortly, numbers))}]"


def shortly(number: float) -> str:
    """A coordinate as a model reads it: to a tenth, without a useless one."""
    return f"{round(number, 1) + 0.0:g}" if abs(number) < 1e5 else f"{number:.0f}"


def at(point: Point) -> str:
    """A point as a model reads it."""
    return _written(*point)
