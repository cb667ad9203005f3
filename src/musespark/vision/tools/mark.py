"""Mark: boxes, points and paths drawn on a picture, with labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from musespark.vision.album import View
from musespark.vision.coordinates import Box, Unclear, box_asked, point_asked
from musespark.vision.draw.marks import Marks, drawn
from musespark.vision.resize import encoded
from musespark.vision.tools.vision_tool import BOX, COORDINATES, PICTURE, POINT, Sight, ThreadedLook
from musespark.vision.tools.measure import points_asked

MOST = 100
"""Boxes, points or paths of one call."""
LONGEST_LABEL = 60
"""Characters."""

_Mark = TypeVar("_Mark")


class Mark(ThreadedLook):
    """The tool `mark`."""

    name = "mark"
    does = "Draws boxes, points and paths on a picture, with labels, and shows it: to check where something is, to count without " \
           f"losing track, to trace a way. {COORDINATES}"
    takes: ClassVar[Mapping[str, Any]] = {
        "boxes": {"type": "array", "items": BOX, "maxItems": MOST, "description": "[[x1, y1, x2, y2], ...]"},
        "points": {"type": "array", "items": POINT, "maxItems": MOST, "description": "[[x, y], ...]"},
        "paths": {"type": "array", "items": {"type": "array", "items": POINT, "minItems": 2}, "maxItems": MOST,
                  "description": "Each a list of points: [[[x, y], [x, y]], ...]"},
        "labels": {"type": "array", "items": {"type": "string"}, "description": "A text for each box, then for each point, then "
                                                                                "for each path; numbers where left out."},
        "picture": PICTURE,
    }

    def look(self, arguments: Mapping[str, Any]) -> Sight:
        remarks: list[str] = []
        boxes = _several(arguments, "boxes", lambda value: box_asked(value, remarks))
        points = _several(arguments, "points", lambda value: point_asked(value, remarks))
        paths = _several(arguments, "paths", lambda value: points_asked(value, remarks, 2, 1000))
        count = len(boxes) + len(points) + len(paths)
        if not count:
            raise Unclear("Say what to mark: boxes, points or paths.")
        labels = iter(_labels(arguments, count, remarks))
        marks = Marks([(box, next(labels)) for box in boxes], [(point, next(labels)) for point in points],
                      [(path, next(labels)) for path in paths])
        picture, pixels = self.picture(arguments)
        shown = drawn(pixels, marks)
        view = View(shown, encoded(shown, self.album.side), f"picture {picture.number}, with {_told(boxes, points, paths)} marked",
                    lambda whole: drawn(whole, marks), picture)
        return Sight(view, remarks=tuple(remarks))


def _several(arguments: Mapping[str, Any], name: str, read: Callable[[Any], _Mark]) -> list[_Mark]:
    value = arguments.get(name, [])
    if not isinstance(value, list) or len(value) > MOST:
        raise Unclear(f"{name} is a list of at most {MOST}.")
    return [read(one) for one in value]


def _labels(arguments: Mapping[str, Any], count: int, remarks: list[str]) -> list[str]:
    given = arguments.get("labels", [])
    if not isinstance(given, list) or not all(isinstance(label, str) for label in given):
        raise Unclear("labels is a list of texts.")
    if len(given) > count:
        remarks.append(f"There are {len(given)} labels for {count} marks; the last were left out.")
    if any(len(label) > LONGEST_LABEL for label in given):
        remarks.append(f"Labels were cut to {LONGEST_LABEL} characters.")
    cut = [" ".join(label.split())[:LONGEST_LABEL] for label in given[:count]]
    return [*cut, *(str(number) for number in range(len(cut) + 1, count + 1))]


def _told(boxes: list[Box], points: list[Any], paths: list[Any]) -> str:
    counts = [f"{len(marks)} {many if len(marks) > 1 else one}"
              for one, many, marks in (("box", "boxes", boxes), ("point", "points", points), ("path", "paths", paths)) if marks]
    return " and ".join(counts)
