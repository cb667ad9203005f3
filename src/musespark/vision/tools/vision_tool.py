"""What the tools of looking have in common: which picture is meant, what a model is told of coordinates, and how a look ends."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.content import ToolSpec
from musespark.errors import BadPicture
from musespark.tools.tool import Output
from musespark.vision.album import Album, Picture, View
from musespark.vision.coordinates import WHOLE, Unclear

if TYPE_CHECKING:
    import PIL.Image

COORDINATES = "Coordinates run from 0 to 1000 each way, whatever the picture's shape: [0, 0] is its top left corner, " \
              "[1000, 1000] its bottom right one. Those you give are of the picture that you name."
BOX: Mapping[str, Any] = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
POINT: Mapping[str, Any] = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
PICTURE: Mapping[str, Any] = {"type": "integer", "minimum": 1, "description": "The number of the picture; by default the one asked "
                                                                              "about."}


@dataclass(frozen=True, slots=True)
class Sight:
    """What a tool found, and the picture of it."""

    view: View | None = None
    text: str = ""
    remarks: tuple[str, ...] = field(default=())
    """What was done otherwise than the model may think."""


class Look(ABC):
    """A tool that looks, one at a time for each album. What it raises as `Unclear` the model reads."""

    name: ClassVar[str]
    does: ClassVar[str]
    """What the model is told about it."""
    takes: ClassVar[Mapping[str, Any]] = {}
    """Its parameters, as properties of a JSON schema."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Those that may not be left out."""

    def __init__(self, album: Album) -> None:
        self.album = album

    @cached_property
    def spec(self) -> ToolSpec:
        """What the model is told."""
        return ToolSpec.of(self.name, self.does, {"type": "object", "properties": dict(self.takes), "required": list(self.needs),
                                                  "additionalProperties": False})

    async def use(self, arguments: Mapping[str, Any]) -> Output:
        """Look. Whatever is wrong with the arguments, or with the picture, is a failed output that says so in a sentence."""
        async with self.album.lock:
            try:
                if unknown := sorted(arguments.keys() - self.takes.keys()):
                    raise Unclear(f"{self.name} has no argument {unknown[0]!r:.60}; it takes {', '.join(self.takes)}.")
                if missing := [name for name in self.needs if arguments.get(name) is None]:
                    raise Unclear(f"{self.name} needs {' and '.join(missing)}.")
                given = {name: value for name, value in arguments.items() if value is not None}
                sight = await self.looked(given)
                return self._shown(sight)
            except (Unclear, BadPicture) as error:
                return Output(str(error), failed=True)

    @abstractmethod
    async def looked(self, arguments: Mapping[str, Any]) -> Sight:
        """What there is to see. Raises `Unclear` and `BadPicture`."""

    def picture(self, arguments: Mapping[str, Any], name: str = "picture") -> tuple[Picture, PIL.Image.Image]:
        """The picture that is meant, and its pixels."""
        picture = self.album.picture(arguments.get(name))
        return picture, self.album.pixels(picture)

    def _shown(self, sight: Sight) -> Output:
        if sight.view is None:
            return Output("\n".join((*sight.remarks, sight.text)).strip())
        picture, image = self.album.add(sight.view)
        text = f"Picture {picture.number}: {picture.caption}, {picture.size}."
        of = sight.view.of
        if of is not None and of.original != of.number:
            text = f"{text[:-1]}; it shows {picture.to_original.box(WHOLE).held} of picture {picture.original}."
        if not self.album.sees:
            text += " You cannot see it."
        return Output("\n".join(filter(None, (*sight.remarks, text, sight.text))), (image,), captions=(picture.caption,))


class ThreadedLook(Look):
    """A tool that computes in a thread."""

    async def looked(self, arguments: Mapping[str, Any]) -> Sight:
        """What there is to see."""
        return await asyncio.to_thread(self.look, arguments)

    @abstractmethod
    def look(self, arguments: Mapping[str, Any]) -> Sight:
        """The same, without a loop of events. Raises `Unclear` and `BadPicture`."""


def flag(arguments: Mapping[str, Any], name: str) -> bool:
    """A yes or no; no where it was left out. Raises `Unclear`."""
    value = arguments.get(name, False)
    if not isinstance(value, bool):
        raise Unclear(f"{name} is true or false; this is {value!r:.60}.")
    return value


def number(arguments: Mapping[str, Any], name: str, low: float, high: float, default: float | None = None) -> float:
    """A number within bounds. Raises `Unclear`."""
    value = arguments.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Unclear(f"{name} is a number from {low:g} to {high:g}; this is {value!r:.60}.")
    return float(value)


def text(arguments: Mapping[str, Any], name: str, most: int) -> str:
    """A text that is not blank. Raises `Unclear`."""
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Unclear(f"{name} is a text that is not empty.")
    if len(value) > most:
        raise Unclear(f"{name} has {len(value):,} characters; at most {most:,} are read.")
    return value
