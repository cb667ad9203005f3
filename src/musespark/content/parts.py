"""Parts of a message: text, image, video, thinking, tool call and tool result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeAlias

from musespark.errors import BadImage, MissingFile

MAX_IMAGE_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text."""

    text: str
    made_by: str | None = None
    """Model that made the part; None for a person."""
    signature: str | None = field(default=None, repr=False)
    """Opaque text that the provider needs again with this part; dropped before another provider's model sees it."""


@dataclass(frozen=True, slots=True)
class Image:
    """An encoded image: the bytes of a file and their media type. `musespark.images` converts it to pixels and back."""

    data: bytes = field(repr=False)
    media_type: str
    made_by: str | None = None

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "", made_by: str | None = None) -> Self:
        """Make an image, with its type from its first bytes. Raises `BadImage` if they belong to no known format."""
        if not data:
            raise BadImage("it is empty", name)
        if len(data) > MAX_IMAGE_BYTES:
            raise BadImage(
                f"it has {len(data):,} bytes and at most {MAX_IMAGE_BYTES:,} are read", name
            )
        media_type = _media_type(data)
        if media_type is None:
            raise BadImage("it is not a PNG, JPEG, GIF, WebP or BMP file", name)
        return cls(data, media_type, made_by)

    @classmethod
    def from_path(cls, path: str | Path) -> Self:
        """Read an image from a file. Raises `MissingFile` or `BadImage`."""
        try:
            # One byte past the limit shows that a file is too large, without reading all of it; it may be endless.
            with open(path, "rb") as file:
                data = file.read(MAX_IMAGE_BYTES + 1)
        except FileNotFoundError:
            raise MissingFile(path) from None
        except (OSError, ValueError) as error:  # ValueError: a name with a null character
            raise MissingFile(path, getattr(error, "strerror", None) or str(error)) from error
        return cls.from_bytes(data, str(path))


def _media_type(data: bytes) -> str | None:
    """Media type by the first bytes of a file; None if they are unknown."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    for magic, media_type in _MAGIC.items():
        if data.startswith(magic):
            return media_type
    return None


_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}


@dataclass(frozen=True, slots=True)
class Video:
    """A short video: the bytes of a file, and a contact sheet for models that read only images."""

    data: bytes = field(repr=False)
    media_type: str
    sheet: Image
    """Contact sheet: numbered frames with their times."""
    caption: str
    """Description of the sheet, ended by a line break."""
    seconds: float
    made_by: str | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """A model's reasoning."""

    text: str
    signature: str | None = field(default=None, repr=False)
    made_by: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's call of a tool. Arguments stay JSON text: hashable, and exactly as the model wrote them."""

    id: str
    name: str
    arguments: str = "{}"
    made_by: str | None = None
    signature: str | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls, id: str, name: str, arguments: Mapping[str, Any], made_by: str | None = None
    ) -> Self:
        """Make a call from values; keys are sorted so that equal calls compare equal."""
        return cls(id, name, json.dumps(arguments, sort_keys=True), made_by)

    def parsed(self) -> Any:
        """Parse the arguments. Raises `json.JSONDecodeError` if the model wrote no JSON."""
        try:
            return json.loads(self.arguments)
        except RecursionError:
            raise json.JSONDecodeError("nested too deeply", self.arguments, 0) from None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """Result of the tool call with that id."""

    call_id: str
    content: tuple[Text | Image, ...]
    failed: bool = False
    made_by: str | None = None


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """Description of a tool for a model. The parameters are a JSON schema as text: hashable."""

    name: str
    description: str
    parameters: str = '{"type": "object", "properties": {}}'
    strict: bool | None = None
    """True if the provider is to hold the model to the parameters; None leaves it to the provider."""

    @classmethod
    def of(
        cls,
        name: str,
        description: str,
        parameters: Mapping[str, Any],
        strict: bool | None = None,
    ) -> Self:
        """Make a description from a JSON schema as values."""
        return cls(name, description, json.dumps(parameters), strict)


Part: TypeAlias = Text | Image | Video | Thinking | ToolCall | ToolResult
