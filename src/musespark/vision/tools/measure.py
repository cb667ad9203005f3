"""Measure: distances, angles and areas between points of a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from musespark.vision.album import Picture, View
from musespark.vision.coordinates import SPAN, Point, Unclear, at, point_asked
from musespark.vision.draw.marks import Marks, drawn
from musespark.vision.resize import encoded
from musespark.vision.tools.vision_tool import COORDINATES, PICTURE, POINT, Sight, ThreadedLook, flag

MOST = 64
"""Points of one measurement."""


class Measure(ThreadedLook):
    """The tool `measure`."""

    name = "measure"
    does = "Measures along points of a picture: each step's length, direction and the angle between steps; with closed, also the " \
           f"area. Lengths are in pixels of the original picture, so its shape is taken into account. {COORDINATES}"
    takes: ClassVar[Mapping[str, Any]] = {
        "points": {"type": "array", "items": POINT, "minItems": 2, "maxItems": MOST, "description": "[[x, y], [x, y], ...]"},
        "closed": {"type": "boolean", "description": "Whether the last point is joined to the first."},
        "picture": PICTURE,
    }
    needs = ("points",)

    def look(self, arguments: Mapping[str, Any]) -> Sight:
        remarks: list[str] = []
        points = points_asked(arguments["points"], remarks, 2, MOST)
        closed = flag(arguments, "closed")
        if closed and len(points) < 3:
            raise Unclear("Two points enclose nothing; give at least three, or leave closed out.")
        picture, pixels = self.picture(arguments)
        around = [*points, points[0]] if closed else points
        marks = Marks(paths=[(around, "")], points=[(point, letter(index)) for index, point in enumerate(points)])
        shown = drawn(pixels, marks)
        view = View(shown, encoded(shown, self.album.side), f"picture {picture.number}, measured",
                    lambda whole: drawn(whole, marks), picture)
        original = self.album.picture(picture.original)
        return Sight(view, "\n".join(_measured(points, closed, picture, original)), tuple(remarks))


def points_asked(value: Any, remarks: list[str], least: int, most: int) -> list[Point]:
    """The points that a model wrote, at least and at most so many. Raises `Unclear`."""
    if not isinstance(value, list) or not least <= len(value) <= most:
        count = f"; these are {len(value)}" if isinstance(value, list) else ""
        raise Unclear(f"points is a list of {least} to {most} points, [[x, y], [x, y]]{count}.")
    return [point_asked(point, remarks) for point in value]


def letter(index: int) -> str:
    """A, B, ... Z, A1, B1, ..."""
    return chr(ord("A") + index % 26) + (str(index // 26) if index >= 26 else "")


def _measured(points: Sequence[Point], closed: bool, picture: Picture, original: Picture) -> list[str]:
    """What there is to say of the points, a line each."""
    there = [picture.to_original(point) for point in points]
    spots = [(x / SPAN * original.width, y / SPAN * original.height) for x, y in there]
    steps = [(index, (index + 1) % len(spots)) for index in range(len(spots) if closed else len(spots) - 1)]
    said = [f"{letter(index)} is {at(point)} of picture {original.number}." for index, point in enumerate(there)]
    for start, end in steps:
        (x1, y1), (x2, y2) = spots[start], spots[end]
        across, down = x2 - x1, y2 - y1
        length = math.hypot(across, down)
        aside, along = "right" if across >= 0 else "left", "down" if down >= 0 else "up"
        course = f", {math.degrees(math.atan2(-down, across)) % 360:.1f} degrees counter-clockwise from right" if length else ""
        said.append(f"{letter(start)} to {letter(end)}: {length:.1f} pixels ({abs(across):.1f} {aside}, {abs(down):.1f} {along})"
                    f"{course}.")
    for (before, _), (corner, after) in zip(steps, steps[1:] + steps[:1] if closed else steps[1:], strict=False):
        angle = _angle(spots[before], spots[corner], spots[after])
        if angle is not None:
            said.append(f"Angle at {letter(corner)}: {angle:.1f} degrees.")
    if len(steps) > 1:
        said.append(f"{'Around' if closed else 'In all'}: {sum(math.dist(spots[a], spots[b]) for a, b in steps):.1f} pixels.")
    if closed:
        whole = original.width * original.height
        said.append(f"Area: {area(spots):.0f} square pixels, {area(spots) / whole:.2%} of the picture.")
    return said


def _angle(before: Point, corner: Point, after: Point) -> float | None:
    """Degrees from 0 to 180 between two sides; None where one of them has no length."""
    (ax, ay), (bx, by) = ((end[0] - corner[0], end[1] - corner[1]) for end in (before, after))
    lengths = math.hypot(ax, ay) * math.hypot(bx, by)
    return math.degrees(math.acos(max(-1.0, min(1.0, (ax * bx + ay * by) / lengths)))) if lengths else None


def area(corners: Sequence[Point]) -> float:
    """Of a polygon, by the shoelace formula; of one that crosses itself, what its parts leave over."""
    turns = zip(corners, (*corners[1:], corners[0]), strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in turns)) / 2
