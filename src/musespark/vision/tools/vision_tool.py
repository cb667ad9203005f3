"""Base class of the vision tools: the image a call refers to, parameters that tools share, and the result of a call."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.content import ToolSpec
from musespark.errors import BadImage
from musespark.tools.arguments import pick_arguments, to_flag, to_number, unwrap_arguments
from musespark.tools.tool import ToolOutput
from musespark.vision.album import Album, AlbumImage, View
from musespark.vision.coordinates import WHOLE, InvalidToolArguments
from musespark.vision.forms import BOX_NAMES, to_box

if TYPE_CHECKING:
    import PIL.Image

COORDINATES = (
    "Coordinates run from 0 to 1000 each way, whatever the picture's shape: [0, 0] is its top left corner, "
    "[1000, 1000] its bottom right one. Those you give are of the picture that you name."
)
BOX: Mapping[str, Any] = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 4,
    "maxItems": 4,
}
POINT: Mapping[str, Any] = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 2,
    "maxItems": 2,
}
IMAGE: Mapping[str, Any] = {
    "type": "integer",
    "minimum": 1,
    "description": "The number of the picture; by default the one asked about.",
}


ALIASES: Mapping[str, tuple[str, ...]] = {
    "box": (
        "bbox",
        "bounding_box",
        "bbox_2d",
        "region",
        "rect",
        "rectangle",
        "area",
        "crop",
        "coordinates",
    ),
    "picture": (
        "image",
        "picture_number",
        "image_number",
        "picture_id",
        "image_id",
        "img",
        "page",
        "number",
        "index",
    ),
    "pictures": ("images", "numbers"),
    "points": ("point_list", "coordinates", "path", "polygon"),
    "degrees": ("angle", "rotation", "degree"),
    "mirror": ("mirrored", "flip"),
    "closed": ("close", "is_closed"),
    "what": (
        "query",
        "text",
        "target",
        "search",
        "pattern",
        "word",
        "label",
        "description",
        "object",
    ),
    "svg": ("drawing", "code", "content", "markup", "source"),
    "caption": ("title", "label", "description"),
    "over": ("picture", "image", "background"),
    "how": ("mode", "method", "layout"),
    "boxes": ("bboxes", "bounding_boxes", "box", "bbox", "regions"),
    "paths": ("lines", "path", "polylines"),
    "labels": ("names", "texts", "label"),
}
"""Other names that models give to arguments, by their name here."""


@dataclass(frozen=True, slots=True)
class ToolView:
    """The result of a vision tool: a view, a text, or both."""

    view: View | None = None
    text: str = ""
    remarks: tuple[str, ...] = ()
    """Differences between the arguments and what was done, a sentence each."""


class VisionTool(ABC):
    """A tool over an album, one call at a time. The model reads the text of any `InvalidToolArguments` that it raises."""

    name: ClassVar[str]
    description: ClassVar[str]
    parameters: ClassVar[Mapping[str, Any]] = {}
    """Properties of the JSON schema of its arguments."""
    required: ClassVar[tuple[str, ...]] = ()
    """Names of the required arguments."""
    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Other names that models give to arguments, beside `ALIASES`."""

    def __init__(self, album: Album) -> None:
        self.album = album

    @cached_property
    def spec(self) -> ToolSpec:
        """Name, description and parameters for the model."""
        return ToolSpec.of(
            self.name,
            self.description,
            {
                "type": "object",
                "properties": dict(self.parameters),
                "required": list(self.required),
                "additionalProperties": False,
            },
        )

    async def use(self, arguments: Mapping[str, Any]) -> ToolOutput:
        """Run the tool. Anything wrong with the arguments or the image becomes a failed output with one sentence."""
        async with self.album.lock:
            try:
                given = self._read_arguments(arguments)
                if missing := [name for name in self.required if name not in given]:
                    raise InvalidToolArguments(
                        f"{self.name} needs {' and '.join(missing)}; it takes "
                        f"{', '.join(self.parameters)}."
                    )
                return self._output(await self.run(given))
            except (InvalidToolArguments, BadImage) as error:
                return ToolOutput(str(error), failed=True)

    def _read_arguments(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by their names, in whatever form the model has sent them; others are left out."""
        aliases = {
            name: (*ALIASES.get(name, ()), *self.aliases.get(name, ())) for name in self.parameters
        }
        names = {*self.parameters, *(alias for each in aliases.values() for alias in each)}
        has_box = "box" in self.parameters
        found = unwrap_arguments(arguments, names | BOX_NAMES if has_box else names)
        given = pick_arguments(found, self.parameters, aliases)
        if has_box and "box" not in given:
            box = to_box(
                {name: value for name, value in found.items() if name.lower() in BOX_NAMES}
            )
            if isinstance(box, list):
                given["box"] = box
        return given

    @abstractmethod
    async def run(self, arguments: Mapping[str, Any]) -> ToolView:
        """Do the work off the event loop. Raises `InvalidToolArguments` and `BadImage`."""

    def source(self, arguments: Mapping[str, Any]) -> tuple[AlbumImage, PIL.Image.Image]:
        """Return the image that the arguments name, or the default one, with its pixels."""
        image = self.album.get(arguments.get("picture"))
        return image, self.album.decode(image)

    def _output(self, result: ToolView) -> ToolOutput:
        if result.view is None:
            return ToolOutput("\n".join((*result.remarks, result.text)).strip())
        entry, encoded = self.album.add(result.view)
        text = f"Picture {entry.number}: {entry.caption}, {entry.size}."
        source = result.view.source
        if source is not None and source.original != source.number:
            text = f"{text[:-1]}; it shows {entry.to_original.box(WHOLE).clamped} of picture {entry.original}."
        if not self.album.model_sees:
            text += " You cannot see it."
        return ToolOutput(
            "\n".join(filter(None, (*result.remarks, text, result.text))),
            (encoded,),
            captions=(entry.caption,),
        )


class ThreadedVisionTool(VisionTool):
    """A vision tool that computes in a worker thread."""

    async def run(self, arguments: Mapping[str, Any]) -> ToolView:
        """Call `compute` in a worker thread."""
        return await asyncio.to_thread(self.compute, arguments)

    @abstractmethod
    def compute(self, arguments: Mapping[str, Any]) -> ToolView:
        """Do the work. Raises `InvalidToolArguments` and `BadImage`."""


def parse_flag(arguments: Mapping[str, Any], name: str) -> bool:
    """Return a boolean argument; False if it is left out. Raises `InvalidToolArguments`."""
    given = arguments.get(name, False)
    value = to_flag(given)
    if value is None:
        raise InvalidToolArguments(f"{name} is true or false; this is {given!r:.60}.")
    return value


def parse_number(
    arguments: Mapping[str, Any], name: str, low: float, high: float, default: float | None = None
) -> float:
    """Return a number within bounds. Raises `InvalidToolArguments`."""
    given = arguments.get(name, default)
    value = to_number(given)
    if value is None or not low <= value <= high:
        raise InvalidToolArguments(
            f"{name} is a number from {low:g} to {high:g}; this is {given!r:.60}."
        )
    return value


def parse_text(arguments: Mapping[str, Any], name: str, max_length: int) -> str:
    """Return a text that is not blank. Raises `InvalidToolArguments`."""
    value = arguments.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise InvalidToolArguments(f"{name} is a text that is not empty.")
    if len(value) > max_length:
        raise InvalidToolArguments(
            f"{name} has {len(value):,} characters; at most {max_length:,} are read."
        )
    return value
