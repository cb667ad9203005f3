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
from musespark.tools.tool import ToolOutput
from musespark.vision.album import Album, AlbumImage, View
from musespark.vision.coordinates import WHOLE, InvalidToolArguments

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
                if unknown := sorted(arguments.keys() - self.parameters.keys()):
                    raise InvalidToolArguments(
                        f"{self.name} has no argument {unknown[0]!r:.60}; it takes "
                        f"{', '.join(self.parameters)}."
                    )
                if missing := [name for name in self.required if arguments.get(name) is None]:
                    raise InvalidToolArguments(f"{self.name} needs {' and '.join(missing)}.")
                given = {name: value for name, value in arguments.items() if value is not None}
                return self._output(await self.run(given))
            except (InvalidToolArguments, BadImage) as error:
                return ToolOutput(str(error), failed=True)

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
    value = arguments.get(name, False)
    if not isinstance(value, bool):
        raise InvalidToolArguments(f"{name} is true or false; this is {value!r:.60}.")
    return value


def parse_number(
    arguments: Mapping[str, Any], name: str, low: float, high: float, default: float | None = None
) -> float:
    """Return a number within bounds. Raises `InvalidToolArguments`."""
    value = arguments.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidToolArguments(
            f"{name} is a number from {low:g} to {high:g}; this is {value!r:.60}."
        )
    return float(value)


def parse_text(arguments: Mapping[str, Any], name: str, max_length: int) -> str:
    """Return a text that is not blank. Raises `InvalidToolArguments`."""
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InvalidToolArguments(f"{name} is a text that is not empty.")
    if len(value) > max_length:
        raise InvalidToolArguments(
            f"{name} has {len(value):,} characters; at most {max_length:,} are read."
        )
    return value
