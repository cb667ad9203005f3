"""Mark: boxes, points and paths drawn on an image, with labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from musespark.tools.arguments import parse_json
from musespark.vision.album import View
from musespark.vision.coordinates import Box, InvalidToolArguments, parse_box, parse_point
from musespark.vision.draw.marks import Marks, draw_marks
from musespark.vision.forms import to_boxes, to_paths, to_points
from musespark.vision.resize import encode_image
from musespark.vision.tools.measure import parse_points
from musespark.vision.tools.vision_tool import (
    BOX,
    COORDINATES,
    IMAGE,
    POINT,
    ThreadedVisionTool,
    ToolView,
)

MAX_MARKS = 100
"""Limit of boxes, of points and of paths of one call."""
MAX_PATH_POINTS = 1000
MAX_LABEL = 60
"""Limit of characters of a label."""

_Mark = TypeVar("_Mark")


class MarkTool(ThreadedVisionTool):
    """The tool `mark`."""

    name = "mark"
    description = (
        "Draws boxes, points and paths on a picture, with labels, and shows it: to check where something is, to count without "
        f"losing track, to trace a way. {COORDINATES}"
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "boxes": {
            "type": "array",
            "items": BOX,
            "maxItems": MAX_MARKS,
            "description": "[[x1, y1, x2, y2], ...]",
        },
        "points": {
            "type": "array",
            "items": POINT,
            "maxItems": MAX_MARKS,
            "description": "[[x, y], ...]",
        },
        "paths": {
            "type": "array",
            "items": {"type": "array", "items": POINT, "minItems": 2},
            "maxItems": MAX_MARKS,
            "description": "Each a list of points: [[[x, y], [x, y]], ...]",
        },
        "labels": {
            "type": "array",
            "items": {"type": "string"},
            "description": "A text for each box, then for each point, then "
            "for each path; numbers where left out.",
        },
        "picture": IMAGE,
    }

    def compute(self, arguments: Mapping[str, Any]) -> ToolView:
        remarks: list[str] = []
        forms = {**arguments}
        for name, read in (("boxes", to_boxes), ("points", to_points), ("paths", to_paths)):
            if name in forms:
                forms[name] = read(forms[name])
        boxes = _parse_list(forms, "boxes", lambda value: parse_box(value, remarks))
        points = _parse_list(forms, "points", lambda value: parse_point(value, remarks))
        paths = _parse_list(
            forms, "paths", lambda value: parse_points(value, remarks, 2, MAX_PATH_POINTS)
        )
        count = len(boxes) + len(points) + len(paths)
        if not count:
            raise InvalidToolArguments("Say what to mark: boxes, points or paths.")
        labels = iter(_parse_labels(arguments, count, remarks))
        marks = Marks(
            [(box, next(labels)) for box in boxes],
            [(point, next(labels)) for point in points],
            [(path, next(labels)) for path in paths],
        )
        image, pixels = self.source(arguments)
        marked = draw_marks(pixels, marks)
        caption = f"picture {image.number}, with {_count_marks(boxes, points, paths)} marked"
        view = View(
            marked,
            encode_image(marked, self.album.longest_side),
            caption,
            lambda whole: draw_marks(whole, marks),
            image,
        )
        return ToolView(view, remarks=tuple(remarks))


def _parse_list(
    arguments: Mapping[str, Any], name: str, parse: Callable[[Any], _Mark]
) -> list[_Mark]:
    value = arguments.get(name, [])
    if not isinstance(value, list) or len(value) > MAX_MARKS:
        raise InvalidToolArguments(f"{name} is a list of at most {MAX_MARKS}.")
    return [parse(one) for one in value]


def _parse_labels(arguments: Mapping[str, Any], count: int, remarks: list[str]) -> list[str]:
    given = arguments.get("labels", [])
    if isinstance(given, str):
        given = parse_json(given) or [each.strip() for each in given.split(",")]
    if isinstance(given, list):
        given = [str(label) if isinstance(label, int | float) else label for label in given]
    if not isinstance(given, list) or not all(isinstance(label, str) for label in given):
        raise InvalidToolArguments("labels is a list of texts.")
    if len(given) > count:
        remarks.append(f"There are {len(given)} labels for {count} marks; the last were left out.")
    if any(len(label) > MAX_LABEL for label in given):
        remarks.append(f"Labels were cut to {MAX_LABEL} characters.")
    cut = [" ".join(label.split())[:MAX_LABEL] for label in given[:count]]
    return [*cut, *(str(number) for number in range(len(cut) + 1, count + 1))]


def _count_marks(boxes: list[Box], points: list[Any], paths: list[Any]) -> str:
    counts = [
        f"{len(marks)} {many if len(marks) > 1 else one}"
        for one, many, marks in (
            ("box", "boxes", boxes),
            ("point", "points", points),
            ("path", "paths", paths),
        )
        if marks
    ]
    return " and ".join(counts)
