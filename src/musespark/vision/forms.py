"""Boxes and points in the forms in which models send them, as lists of numbers.

A box may come as text, as an object with named edges or with a corner or a centre and a size, as two points or four corners; a
point as text or as an object. Anything else is returned as it is, for the checks of `musespark.vision.coordinates`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from musespark.tools.arguments import find_numbers, parse_json, to_number

_X = ("x", "left", "cx")
_Y = ("y", "top", "cy")
_EDGES = (
    ("x1", "y1", "x2", "y2"),
    ("x0", "y0", "x1", "y1"),
    ("left", "top", "right", "bottom"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("min_x", "min_y", "max_x", "max_y"),
    ("minx", "miny", "maxx", "maxy"),
    ("x_start", "y_start", "x_end", "y_end"),
    ("start_x", "start_y", "end_x", "end_y"),
    ("l", "t", "r", "b"),
)
"""Names of the four edges, in the order of a box."""
_CORNERS = (
    ("top_left", "bottom_right"),
    ("topleft", "bottomright"),
    ("tl", "br"),
    ("min", "max"),
    ("start", "end"),
    ("from", "to"),
    ("p1", "p2"),
)
_SIZES = (("width", "height"), ("w", "h"))
_ORIGINS = (("x", "y"), ("left", "top"), ("x1", "y1"), ("xmin", "ymin"))
_CENTRES = (
    ("cx", "cy"),
    ("center_x", "center_y"),
    ("centre_x", "centre_y"),
    ("x_center", "y_center"),
)
_INNER = (
    "box",
    "bbox",
    "bounding_box",
    "bbox_2d",
    "region",
    "rect",
    "coordinates",
    "points",
    "point",
)
BOX_NAMES = frozenset(
    name
    for names in (*_EDGES, *_SIZES, *_ORIGINS, *_CORNERS)
    for name in names
    if name not in ("from", "to", "l", "t", "r", "b")
)
"""Names of a box's parts; a model may send them as arguments of their own."""


def to_box(value: Any) -> Any:
    """Return a box as a list of four numbers, if it can be read as one."""
    value = _parsed(value)
    if isinstance(value, dict):
        return _box_of(value, value)
    if not isinstance(value, list | tuple):
        return value
    if len(value) == 1 and isinstance(value[0], list | tuple | dict | str):
        return to_box(value[0])
    if len(value) == 2:
        points = [to_point(each) for each in value]
        if all(_is_pair(point) for point in points):
            return [*points[0], *points[1]]
    if len(value) == 4 and all(_is_pair(point) for point in map(to_point, value)):
        return _around([each for point in map(to_point, value) for each in point])
    numbers = _to_numbers(value)
    is_polygon = len(numbers) == 8 and all(isinstance(each, int | float) for each in numbers)
    return _around(numbers) if is_polygon else numbers


def _around(numbers: Sequence[float]) -> list[float]:
    """The box around four corners, which come as x and y in turn."""
    xs, ys = numbers[::2], numbers[1::2]
    return [min(xs), min(ys), max(xs), max(ys)]


def _box_of(value: Mapping[str, Any], otherwise: Any) -> Any:
    named = {str(name).strip().lower().replace("-", "_"): each for name, each in value.items()}
    for names in _EDGES:
        if (edges := _pick(named, names)) is not None:
            return edges
    for first, second in _CORNERS:
        if first in named and second in named:
            return to_box([named[first], named[second]])
    for origin in _ORIGINS:
        for size in _SIZES:
            if (found := _pick(named, (*origin, *size))) is not None:
                left, top, width, height = found
                return [left, top, left + width, top + height]
    for centre in _CENTRES:
        for size in _SIZES:
            if (found := _pick(named, (*centre, *size))) is not None:
                x, y, width, height = found
                return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    inner = next((named[name] for name in _INNER if name in named), None)
    return otherwise if inner is None else to_box(inner)


def to_point(value: Any) -> Any:
    """Return a point as a list of two numbers, if it can be read as one."""
    value = _parsed(value)
    if isinstance(value, dict):
        named = {str(name).strip().lower(): each for name, each in value.items()}
        for x, y in zip(_X, _Y, strict=True):
            if (found := _pick(named, (x, y))) is not None:
                return found
        inner = next((named[name] for name in _INNER if name in named), None)
        return value if inner is None else to_point(inner)
    if isinstance(value, list | tuple):
        if len(value) == 1 and isinstance(value[0], list | tuple | dict | str):
            return to_point(value[0])
        return _to_numbers(value)
    return value


def to_points(value: Any) -> Any:
    """Return points as a list of points, if they can be read as one: a flat list of numbers is read two by two."""
    return _to_groups(value, 2)


def to_paths(value: Any) -> Any:
    """Return paths as a list of lists of points, if they can be read as one: one path is a list of one."""
    value = _parsed(value)
    if not isinstance(value, list) or not value:
        return value
    is_path = all(isinstance(to_number(each), float) or _is_pair(to_point(each)) for each in value)
    return [to_points(value)] if is_path else value


def to_boxes(value: Any) -> Any:
    """Return boxes as a list of boxes, if they can be read as one: one box is a list of one."""
    value = _parsed(value)
    if isinstance(value, dict):
        box = to_box(value)
        return [box] if isinstance(box, list) else value
    return _to_groups(value, 4)


def _to_groups(value: Any, size: int) -> Any:
    value = _parsed(value, size)
    if isinstance(value, dict):
        inner = next((value[name] for name in _INNER if name in value), None)
        return value if inner is None else _to_groups(inner, size)
    if not isinstance(value, list | tuple):
        return value
    numbers = [_to_coordinate(each) for each in value]
    if numbers and len(numbers) % size == 0 and all(each is not None for each in numbers):
        return [numbers[at : at + size] for at in range(0, len(numbers), size)]
    return list(value)


def _parsed(value: Any, size: int = 0) -> Any:
    """A text as the JSON that it is, else as the numbers in it."""
    if not isinstance(value, str):
        return value
    found = parse_json(value)
    if found is not None:
        return found
    numbers = [each * (10 if "%" in value else 1) for each in find_numbers(value)]
    fits = len(numbers) in (2, 4, 8) if not size else bool(numbers) and len(numbers) % size == 0
    return numbers if fits else value


def _pick(named: Mapping[str, Any], names: Sequence[str]) -> list[float] | None:
    """The numbers of those names; None if one is missing."""
    numbers = [_to_coordinate(named.get(name)) for name in names]
    found = [each for each in numbers if each is not None]
    return found if len(found) == len(names) else None


def _to_coordinate(value: Any) -> float | None:
    """A number from 0 to 1000, also from a text, which may be a share in percent."""
    number = to_number(value)
    is_percent = isinstance(value, str) and value.strip().endswith("%")
    return number * 10 if is_percent and number is not None else number


def _to_numbers(value: Sequence[Any]) -> list[Any]:
    numbers = [_to_coordinate(each) for each in value]
    return [each if number is None else number for each, number in zip(value, numbers, strict=True)]


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(each, int | float) for each in value)
    )
