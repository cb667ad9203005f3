"""A conversation with how to answer it: mode, effort, tools, schema, sampling, limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal, Self, TypeAlias

from musespark.content.message import Message
from musespark.content.parts import (
    Image,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    ToolSpec,
    Video,
)
from musespark.errors import BadOption, EmptyQuestion, QuestionTooLong, UnknownMode
from musespark.sampling import Sampling

MAX_QUESTION = 4_000_000
"""Characters of text in one request."""
MAX_IMAGES = 16
MAX_VIDEOS = 4
MAX_THREADS = 64
ANY_OBJECT = '{"type": "object"}'
"""JSON schema of JSON mode: any object."""
THREADS = 12
"""Default limit of threads or sub-agents: the number of first moves with three numbers in Countdown."""


RequestStage: TypeAlias = Literal[
    "explore", "conclude", "clarify", "compare", "refine", "judge", "merge"
]
"""Work that a request asks for: an answer, one without further thought, the answer alone, a verdict on the sameness of two, an
answer in view of its rivals, a verdict on the better one, one answer from several."""


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
            raise BadOption.choice("effort", name, cls) from None


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
    stage: RequestStage = "explore"
    """Work that the request asks for. Scripted models go by it and not by the words of a prompt; no provider is sent it."""

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
            raise BadOption("images", len(self.images), f"at most {MAX_IMAGES} images")
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

    def with_defaults(self, defaults: Mapping[str, Any]) -> Self:
        """Set the options that the request leaves open, and that the defaults have."""
        chosen = {
            option: value
            for option, value in defaults.items()
            if getattr(self, option) in (None, ())
        }
        return replace(self, **chosen) if chosen else self

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
