"""The `Model` protocol, which every backend implements: a name, its abilities, and one stream of deltas for one request.

The deltas mirror the events (`musespark.events`) that a model can know of. Threads that a native model forks inside one call and
agents that a tool spawns for any other model therefore become the same events.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from musespark.content import Message, Request, ToolCall
from musespark.events import MAIN
from musespark.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """Abilities of a model, as data: no code tests a model's name."""

    pictures_in: bool = False
    videos_in: bool = False
    """Reads a video whole; any other model is shown its contact sheet."""
    pictures_out: bool = False
    tools: bool = False
    native_spawn: bool = False
    """Spawns and joins threads of its own within one call."""
    context: int = 4096
    """Tokens that one agent or thread can hold, including the question and the prefix it was forked from."""
    in_process: bool = False
    """Runs on this process's own cores: it is slow when they are busy, and a hedge request makes it slower."""
    one_machine: bool = False
    """Served by one machine: concurrent requests slow each other and may wait for a free slot, and a hedge request while it is busy
    makes all of them slower."""
    longest_side: int | None = None
    """Pixels of the longest side of an image that it reads in full; a larger one is scaled down before it is sent. None: any."""
    conversation: bool = False
    """Reads instructions and earlier turns; otherwise the last question only."""
    seed: bool = True
    temperature: bool = True
    top_p: bool = False
    stop: bool = False
    schema: bool = False
    """Structured output by a JSON schema."""
    effort: bool = False
    effort_none: bool = True
    """Can answer without reasoning; otherwise it reasons at least a little."""
    sampling: frozenset[str] = frozenset()
    """Fields of `musespark.sampling.Sampling` that it takes."""
    image_types: tuple[str, ...] | None = None
    """Media types of images that it reads; others are converted before they are sent. None: any."""
    tool_choice: bool = False
    """Accepts other choices of tools than `auto`."""
    usd_per_prompt_token: float = 0.0
    usd_per_token: float = 0.0
    """Price of a written token; 0 for a model on one's own machine."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """A piece of an agent's reasoning."""

    text: str
    agent: str = MAIN


@dataclass(frozen=True, slots=True)
class TextBecameThought:
    """All text of the reply so far was reasoning and no answer: a closing tag came that no opening one had announced."""


@dataclass(frozen=True, slots=True)
class ImageDelta:
    """A whole image that an agent drew."""

    image: bytes = field(repr=False)
    """Bytes of a PNG file."""
    width: int
    height: int
    caption: str = ""
    agent: str = MAIN


@dataclass(frozen=True, slots=True)
class ThreadStarted:
    """An agent spawned another. An id occurs once in a stream; the parent must be running."""

    agent: str
    parent: str
    task: str


@dataclass(frozen=True, slots=True)
class ThreadReturned:
    """A spawned agent ended and returns this text to its parent."""

    agent: str
    text: str


@dataclass(frozen=True, slots=True)
class ThreadCancelled:
    """A spawned agent was stopped before it returned."""

    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A whole tool call. The reader of the stream decides if it is run."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class VerifiedDelta:
    """The answer was checked by the backend; `by` names the checker."""

    ok: bool
    by: str


@dataclass(frozen=True, slots=True)
class AbstainedDelta:
    """The model abstains. `reason` is a clause without a full stop; the text of the answer says the same as a sentence."""

    reason: str
    refused: bool = False
    """True if it declines what was asked; the text that follows is its refusal."""


@dataclass(frozen=True, slots=True)
class UsageDelta:
    """Usage of the whole call so far, all its threads included: a running total, not an increment.

    Send it often enough that a budget can stop the call in time; `max_tokens` of the request is the hard limit. One without tokens
    announces that the prompt is about to be sent: a call that is stopped after it is booked with the estimated prompt.
    """

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a reply: it is complete, or stopped at the request's `max_tokens` or the model's own limit (`length`), or by the
    provider's filter (`filtered`), or it declines what was asked (`refused`). Nothing follows it."""

    finish_reason: Literal["finished", "length", "filtered", "refused"] = "finished"
    detail: str = ""
    """More about the end, in a few words without a full stop."""
    message: Message | None = field(default=None, repr=False)
    """The whole reply as it goes into the conversation, with signatures; None: the sum of the deltas."""
    stop: str | None = None
    """Text of the request's `stop` that ended the reply; empty if one did but the model does not say which; None if none did or
    the model does not say."""


Delta: TypeAlias = (
    TextDelta
    | ThinkingDelta
    | TextBecameThought
    | ImageDelta
    | ThreadStarted
    | ThreadReturned
    | ThreadCancelled
    | ToolCallDelta
    | VerifiedDelta
    | AbstainedDelta
    | UsageDelta
    | Finish
)


@runtime_checkable
class Openable(Protocol):
    """A model that keeps connections between calls while it is open, and none otherwise."""

    def open(self) -> AbstractAsyncContextManager[object]:
        """Keep connections until the block ends."""


def open_model(part: object) -> AbstractAsyncContextManager[object]:
    """Open a model for a block; does nothing for one that is not `Openable`."""
    # isinstance of a runtime-checkable protocol takes twenty times as long.
    opening: Callable[[], AbstractAsyncContextManager[object]] | None = getattr(part, "open", None)
    return nullcontext() if opening is None else opening()


class Model(Protocol):
    """A backend that answers requests."""

    @property
    def name(self) -> str:
        """Name for people, and provenance of the parts it makes."""

    @property
    def abilities(self) -> Abilities:
        """Abilities; constant for the model's life."""

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Make one call and yield its reply, ended by `Finish`. An async generator, so that closing it cancels the call.

        Raises `ModelFailed` if the call fails (`RateLimited` if waiting helps), and `BeyondModel` for anything in the request that
        it cannot do: it drops nothing silently. Leaves no task, thread or socket behind when it is closed or cancelled.
        """
