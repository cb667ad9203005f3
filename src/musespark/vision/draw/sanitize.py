"""SVG as a model wrote it, made safe: parsed here, and only what draws is written anew.

A renderer may read files that a drawing names, and some run what it holds. What comes out of here has shapes, text, gradients,
patterns, masks and clips, and references to parts of itself; there is no script, no style sheet, no embedded picture or foreign
content, no entity and no address in it. What was left out is told.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from musespark.vision.coordinates import SPAN, Unclear

LONGEST = 200_000
"""Characters of a drawing."""
MOST_ELEMENTS = 20_000
DEEPEST = 64
SVG = "http://www.w3.org/2000/svg"
_LINK = "http://www.w3.org/1999/xlink"
_DRAWN = frozenset(
    "svg g a defs symbol use switch path rect circle ellipse line polyline polygon text tspan textPath linearGradient "
    "radialGradient stop pattern clipPath mask marker title desc".split())
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z-]*[0-9]?")
_REFERENCES = re.compile(r"url\s*\(", re.I)
_OWN = re.compile(r"url\(\s*(['\"]?)#[\w.:-]+\1\s*\)")
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:px)?\s*")
_SIDES = 1e6
"""The longest side of a drawing, in its own units."""
_SHAPE = 20.0
"""The longer side is at most so many times the shorter one."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing that is safe to render."""

    svg: str
    width: float
    height: float
    """Its shape, in its own units."""
    remarks: tuple[str, ...]

    def sized(self, width: int, height: int) -> str:
        """The drawing as it is to be rendered, in pixels."""
        return self.svg.replace("<svg ", f'<svg width="{width}" height="{height}" ', 1)


def safe(text: str, *, over: bool = False) -> Drawing:
    """The drawing with what draws alone. Raises `Unclear` where it is no SVG, too large, or declares entities.

    over: it goes over a picture, so its coordinates are the picture's.
    """
    if len(text) > LONGEST:
        raise Unclear(f"The drawing has {len(text):,} characters; at most {LONGEST:,} are read.")
    writer = _Writer(over)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = writer.doctype
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.characters
    try:
        parser.Parse(text.strip().encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise Unclear(f"The drawing is not well-formed XML: {expat.ErrorString(error.code)} in line {error.lineno}, column "
                      f"{error.offset + 1}.") from None
    return writer.drawing()


class _Writer:
    """Writes what passes, element by element."""

    def __init__(self, over: bool) -> None:
        self._over = over
        self._out: list[str] = []
        self._open: list[str] = []
        self._left_out = 0
        """How deep it is within something that is left out."""
        self._elements = 0
        self._dropped: dict[str, None] = {}
        self._size = (SPAN, SPAN)

    def doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        """A document type alone is harmless and ignored; one that declares something is not read."""
        if internal:
            raise Unclear("The drawing declares entities; write it without a DOCTYPE.")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Write an element's beginning, or leave it out with all it holds."""
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise Unclear(f"The drawing has more than {MOST_ELEMENTS:,} elements; draw less.")
        if len(self._open) + self._left_out > DEEPEST:
            raise Unclear(f"The drawing is nested more than {DEEPEST} deep; draw it flatter.")
        namespace, _, name = tag.rpartition(" ")
        if self._left_out or namespace not in (SVG, "") or name not in _DRAWN:
            if not self._left_out:
                self._dropped.setdefault(f"<{name[:30]}>")
            self._left_out += 1
            return
        if not self._open:
            self._begin(name, attributes)
        else:
            self._out.append(f"<{name}{''.join(self._kept(attributes))}>")
        self._open.append(name)

    def end(self, tag: str) -> None:
        """Write an element's end."""
        if self._left_out:
            self._left_out -= 1
        else:
            self._out.append(f"</{self._open.pop()}>")

    def characters(self, text: str) -> None:
        """Write text."""
        if not self._left_out:
            self._out.append(escape(text))

    def drawing(self) -> Drawing:
        """What was written."""
        if not self._out:
            raise Unclear("This is no SVG: it must begin with <svg>.")
        named = list(self._dropped)
        more = " and others" if len(named) > 8 else ""
        remarks = [f"Left out of the drawing: {', '.join(named[:8])}{more}. Only shapes and text are drawn; nothing is run, "
                   "embedded or fetched."] if named else []
        return Drawing("".join(self._out), *self._size, tuple(remarks))

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name != "svg":
            raise Unclear("This is no SVG: it must begin with <svg>.")
        left, top, width, height = (0.0, 0.0, SPAN, SPAN) if self._over else _view_box(attributes)
        self._size = (width, height)
        rest = {key: value for key, value in attributes.items()
                if key not in ("width", "height", "viewBox", "x", "y", "preserveAspectRatio", "version")}
        fit = ' preserveAspectRatio="none"' if self._over else ""
        box = f"{left:.10g} {top:.10g} {width:.10g} {height:.10g}"
        self._out.append(f'<svg xmlns="{SVG}" xmlns:xlink="{_LINK}" viewBox="{box}"{fit}{"".join(self._kept(rest))}>')

    def _kept(self, attributes: dict[str, str]) -> Any:
        for key, value in attributes.items():
            namespace, _, name = key.rpartition(" ")
            if name == "href" and namespace in ("", _LINK):
                if re.fullmatch(r"#[\w.:-]+", value.strip()):
                    yield f" xlink:href={quoteattr(value.strip())}"
                else:
                    self._dropped.setdefault("references to elsewhere")
            elif namespace in ("", SVG) and _ATTRIBUTE.fullmatch(name) and not name.lower().startswith("on") and name != "src":
                if _REFERENCES.search(_OWN.sub("", value)) or any(mark in value for mark in ("\\", "@", "/*")):
                    self._dropped.setdefault("references to elsewhere")
                else:
                    yield f" {name}={quoteattr(value)}"
            elif name.lower().startswith("on"):
                self._dropped.setdefault("scripts")


def _view_box(attributes: dict[str, str]) -> tuple[float, float, float, float]:
    """Left, top, width and height of what is drawn: the viewBox, else width and height, else 0 to 1000 each way."""
    numbers = [_number(each) for each in re.split(r"[\s,]+", attributes.get("viewBox", "").strip())]
    if len(numbers) == 4 and all(number is not None for number in numbers):
        left, top, width, height = (number or 0.0 for number in numbers)
    else:
        left, top = 0.0, 0.0
        width, height = (_number(attributes.get(side, "")) or SPAN for side in ("width", "height"))
    if not (0 < width <= _SIDES and 0 < height <= _SIDES and max(abs(left), abs(top)) <= _SIDES):
        raise Unclear(f"The drawing's size is not between 0 and {_SIDES:,.0f} each way; use viewBox=\"0 0 1000 1000\".")
    if max(width, height) > _SHAPE * min(width, height):
        raise Unclear(f"The drawing is more than {_SHAPE:g} times as long as wide; use viewBox=\"0 0 1000 1000\".")
    return left, top, width, height


def _number(text: str) -> float | None:
    found = _NUMBER.fullmatch(text)
    number = float(found[1]) if found else math.nan
    return number if math.isfinite(number) else None
