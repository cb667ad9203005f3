"""What a client asked, in no protocol's words."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from musespark.content import Effort, Image, Message, Part, Request, Text, ToolCall, ToolResult
from musespark.errors import BadImage
from musespark.server.failures import Refused
from musespark.server.options import TeamOptions

MAX_TOOLS = 512
MAX_MESSAGES = 4096
MAX_PARTS = 4096
"""Of one message."""
MAX_PARTS_IN_ALL = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request and how its reply is to be told."""

    model: str
    """The name as the client wrote it."""
    request: Request
    """Its mode and its effort are settled by who answers."""
    effort: Effort | None = None
    """What the client asked for; it may mean a team."""
    conversation: tuple[Message, ...]
    """What the next turn goes on from: the messages without the instructions of this turn alone."""
    team: TeamOptions = field(default_factory=TeamOptions)
    stream: bool = False
    usage_chunk: bool = False
    """Whether the stream has usage in a chunk of its own, for protocols that ask."""
    store: bool = True
    one_call: bool = False
    """Whether more than one tool call in a reply is unwanted."""
    strict: frozenset[str] = frozenset()
    """Tools whose calls must satisfy their schema."""
    seals: bool = False
    """Whether the reply holds what a provider wants to see again, for protocols that ask."""
    follows: str | None = None
    """The run whose conversation this one goes on with."""
    echo: Mapping[str, Any] = field(default_factory=dict)
    """What the protocol repeats in its reply."""


def require_neutral(body: Any, **neutral: tuple[Any, ...]) -> None:
    """Raise `Refused` for the first field that is there with a value that would mean something. None is always neutral."""
    for name, values in neutral.items():
        value = getattr(body, name)
        if value is not None and value not in values:
            instead = f"it can be {' or '.join(map(repr, values))}, or left out" if values else "leave it out"
            raise Refused(f"{name} is not supported here; {instead}.", code="unsupported", param=name)


_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.I)


def image(url: str, fetched: Mapping[str, Image], where: str) -> Image:
    """The picture of a data URL, or one that was fetched. Raises `Refused`."""
    if url in fetched:
        return fetched[url]
    found = _DATA_URL.match(url)
    if found is None:
        raise Refused("A picture is a data URL with base64 (data:image/png;base64,...).", param=where, code="bad_picture")
    return decoded(url[found.end():], where)


def decoded(text: str, where: str) -> Image:
    """The picture that is written in base64. Raises `Refused`."""
    try:
        return Image.from_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Refused(f"The picture is not base64: {error}.", param=where, code="bad_picture") from None
    except BadImage as error:
        raise Refused(str(error), param=where, code="bad_picture") from None


def is_remote(url: str) -> bool:
    """Whether a picture is somewhere else."""
    return url.lower().startswith(("http://", "https://"))


def joined(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The messages, results that follow each other made one turn. Raises `Refused` for a result of a call that nobody made."""
    found: list[Message] = []
    calls: set[str] = set()
    for message in messages:
        calls |= {part.id for part in message.parts if isinstance(part, ToolCall)}
        for part in message.parts:
            if isinstance(part, ToolResult) and part.call_id not in calls:
                raise Refused(f"There is a result of the call {part.call_id[:80]!r}, which no message before it made.",
                              code="unknown_call", param="messages")
        if message.role == "tool" and found and found[-1].role == "tool":
            found[-1] = Message("tool", (*found[-1].parts, *message.parts))
        elif message.parts:
            found.append(message)
    parts = sum(len(message.parts) for message in found)
    for what, count, most in (("messages", len(found), MAX_MESSAGES), ("parts of messages", parts, MAX_PARTS_IN_ALL)):
        if count > most:
            raise Refused(f"There are {count:,} {what}; at most {most:,} are read.", code="too_many", param="messages")
    return tuple(found)


def texts(content: str | Iterable[Part]) -> tuple[Part, ...]:
    """Parts of a message; an empty text is none."""
    parts = (Text(content),) if isinstance(content, str) else tuple(content)
    return tuple(part for part in parts if not (isinstance(part, Text) and not part.text))


def instructions(text: str | None) -> tuple[Message, ...]:
    """A system message before all others, where there is one."""
    return (Message("system", (Text(text),)),) if text else ()
