"""Find: the boxes of a text, or of regions of a colour or a simple shape, in an image."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.vision.album import View
from musespark.vision.coordinates import Box, format_point, parse_box
from musespark.vision.crop import crop_to_box
from musespark.vision.draw.marks import Marks, draw_marks
from musespark.vision.ocr.matching import EXACT, find_matches
from musespark.vision.ocr.reader import TextLine, shared_reader
from musespark.vision.regions import find_regions, parse_description
from musespark.vision.resize import encode_image
from musespark.vision.tools.vision_tool import (
    BOX,
    COORDINATES,
    IMAGE,
    ToolView,
    VisionTool,
    parse_text,
)

if TYPE_CHECKING:
    import PIL.Image

MAX_PLACES = 20
"""Limit of places in the result of one call."""
MAX_QUERY = 300
"""Limit of characters of a query."""
KNOWS = (
    "find knows no objects, only text that is written in the picture, colours (red, orange, yellow, green, cyan, blue, "
    "purple, pink, brown, black, grey, white) and plain shapes (circle, ellipse, triangle, square, rectangle, line)"
)
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|'([^']{2,})'(?!\w)")
_FILLER = re.compile(
    r"\b(the|a|an|text|word|words|button|buttons|link|links|label|labelled|labeled|tab|menu|item|heading|title|field|input|checkbox|"
    r"radio|icon|option|entry|that|says|saying|reads|reading|with|named|called|of|for)\b",
    re.I,
)
"""Words around the wanted text in a query such as "the button that says OK"."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place that matches a query."""

    box: Box
    description: str


class FindTool(VisionTool):
    """The tool `find`."""

    name = "find"
    description = (
        "Finds where something is in a picture and gives back its boxes, in the coordinates of the original picture, with the "
        "point in the middle of each. Give the text as it is written, in quotes to mean nothing but the text, or a colour "
        f"and a shape, such as 'blue circle'. {KNOWS}. {COORDINATES}"
    )
    parameters: ClassVar[Mapping[str, Any]] = {
        "what": {"type": "string", "description": "The text, or the colour and shape."},
        "box": {**BOX, "description": "Only in this region."},
        "picture": IMAGE,
    }
    required = ("what",)

    async def run(self, arguments: Mapping[str, Any]) -> ToolView:
        return await shared_reader().run(self.compute, arguments)

    def compute(self, arguments: Mapping[str, Any]) -> ToolView:
        remarks: list[str] = []
        query = parse_text(arguments, "what", MAX_QUERY)
        box = parse_box(arguments["box"], remarks) if "box" in arguments else None
        image, pixels = self.source(arguments)
        cropped, to_source, _ = crop_to_box(pixels, box)
        places = find_places(query, cropped, shared_reader().read(cropped))
        marks = Marks(
            boxes=[(place.box, str(number)) for number, place in enumerate(places[:MAX_PLACES], 1)]
        )
        marked = draw_marks(cropped, marks)
        shortened = query if len(query) <= 40 else f"{query[:40]}…"
        if not places:
            return ToolView(
                None,
                f"{shortened!r} was not found. {KNOWS}; read tells all the text.",
                tuple(remarks),
            )
        view = View(
            marked,
            encode_image(marked, self.album.longest_side, enlarge=box is not None),
            f"where {shortened!r} is in picture {image.number}",
            lambda whole: draw_marks(crop_to_box(whole, box)[0], marks),
            image,
            to_source,
        )
        to_original = to_source.then(image.to_original)
        listed = []
        for number, place in enumerate(places[:MAX_PLACES], 1):
            box_there = to_original.box(place.box).clamped
            listed.append(
                f"{number}. {box_there} {place.description}, middle {format_point(box_there.centre)}"
            )
        head = (
            f"{len(places)} place{'s' * (len(places) > 1)}, with boxes of picture {image.original}:"
        )
        if len(places) > MAX_PLACES:
            listed.append(f"({len(places) - MAX_PLACES} more; look in a smaller box.)")
        return ToolView(view, "\n".join((head, *listed)), tuple(remarks))


def find_places(query: str, pixels: PIL.Image.Image, lines: Sequence[TextLine]) -> list[Place]:
    """Find exact text first, then regions of the named colour and shape, then similar text; in quotes, text only."""
    quoted = [next(filter(None, groups)) for groups in _QUOTED.findall(query)]
    if quoted:
        return _find_text(quoted, lines)
    exact = _find_text([query], lines, EXACT)
    if exact:
        return exact
    description = parse_description(query)
    if description is not None:
        matching = [
            Place(region.box, f"{region.colour} {region.shape}, {region.share:.1%} of the picture")
            for region in find_regions(pixels, description)
        ]
        if matching:
            return matching
    core = " ".join(_FILLER.sub(" ", query).split())
    cores = [core] if core else []
    return _find_text(cores, lines, EXACT) or _find_text([query], lines) or _find_text(cores, lines)


def _find_text(
    wanted: Sequence[str], lines: Sequence[TextLine], min_score: float = 0.0
) -> list[Place]:
    return [
        Place(
            match.box,
            f"{match.text!r}" + (f" ({match.score:.0%} alike)" if match.score < EXACT else ""),
        )
        for each in wanted
        for match in find_matches(each, lines)
        if match.score >= min_score
    ]
