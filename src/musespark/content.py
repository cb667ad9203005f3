"""What flows: messages made of parts, and the request that carries them down to a model.

Pure frozen values without ids or storage, so that messages compare, hash and replay for free. Every part can say which
model made it; an adapter uses that to drop what another provider would not understand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from musespark.errors import BadImage, BadOption, EmptyQuestion, MissingFile, QuestionTooLong, UnknownMode

MAX_QUESTION = 4_000_000
"""Characters of text in one request."""
MAX_IMAGE_BYTES = 20_000_000
MAX_IMAGES = 16
MAX_VIDEOS = 4
MAX_THREADS = 64
THREADS = 12
"""At most so many threads or sub-agents where nobody says otherwise: every first move of three numbers."""


class Mode(StrEnum):
    """How much thought an answer gets."""

    INSTANT = "instant"
    THINKING = "thinking"
    CONTEMPLATING = "contemplating"

    @classmethod
    def named(cls, name: str) -> Mode:
        """The mode of that name; raises `UnknownMode`."""
        try:
            return cls(name)
        except ValueError:
            raise UnknownMode(name) from None


class Effort(StrEnum):
    """How long a model may reason before it answers: a ladder that each provider's own steps are mapped to."""

    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    MAX = "max"

    @classmethod
    def named(cls, name: str) -> Effort:
        """The effort of that name; raises `BadOption`."""
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
    """The model that made the part; None for a person."""
    signature: str | None = field(default=None, repr=False)
    """What the provider wants to see again with this part; opaque, and dropped before another provider's model sees it."""


@dataclass(frozen=True, slots=True)
class Image:
    """An encoded picture: a file's bytes and their media type. `musespark.images` turns it into pixels and back."""

    data: bytes = field(repr=False)
    media_type: str
    made_by: str | None = None

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "", made_by: str | None = None) -> Self:
        """An image whose type is told by its first bytes; raises `BadImage` where they belong to no picture format."""
        if not data:
            raise BadImage("it is empty", name)
        if len(data) > MAX_IMAGE_BYTES:
            raise BadImage(f"it has {len(data):,} bytes and at most {MAX_IMAGE_BYTES:,} are read", name)
        media_type = _media_type(data)
        if media_type is None:
            raise BadImage("it is not a PNG, JPEG, GIF, WebP or BMP file", name)
        return cls(data, media_type, made_by)

    @classmethod
    def from_path(cls, path: str | Path) -> Self:
        """The image in a file; raises `MissingFile` or `BadImage`."""
        try:
            # One byte past the limit tells "too large" without reading all of a file that may not end.
            with open(path, "rb") as file:
                data = file.read(MAX_IMAGE_BYTES + 1)
        except FileNotFoundError:
            raise MissingFile(path) from None
        except (OSError, ValueError) as error:  # ValueError: a name with a null character
            raise MissingFile(path, getattr(error, "strerror", None) or str(error)) from error
        return cls.from_bytes(data, str(path))


def _media_type(data: bytes) -> str | None:
    """The media type that a file's first bytes declare."""
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
    """A short video: a file's bytes, and what models see of it that take only pictures. `musespark.vision.video.load` makes one."""

    data: bytes = field(repr=False)
    media_type: str
    sheet: Image
    """Frames of it, numbered, with their times."""
    caption: str
    """What the sheet shows, in words, and a line break."""
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
    """A model asks for a tool. Arguments stay JSON text: hashable, and exactly what the model wrote."""

    id: str
    name: str
    arguments: str = "{}"
    made_by: str | None = None
    signature: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, id: str, name: str, arguments: Mapping[str, Any], made_by: str | None = None) -> Self:
        """A call from ready values; keys are sorted so that equal calls are equal."""
        return cls(id, name, json.dumps(arguments, sort_keys=True), made_by)

    def parsed(self) -> Any:
        """The arguments as values; raises `json.JSONDecodeError` where the model wrote no JSON."""
        try:
            return json.loads(self.arguments)
        except RecursionError:
            raise json.JSONDecodeError("nested too deeply", self.arguments, 0) from None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back for the call with that id."""

    call_id: str
    content: tuple[Text | Image, ...]
    failed: bool = False
    made_by: str | None = None


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model is told of it. The parameters are a JSON schema as text: hashable."""

    name: str
    description: str
    parameters: str = '{"type": "object", "properties": {}}'

    @classmethod
    def of(cls, name: str, description: str, parameters: Mapping[str, Any]) -> Self:
        """A tool whose parameters are given as values."""
        return cls(name, description, json.dumps(parameters))


