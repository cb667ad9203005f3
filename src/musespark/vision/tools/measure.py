"""Measure: distances, angles and areas between points of an image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from musespark.vision.album import AlbumImage, View
from musespark.vision.coordinates import (
    SPAN,
    InvalidToolArguments,
    Point,
    format_point,
    parse_point,
)
from musespark.vision.draw.marks import Marks, draw_marks
from musespark.vision.forms import to_points
from musespark.vision.resize import encode_image
from musespark.vision.tools.vision_tool import (
    COORDINATES,
    IMAGE,
    POINT,
    ThreadedVisionTool,
    ToolView,
    parse_flag,
)

MAX_POINTS = 64
"""Limit of points of one call."""


class MeasureTool(ThreadedVisionTool):
    """The tool `measure`."""

    name = "measure"
    description = (
        "Measures along points of a picture: each step's length, direction and the angle between steps; with closed, also the "
        f"area. Lengths are in pixels of the original picture, so its shape is taken into account. {COORDINATES}"
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "points": {
            "type": "array",
            "items": POINT,
            "minItems": 2,
            "maxItems": MAX_POINTS,
            "description": "[[x, y], [x, y], ...]",
        },
        "closed": {
            "type": "boolean",
            "description": "Whether the last point is joined to the first.",
        },
        "picture": IMAGE,
    }
    required = ("points",)

    def compute(self, arguments: Mapping[str, Any]) -> ToolView:
        remarks: list[str] = []
        points = parse_points(arguments["points"], remarks, 2, MAX_POINTS)
        closed = parse_flag(arguments, "closed")
        if closed and len(points) < 3:
            raise InvalidToolArguments(
                "Two points enclose nothing; give at least three, or leave closed out."
            )
        image, pixels = self.source(arguments)
        path = [*points, points[0]] if closed else points
        marks = Marks(
            paths=[(path, "")],
            points=[(point, point_label(index)) for index, point in enumerate(points)],
        )
        marked = draw_marks(pixels, marks)
        view = View(
            marked,
            encode_image(marked, self.album.longest_side),
            f"picture {image.number}, measured",
            lambda whole: draw_marks(whole, marks),
            image,
        )
        original = self.album.get(image.original)
        return ToolView(view, "\n".join(_report(points, closed, image, original)), tuple(remarks))


def parse_points(value: Any, remarks: list[str], min_count: int, max_count: int) -> list[Point]:
    """Check a list of points from a model's arguments. Raises `InvalidToolArguments`."""
    value = to_points(value)
    if not isinstance(value, list) or not min_count <= len(value) <= max_count:
        count = f"; these are {len(value)}" if isinstance(value, list) else ""
        raise InvalidToolArguments(
            f"points is a list of {min_count} to {max_count} points, [[x, y], [x, y]]{count}."
        )
    return [parse_point(point, remarks) for point in value]


def point_label(index: int) -> str:
    """Return the label of a point: A, B, ... Z, A1, B1, ..."""
    return chr(ord("A") + index % 26) + (str(index // 26) if index >= 26 else "")


def _report(
    points: Sequence[Point], closed: bool, image: AlbumImage, original: AlbumImage
) -> list[str]:
    """Describe positions, steps, angles, length and area, a line each, in pixels of the original."""
    there = [image.to_original(point) for point in points]
    spots = [(x / SPAN * original.width, y / SPAN * original.height) for x, y in there]
    steps = [
        (index, (index + 1) % len(spots))
        for index in range(len(spots) if closed else len(spots) - 1)
    ]
    lines = [
        f"{point_label(index)} is {format_point(point)} of picture {original.number}."
        for index, point in enumerate(there)
    ]
    for start, end in steps:
        (x1, y1), (x2, y2) = spots[start], spots[end]
        across, down = x2 - x1, y2 - y1
        length = math.hypot(across, down)
        aside, along = "right" if across >= 0 else "left", "down" if down >= 0 else "up"
        course = (
            f", {math.degrees(math.atan2(-down, across)) % 360:.1f} degrees counter-clockwise from right"
            if length
            else ""
        )
        lines.append(
            f"{point_label(start)} to {point_label(end)}: {length:.1f} pixels ({abs(across):.1f} {aside}, "
            f"{abs(down):.1f} {along}){course}."
        )
    for (before, _), (corner, after) in zip(
        steps, steps[1:] + steps[:1] if closed else steps[1:], strict=False
    ):
        angle = _angle(spots[before], spots[corner], spots[after])
        if angle is not None:
            lines.append(f"Angle at {point_label(corner)}: {angle:.1f} degrees.")
    if len(steps) > 1:
        lines.append(
            f"{'Around' if closed else 'In all'}: {sum(math.dist(spots[a], spots[b]) for a, b in steps):.1f} pixels."
        )
    if closed:
        whole = original.width * original.height
        lines.append(
            f"Area: {polygon_area(spots):.0f} square pixels, {polygon_area(spots) / whole:.2%} of the picture."
        )
    return lines


def _angle(before: Point, corner: Point, after: Point) -> float | None:
    """Return the angle between two sides, 0 to 180 degrees; None if one of them has no length."""
    (ax, ay), (bx, by) = ((end[0] - corner[0], end[1] - corner[1]) for end in (before, after))
    lengths = math.hypot(ax, ay) * math.hypot(bx, by)
    return (
        math.degrees(math.acos(max(-1.0, min(1.0, (ax * bx + ay * by) / lengths))))
        if lengths
        else None
    )


def polygon_area(corners: Sequence[Point]) -> float:
    """Return the area of a polygon by the shoelace formula; parts of one that crosses itself cancel each other."""
    turns = zip(corners, (*corners[1:], corners[0]), strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in turns)) / 2
