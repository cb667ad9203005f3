"""Find: where a text, or a region of a colour or a plain shape, is in a picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.vision.album import View
from musespark.vision.coordinates import Box, at, box_asked
from musespark.vision.draw.marks import Marks, drawn
from musespark.vision.resize import encoded
from musespark.vision.tools.vision_tool import BOX, COORDINATES, PICTURE, Look, Sight, text
from musespark.vision.ocr.matching import EXACT, matches
from musespark.vision.ocr.reader import Line, shared_reader
from musespark.vision.regions import described, regions
from musespark.vision.tools.zoom import cropped

if TYPE_CHECKING:
    import PIL.Image

MOST = 20
"""Places that are told of one search."""
LONGEST = 300
"""Characters of what is searched for."""
KNOWS = "find knows no objects, only text that is written in the picture, colours (red, orange, yellow, green, cyan, blue, " \
        "purple, pink, brown, black, grey, white) and plain shapes (circle, ellipse, triangle, square, rectangle, line)"
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|'([^']{2,})'(?!\w)")
_AROUND = re.compile(
    r"\b(the|a|an|text|word|words|button|buttons|link|links|label|labelled|labeled|tab|menu|item|heading|title|field|input|checkbox|"
    r"radio|icon|option|entry|that|says|saying|reads|reading|with|named|called|of|for)\b", re.I)
"""What people say around a text that they look for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Something that was found."""

    box: Box
    what: str


class Find(Look):
    """The tool `find`."""

    name = "find"
    does = "Finds where something is in a picture and gives back its boxes, in the coordinates of the original picture, with the " \
           "point in the middle of each. Give the text as it is written, in quotes to mean nothing but the text, or a colour " \
           f"and a shape, such as 'blue circle'. {KNOWS}. {COORDINATES}"
    takes: ClassVar[Mapping[str, Any]] = {
        "what": {"type": "string", "description": "The text, or the colour and shape."},
        "box": {**BOX, "description": "Only in this region."},
        "picture": PICTURE,
    }
    needs = ("what",)

    async def looked(self, arguments: Mapping[str, Any]) -> Sight:
        return await shared_reader().working(self.look, arguments)

    def look(self, arguments: Mapping[str, Any]) -> Sight:
        remarks: list[str] = []
        what = text(arguments, "what", LONGEST)
        box = box_asked(arguments["box"], remarks) if "box" in arguments else None
        picture, pixels = self.picture(arguments)
        cut, back, _ = cropped(pixels, box)
        places = found(what, cut, shared_reader().read(cut))
        marks = Marks(boxes=[(place.box, str(number)) for number, place in enumerate(places[:MOST], 1)])
        shown = drawn(cut, marks)
        shortened = what if len(what) <= 40 else f"{what[:40]}…"
        if not places:
            return Sight(None, f"{shortened!r} was not found. {KNOWS}; read tells all the text.", tuple(remarks))
        view = View(shown, encoded(shown, self.album.side, enlarge=box is not None),
                    f"where {shortened!r} is in picture {picture.number}",
                    lambda whole: drawn(cropped(whole, box)[0], marks), picture, back)
        there = back.then(picture.to_original)
        told = []
        for number, place in enumerate(places[:MOST], 1):
            whole = there.box(place.box).held
            told.append(f"{number}. {whole} {place.what}, middle {at(whole.centre)}")
        head = f"{len(places)} place{'s' * (len(places) > 1)}, with boxes of picture {picture.original}:"
        if len(places) > MOST:
            told.append(f"({len(places) - MOST} more; look in a smaller box.)")
        return Sight(view, "\n".join((head, *told)), tuple(remarks))


def found(what: str, pixels: PIL.Image.Image, lines: Sequence[Line]) -> list[Place]:
    """Where it is: as text where that is written there, else by its colour and shape, else as a text that is nearly the same."""
    quoted = [next(filter(None, found)) for found in _QUOTED.findall(what)]
    if quoted:
        return _texts(quoted, lines)
    exact = _texts([what], lines, EXACT)
    if exact:
        return exact
    description = described(what)
    if description is not None:
        shown = [Place(region.box, f"{region.colour} {region.shape}, {region.share:.1%} of the picture")
                 for region in regions(pixels, description)]
        if shown:
            return shown
    core = " ".join(_AROUND.sub(" ", what).split())
    return (_texts([core], lines, EXACT) if core else []) or _texts([what], lines) or (_texts([core], lines) if core else [])


def _texts(wanted: Sequence[str], lines: Sequence[Line], least: float = 0.0) -> list[Place]:
    return [Place(match.box, f"{match.text!r}" + (f" ({match.score:.0%} alike)" if match.score < EXACT else ""))
            for each in wanted for match in matches(each, lines) if match.score >= least]
