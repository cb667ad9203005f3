"""Messages made of parts, and the request that carries them to a model.

Pure frozen values without ids or storage, so that messages compare, hash and replay for free. Every part can name the model that
made it; an adapter uses that to drop parts that another provider would not understand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from musespark.errors import (
    BadImage,
    BadOption,
    EmptyQuestion,
    MissingFile,
    QuestionTooLong,
    UnknownMode,
)
from musespark.sampling import Sampling

MAX_QUESTION = 4_000_000
"""Characters of text in one request."""
MAX_IMAGE_BYTES = 20_000_000
MAX_IMAGES = 16
MAX_VIDEOS = 4
MAX_THREADS = 64
ANY_OBJECT = '{"type": "object"}'
"""JSON schema of JSON mode: any object."""
THREADS = 12
"""Default limit of threads or sub-agents: the number of first moves with three numbers in Countdown."""


class Mode(StrEnum):
    """Amount of thought for an answer."""

    INSTANT = "instant"
    THINKING = "thinking"
    CONTEMPLATING = "contemplating"

    @classmethod
    def named(cls, name: str) -> Mode:
        """Look up a mode by name. Raises `UnknownMode`."""
        try:
            return cls(name)
        except ValueError:
            raise UnknownMode(name) from None


class Effort(StrEnum):
    """Amount of reasoning before the answer: a scale that is mapped to each provider's own steps."""

    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    MAX = "max"

    @classmethod
    def named(cls, name: str) -> Effort:
        """Look up an effort by name. Raises `BadOption`."""
        try:
            return cls(name)
        except ValueError:
            raise BadOption("effort", name, f"one of {', '.join(cls)}") from None


Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


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


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...]

    @classmethod
    def user(cls, *parts: Part | str) -> Self:
        """Make a message of a person; a bare string is text."""
        return cls("user", tuple(Text(part) if isinstance(part, str) else part for part in parts))

    @property
    def text(self) -> str:
        """Text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def images(self) -> tuple[Image, ...]:
        """Images, in order."""
        return tuple(part for part in self.parts if isinstance(part, Image))

    @property
    def videos(self) -> tuple[Video, ...]:
        """Videos, in order."""
        return tuple(part for part in self.parts if isinstance(part, Video))

    def as_images(self, whole: Callable[[Video], bool] | None = None) -> Self:
        """Replace every video by its caption and its contact sheet, except those for which `whole` is true."""
        if not self.videos:
            return self
        shown: list[Part] = []
        for part in self.parts:
            if isinstance(part, Video) and (whole is None or not whole(part)):
                shown += [Text(part.caption, part.made_by), part.sheet]
            else:
                shown.append(part)
        return replace(self, parts=tuple(shown))


def signed_again(parts: Iterable[Part], signed: Iterable[Part]) -> tuple[Part, ...]:
    """Restore the signatures of a reply that a client sent back: signed thoughts first, equal texts and calls replaced."""
    known = tuple(signed)
    texts = {part.text: part for part in known if isinstance(part, Text)}
    calls = {part.id: part for part in known if isinstance(part, ToolCall)}
    given = tuple(parts)
    thoughts = tuple(part for part in (*known, *given) if isinstance(part, Thinking))

    def again(part: Part) -> Part:
        match part:
            case Text():
                return texts.get(part.text, part)
            case ToolCall() if part.id in calls and calls[part.id].name == part.name:
                return replace(
                    part, made_by=calls[part.id].made_by, signature=calls[part.id].signature
                )
        return part

    return (*thoughts, *(again(part) for part in given if not isinstance(part, Thinking)))


_NO_SAMPLING = Sampling()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question for a model. It validates itself: a `Request` that exists is well formed.

    Raises the kinds of `BadInput`: `EmptyQuestion`, `QuestionTooLong`, `UnknownMode`, `BadOption`.
    """

    messages: tuple[Message, ...]
    mode: Mode = Mode.CONTEMPLATING
    threads: int = THREADS
    """Limit of spawned agents; the first agent of a run is not counted."""
    seed: int | None = None
    """The same seed gives the same answer, if the model supports it; None leaves it to the model."""
    max_tokens: int | None = None
    """Limit of one agent's reply; a native model's threads share it. None leaves it to the model and the budget. The tokens of all
    agents together are limited by the budget."""
    temperature: float | None = None
    """0 is greedy; None leaves it to the model."""
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    """Texts that end the answer, themselves left out."""
    effort: Effort | None = None
    """None leaves it to the model."""
    tools: tuple[ToolSpec, ...] = ()
    """Tools that the model may call. An agent runs the tools it holds; calls of other tools are its answer."""
    tool_choice: str = "auto"
    """`auto`, `none`, `required`, or the name of the one tool to call."""
    schema: str | None = None
    """A JSON schema, as text, that the answer must satisfy."""
    schema_name: str = "answer"
    schema_strict: bool | None = None
    """True if the provider is to hold the model to the schema; None leaves it to the provider."""
    json_mode: bool = False
    """True if the answer is any JSON object (`schema` is `ANY_OBJECT` then), and providers are asked for JSON mode."""
    sampling: Sampling = _NO_SAMPLING
    """Further options, which some models know."""

    @classmethod
    def of(
        cls,
        question: str,
        images: Iterable[Image] = (),
        videos: Iterable[Video] = (),
        **options: Any,
    ) -> Self:
        """Make a request with one question: images first, then the text, as most models were trained."""
        return cls(messages=(Message.user(*videos, *images, question),), **options).checked()

    def checked(self) -> Self:
        """Return the request if a person's input is within the limits. Raises `QuestionTooLong` or `BadOption`.

        For input only: messages between agents are limited elsewhere.
        """
        characters = sum(_characters(part) for message in self.messages for part in message.parts)
        if characters > MAX_QUESTION:
            raise QuestionTooLong(characters, MAX_QUESTION)
        if len(self.images) > MAX_IMAGES:
            raise BadOption("images", len(self.images), f"at most {MAX_IMAGES} pictures")
        if len(self.videos) > MAX_VIDEOS:
            raise BadOption("videos", len(self.videos), f"at most {MAX_VIDEOS} videos")
        return self

    @property
    def question(self) -> str:
        """Text of the last message of a person."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def images(self) -> tuple[Image, ...]:
        """Images of the conversation, in order."""
        return tuple(image for message in self.messages for image in message.images)

    @property
    def videos(self) -> tuple[Video, ...]:
        """Videos of the conversation, in order."""
        return tuple(video for message in self.messages for video in message.videos)

    def as_images(self, whole: Callable[[Video], bool] | None = None) -> Self:
        """Replace every video by its caption and its contact sheet, except those for which `whole` is true."""
        return (
            replace(self, messages=tuple(message.as_images(whole) for message in self.messages))
            if self.videos
            else self
        )

    def _has_question(self) -> bool:
        """Return True if the last message of a person has text, an image or a video."""
        last = next((m for m in reversed(self.messages) if m.role == "user"), None)
        return last is not None and bool(last.text.strip() or last.images or last.videos)

    def __post_init__(self) -> None:
        # Callers may pass a plain string; the field always holds a Mode.
        object.__setattr__(self, "mode", Mode.named(self.mode))
        if self.effort is not None:
            object.__setattr__(self, "effort", Effort.named(self.effort))
        if not self._has_question():
            raise EmptyQuestion
        _whole("threads", self.threads, 1, MAX_THREADS)
        if self.seed is not None:
            _whole("seed", self.seed, 0, 2**63 - 1)
        if self.max_tokens is not None:
            _whole("max_tokens", self.max_tokens, 1, 10**9)
        for option in ("temperature", "top_p"):
            value = getattr(self, option)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int | float)
            ):
                raise BadOption(option, value, "a number")
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise BadOption("temperature", self.temperature, "between 0 and 2")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise BadOption("top_p", self.top_p, "greater than 0 and at most 1")
        names = [tool.name for tool in self.tools]
        if len(set(names)) < len(names):
            raise BadOption("tools", ", ".join(names), "of different names")
        if self.tool_choice not in ("auto", "none", "required", *names):
            raise BadOption(
                "tool_choice",
                self.tool_choice,
                "auto, none, required or the name of one of the tools",
            )
        if self.schema is not None and not _is_schema(self.schema):
            raise BadOption("schema", self.schema[:80], "a JSON schema of an object, as JSON text")
        if self.json_mode:
            object.__setattr__(self, "schema", ANY_OBJECT)


def _characters(part: Part) -> int:
    """Number of characters of text in a part."""
    match part:
        case Text() | Thinking():
            return len(part.text)
        case ToolCall():
            return len(part.arguments)
        case ToolResult():
            return sum(_characters(each) for each in part.content)
    return 0


def _is_schema(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _whole(option: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadOption(option, value, f"a whole number from {low} to {high}")