Part: TypeAlias = Text | Image | Video | Thinking | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...]

    @classmethod
    def user(cls, *parts: Part | str) -> Self:
        """What a person says; a bare string is text."""
        return cls("user", tuple(Text(part) if isinstance(part, str) else part for part in parts))

    @property
    def text(self) -> str:
        """The text parts, one after the other."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def images(self) -> tuple[Image, ...]:
        """The pictures, in order."""
        return tuple(part for part in self.parts if isinstance(part, Image))

    @property
    def videos(self) -> tuple[Video, ...]:
        """The videos, in order."""
        return tuple(part for part in self.parts if isinstance(part, Video))

    def as_images(self, whole: Callable[[Video], bool] | None = None) -> Self:
        """The same with every video as its caption and its sheet, except those that are taken `whole`."""
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
    """What somebody repeats of a reply, with what its provider had signed of it: thoughts in front, and whatever is the same."""
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
                return replace(part, made_by=calls[part.id].made_by, signature=calls[part.id].signature)
        return part

    return (*thoughts, *(again(part) for part in given if not isinstance(part, Thinking)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question on its way to a model. It checks itself: a `Request` that exists can be answered.

    Raises the kinds of `BadInput`: `EmptyQuestion`, `QuestionTooLong`, `UnknownMode`, `BadOption`.
    """

    messages: tuple[Message, ...]
    mode: Mode = Mode.CONTEMPLATING
    threads: int = THREADS
    """At most so many agents may be spawned; the first one, that every run has, is not counted."""
    seed: int | None = None
    """The same seed gives the same answer, from a model that has one; None leaves it to the model."""
    max_tokens: int | None = None
    """That one agent may write in a reply; a native model's threads write it together. None leaves it to the model and the budget.
    What all agents may use together is the budget's."""
    temperature: float | None = None
    """0 is greedy; None leaves it to the model."""
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    """Texts that end the answer, themselves left out."""
    effort: Effort | None = None
    """None leaves it to the model."""
    tools: tuple[ToolSpec, ...] = ()
    """What the model may call. An agent runs those it holds; calls of the others are its answer."""
    tool_choice: str = "auto"
    """`auto`, `none`, `required`, or the name of the one tool to call."""
    schema: str | None = None
    """A JSON schema, as text, that the answer must satisfy."""

    @classmethod
    def of(cls, question: str, images: Iterable[Image] = (), videos: Iterable[Video] = (), **options: Any) -> Self:
        """A request with one question: pictures first, then the text, as most models were trained to read them."""
        return cls(messages=(Message.user(*videos, *images, question),), **options).checked()

    def checked(self) -> Self:
        """The request itself, if what a person sent is within the limits; raises `QuestionTooLong` or `BadOption`.

        For the door: what agents say to each other is bounded elsewhere.
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
        """The text of the last thing a person said."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def images(self) -> tuple[Image, ...]:
        """Every picture of the conversation, in order."""
        return tuple(image for message in self.messages for image in message.images)

    @property
    def videos(self) -> tuple[Video, ...]:
        """Every video of the conversation, in order."""
        return tuple(video for message in self.messages for video in message.videos)

    def as_images(self, whole: Callable[[Video], bool] | None = None) -> Self:
        """The same for a model that takes only pictures: every video as its caption and its sheet, except those taken `whole`."""
        return replace(self, messages=tuple(message.as_images(whole) for message in self.messages)) if self.videos else self

    def __post_init__(self) -> None:
        # A plain string is a natural thing to pass; the field always holds a Mode.
        object.__setattr__(self, "mode", Mode.named(self.mode))
        if self.effort is not None:
            object.__setattr__(self, "effort", Effort.named(self.effort))
        if not self.question.strip():
            raise EmptyQuestion
        _whole("threads", self.threads, 1, MAX_THREADS)
        if self.seed is not None:
            _whole("seed", self.seed, 0, 2**63 - 1)
        if self.max_tokens is not None:
            _whole("max_tokens", self.max_tokens, 1, 10**9)
        for option in ("temperature", "top_p"):
            value = getattr(self, option)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise BadOption(option, value, "a number")
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise BadOption("temperature", self.temperature, "between 0 and 2")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise BadOption("top_p", self.top_p, "greater than 0 and at most 1")
        names = [tool.name for tool in self.tools]
        if len(set(names)) < len(names):
            raise BadOption("tools", ", ".join(names), "of different names")
        if self.tool_choice not in ("auto", "none", "required", *names):
            raise BadOption("tool_choice", self.tool_choice, "auto, none, required or the name of one of the tools")
        if self.schema is not None and not _is_schema(self.schema):
            raise BadOption("schema", self.schema[:80], "a JSON schema of an object, as JSON text")


def _characters(part: Part) -> int:
    """How much text there is in a part, whoever wrote it."""
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
