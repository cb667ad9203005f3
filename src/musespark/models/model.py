"""What every backend is to the rooms above: a name, its abilities, and one stream of deltas for one request.

The deltas mirror the events one to one where a model can know them. Threads that a native model forks inside one call and
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
    """What a model can do; data, so that nobody tests a model's name."""

    pictures_in: bool = False
    videos_in: bool = False
    """Takes a video whole; any other model is shown its contact sheet."""
    pictures_out: bool = False
    tools: bool = False
    native_spawn: bool = False
    """Contemplates by itself: it spawns and joins threads within one call."""
    context: int = 4096
    """Tokens that one line of thought can hold, the question and what it was forked from included."""
    in_process: bool = False
    """Runs on this process's own cores: it lags where they are busy, and asking it twice helps nobody."""
    one_machine: bool = False
    """Served by one machine: requests beside each other slow each other and may wait for a free slot, and asking it twice while it
    is busy makes it slower for all."""
    longest_side: int | None = None
    """Pixels of the longest side of a picture that it takes in full; a larger one is scaled down before it is sent. None: any."""
    conversation: bool = False
    """Reads instructions and earlier turns; otherwise only the last question."""
    seed: bool = True
    temperature: bool = True
    top_p: bool = False
    stop: bool = False
    schema: bool = False
    """Structured output."""
    effort: bool = False
    tool_choice: bool = False
    """Any choice of tools but `auto`."""
    usd_per_prompt_token: float = 0.0
    usd_per_token: float = 0.0
    """What written tokens cost; 0 for what runs on one's own machine."""


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
class PictureDelta:
    """A picture that an agent drew, whole."""

    picture: bytes = field(repr=False)
    """A PNG file's bytes."""
    width: int
    height: int
    caption: str = ""
    agent: str = MAIN


@dataclass(frozen=True, slots=True)
class ThreadStarted:
    """An agent spawned another. An id is used once in a stream; the parent must be running."""

    agent: str
    parent: str
    task: str


@dataclass(frozen=True, slots=True)
class ThreadReturned:
    """A spawned agent ended and hands this to its parent."""

    agent: str
    text: str


@dataclass(frozen=True, slots=True)
class ThreadCancelled:
    """A spawned agent was stopped before it returned."""

    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """The model asks for a tool, whole. Whoever reads the stream decides who runs it."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class VerifiedDelta:
    """The backend had the answer checked; `by` names what checked it."""

    ok: bool
    by: str


@dataclass(frozen=True, slots=True)
class AbstainedDelta:
    """The backend does not answer, for this reason: a clause without a full stop. Its text says the same as a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class UsageDelta:
    """What the whole call has used so far, all its threads included: a running total, not an increment.

    Send it often enough that a budget can stop the call in time; `max_tokens` of the request is the hard limit. One without tokens
    says that the prompt is about to be sent: whoever stops the call after that books the prompt as estimated.
    """

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finish:
    """The reply is complete, or stopped at the request's `max_tokens` or the model's own limit (`length`). Nothing follows it."""

    finish_reason: Literal["finished", "length"] = "finished"
    detail: str = ""
    """What more the model knows about why it stopped, in a few words without a full stop."""
    message: Message | None = field(default=None, repr=False)
    """The whole reply as it goes into the conversation, signatures included; None: what the deltas add up to."""
    stop: str | None = None
    """Which text of the request's `stop` ended the reply; empty where the model tells that one did, but not which; None where
    none did, or the model does not tell."""


Delta: TypeAlias = (TextDelta | ThinkingDelta | PictureDelta | ThreadStarted | ThreadReturned | ThreadCancelled
                    | ToolCallDelta | VerifiedDelta | AbstainedDelta | UsageDelta | Finish)


@runtime_checkable
class Openable(Protocol):
    """A model that keeps connections between calls while it is held open, and has none otherwise."""

    def open(self) -> AbstractAsyncContextManager[object]:
        """Hold it open."""


def held_open(part: object) -> AbstractAsyncContextManager[object]:
    """What holds a model open while it is used; nothing for those that are not `Openable`."""
    # A runtime-checkable protocol would take twenty times as long to ask.
    opening: Callable[[], AbstractAsyncContextManager[object]] | None = getattr(part, "open", None)
    return nullcontext() if opening is None else opening()


class Model(Protocol):
    """Anything that answers."""

    @property
    def name(self) -> str:
        """How people call it; provenance of what it makes."""

    @property
    def abilities(self) -> Abilities:
        """What it can do; constant for the model's life."""

    def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """One call, one reply, ended by `Finish`. Written as an async generator, so that closing it cancels the call.

        Raises `ModelFailed` where the call fails (`RateLimited` where waiting helps), and `BeyondModel` for anything in the
        request that it cannot do: it drops nothing silently. Leaves no task, thread or socket behind when it is closed or
        cancelled.
        """
