"""Sanitising of SVG from a model: it is parsed, and only safe elements and attributes are written anew.

A renderer may read files that a drawing names, and some execute scripts in it. The sanitised drawing has shapes, text, gradients,
patterns, masks, clips, and references to parts of itself; it has no script, style sheet, embedded image, foreign content, entity or
address. Remarks name the parts that were left out.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from musespark.vision.coordinates import SPAN, InvalidToolArguments

MAX_LENGTH = 200_000
"""Limit of characters of a drawing."""
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64
SVG = "http://www.w3.org/2000/svg"
_LINK = "http://www.w3.org/1999/xlink"
_ALLOWED = frozenset(
    "svg g a defs symbol use switch path rect circle ellipse line polyline polygon text tspan textPath linearGradient "
    "radialGradient stop pattern clipPath mask marker title desc".split()
)
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z-]*[0-9]?")
_REFERENCE = re.compile(r"url\s*\(", re.I)
_OWN_REFERENCE = re.compile(r"url\(\s*(['\"]?)#[\w.:-]+\1\s*\)")
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:px)?\s*")
_MAX_SIDE = 1e6
"""Limit of a drawing's sides, in its own units."""
_MAX_ASPECT = 20.0
"""Limit of the longer side divided by the shorter one."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A sanitised drawing."""

    svg: str
    width: float
    height: float
    """Width and height in its own units: its aspect ratio."""
    remarks: tuple[str, ...]

    def with_size(self, width: int, height: int) -> str:
        """Return the SVG with a size in pixels."""
        return self.svg.replace("<svg ", f'<svg width="{width}" height="{height}" ', 1)


def sanitize_svg(text: str, *, is_overlay: bool = False) -> Drawing:
    """Return the drawing with safe elements only. is_overlay: its coordinates are those of an image that it is drawn over.

    Raises `InvalidToolArguments` if the text is not an SVG, too large, or declares entities.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidToolArguments(
            f"The drawing has {len(text):,} characters; at most {MAX_LENGTH:,} are read."
        )
    writer = _SafeWriter(is_overlay)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = writer.doctype
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.characters
    try:
        parser.Parse(text.strip().encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise InvalidToolArguments(
            f"The drawing is not well-formed XML: {expat.ErrorString(error.code)} in line {error.lineno}, "
            f"column {error.offset + 1}."
        ) from None
    return writer.finish()


class _SafeWriter:
    """Writes safe elements as the parser reports them."""

    def __init__(self, is_overlay: bool) -> None:
        self._is_overlay = is_overlay
        self._out: list[str] = []
        self._open: list[str] = []
        self._skipped_depth = 0
        """Open elements that are left out, nested within each other; 0 outside of any."""
        self._elements = 0
        self._dropped: dict[str, None] = {}
        self._size = (SPAN, SPAN)

    def doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        """Ignore a document type without declarations; refuse any other."""
        if internal:
            raise InvalidToolArguments("The drawing declares entities; write it without a DOCTYPE.")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Write an element's start tag, or skip the element with all its content."""
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise InvalidToolArguments(
                f"The drawing has more than {MAX_ELEMENTS:,} elements; draw less."
            )
        if len(self._open) + self._skipped_depth > MAX_DEPTH:
            raise InvalidToolArguments(
                f"The drawing is nested more than {MAX_DEPTH} deep; draw it flatter."
            )
        namespace, _, name = tag.rpartition(" ")
        if self._skipped_depth or namespace not in (SVG, "") or name not in _ALLOWED:
            if not self._skipped_depth:
                self._dropped.setdefault(f"<{name[:30]}>")
            self._skipped_depth += 1
            return
        if not self._open:
            self._begin(name, attributes)
        else:
            self._out.append(f"<{name}{''.join(self._safe_attributes(attributes))}>")
        self._open.append(name)

    def end(self, tag: str) -> None:
        """Write an element's end tag."""
        if self._skipped_depth:
            self._skipped_depth -= 1
        else:
            self._out.append(f"</{self._open.pop()}>")

    def characters(self, text: str) -> None:
        """Write text."""
        if not self._skipped_depth:
            self._out.append(escape(text))

    def finish(self) -> Drawing:
        """Return the finished drawing."""
        if not self._out:
            raise InvalidToolArguments("This is no SVG: it must begin with <svg>.")
        named = list(self._dropped)
        more = " and others" if len(named) > 8 else ""
        remarks = (
            [
                f"Left out of the drawing: {', '.join(named[:8])}{more}. Only shapes and text are drawn; nothing is run, "
                "embedded or fetched."
            ]
            if named
            else []
        )
        return Drawing("".join(self._out), *self._size, tuple(remarks))

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name != "svg":
            raise InvalidToolArguments("This is no SVG: it must begin with <svg>.")
        left, top, width, height = (
            (0.0, 0.0, SPAN, SPAN) if self._is_overlay else _view_box(attributes)
        )
        self._size = (width, height)
        rest = {
            key: value
            for key, value in attributes.items()
            if key not in ("width", "height", "viewBox", "x", "y", "preserveAspectRatio", "version")
        }
        fit = ' preserveAspectRatio="none"' if self._is_overlay else ""
        box = f"{left:.10g} {top:.10g} {width:.10g} {height:.10g}"
        self._out.append(
            f'<svg xmlns="{SVG}" xmlns:xlink="{_LINK}" viewBox="{box}"{fit}{"".join(self._safe_attributes(rest))}>'
        )

    def _safe_attributes(self, attributes: dict[str, str]) -> Any:
        for key, value in attributes.items():
            namespace, _, name = key.rpartition(" ")
            if name == "href" and namespace in ("", _LINK):
                if re.fullmatch(r"#[\w.:-]+", value.strip()):
                    yield f" xlink:href={quoteattr(value.strip())}"
                else:
                    self._dropped.setdefault("references to elsewhere")
            elif (
                namespace in ("", SVG)
                and _ATTRIBUTE.fullmatch(name)
                and not name.lower().startswith("on")
                and name != "src"
            ):
                if _REFERENCE.search(_OWN_REFERENCE.sub("", value)) or any(
                    mark in value for mark in ("\\", "@", "/*")
                ):
                    self._dropped.setdefault("references to elsewhere")
                else:
                    yield f" {name}={quoteattr(value)}"
            elif name.lower().startswith("on"):
                self._dropped.setdefault("scripts")


def _view_box(attributes: dict[str, str]) -> tuple[float, float, float, float]:
    """Return left, top, width and height: of the viewBox, else of the width and height attributes, else 0 to 1000 each way."""
    numbers = [_number(each) for each in re.split(r"[\s,]+", attributes.get("viewBox", "").strip())]
    if len(numbers) == 4 and all(number is not None for number in numbers):
        left, top, width, height = (number or 0.0 for number in numbers)
    else:
        left, top = 0.0, 0.0
        width, height = (_number(attributes.get(side, "")) or SPAN for side in ("width", "height"))
    if not (
        0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE and max(abs(left), abs(top)) <= _MAX_SIDE
    ):
        raise InvalidToolArguments(
            f"The drawing's size is not between 0 and {_MAX_SIDE:,.0f} each way; "
            'use viewBox="0 0 1000 1000".'
        )
    if max(width, height) > _MAX_ASPECT * min(width, height):
        raise InvalidToolArguments(
            f"The drawing is more than {_MAX_ASPECT:g} times as long as wide; "
            'use viewBox="0 0 1000 1000".'
        )
    return left, top, width, height


def _number(text: str) -> float | None:
    found = _NUMBER.fullmatch(text)
    number = float(found[1]) if found else math.nan
    return number if math.isfinite(number) else None
