"""A request of any protocol, parsed, and what parsing needs: images, system messages, limits."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from musespark.content import Effort, Image, Message, Part, Request, Text, ToolCall, ToolResult
from musespark.errors import BadImage
from musespark.server.errors import RequestRefused
from musespark.server.resolve.options import TeamOptions

MAX_TOOLS = 512
MAX_MESSAGES = 4096
MAX_PARTS = 4096
"""Parts of one message."""
MAX_TOTAL_PARTS = 20_000
"""Parts of all messages together."""


@dataclass(frozen=True, slots=True)
class ToolForm:
    """Form in which a client has offered a tool, and gets its calls back."""

    name: str
    """Name that the client knows it by."""
    namespace: str | None = None
    is_custom: bool = False
    """True if its input is a text instead of an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRequest:
    """A request and how its reply is to be written."""

    model: str
    """Model name as the client wrote it."""
    request: Request
    """Request for a model; its mode and effort are set when it is resolved."""
    effort: Effort | None = None
    """Effort as requested; for a team it can mean its size."""
    conversation: tuple[Message, ...]
    """Messages that the next turn continues, without instructions for this turn alone."""
    options: TeamOptions = field(default_factory=TeamOptions)
    stream: bool = False
    usage_chunk: bool = False
    """True if the stream has usage in a chunk of its own, for protocols that offer it."""
    store: bool = True
    single_tool_call: bool = False
    """True if a reply may have one tool call at most."""
    tool_forms: Mapping[str, ToolForm] = field(default_factory=dict)
    """Forms of tools that are no plain functions, by the names under which models know them."""
    warnings: tuple[str, ...] = ()
    """Sentences about fields without effect, and about what is done otherwise."""
    strict_tools: frozenset[str] = frozenset()
    """Names of tools whose calls must match their schema."""
    include_signatures: bool = False
    """True if the reply includes what a provider wants back, for protocols that offer it."""
    previous_run: str | None = None
    """Id of the run whose conversation this one continues."""
    echo: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the request that the protocol repeats in its reply."""


def refuse_unsupported(body: Any, **accepted: tuple[Any, ...]) -> None:
    """Raise `RequestRefused` for the first field whose value is neither None nor an accepted one, which means the default."""
    for name, values in accepted.items():
        value = getattr(body, name)
        if value is not None and value not in values:
            instead = (
                f"it can be {' or '.join(map(repr, values))}, or left out"
                if values
                else "leave it out"
            )
            raise RequestRefused(
                f"{name} is not supported here; {instead}.", code="unsupported", param=name
            )


_DATA_URL = re.compile(r"\s*data:([^,]{0,200}?),", re.I)
_TO_STANDARD = str.maketrans("-_", "+/")
"""Alphabet of base64 that is safe in URLs, to the standard one."""


def load_image(url: str, fetched: Mapping[str, Image], param: str) -> Image:
    """Return the image of a data URL, or one that was fetched. Raises `RequestRefused`."""
    return fetched[url] if url in fetched else decode_image(url, param)


def decode_image(text: str, param: str) -> Image:
    """Decode an image from base64, alone or as a data URL, however it is written. Raises `RequestRefused`.

    Its first bytes say what it is, whatever its media type. Line breaks, another alphabet and missing padding are common.
    """
    found = _DATA_URL.match(text)
    if found is not None:
        text = text[found.end() :]
        if "base64" not in found[1].lower():
            raise _bad_picture("it is a data URL without base64", param)
    if "%" in text[-12:] or "%" in text[:100]:
        text = unquote(text)
    plain = "".join(text.split()).translate(_TO_STANDARD).rstrip("=")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _bad_picture("it is neither base64 nor a data URL with base64", param) from None
    try:
        return Image.from_bytes(data)
    except BadImage as error:
        raise RequestRefused(str(error), param=param, code="bad_picture") from None


def _bad_picture(reason: str, param: str) -> RequestRefused:
    return RequestRefused(f"The image cannot be read: {reason}.", param=param, code="bad_picture")


def is_remote_url(url: str) -> bool:
    """Return True if an image has to be fetched from a web server."""
    return url.lower().startswith(("http://", "https://"))


def merge_tool_results(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Merge tool results that follow each other into one turn, and drop empty messages.

    Raises `RequestRefused` for a result without a call before it, and for too many messages or parts.
    """
    found: list[Message] = []
    calls: set[str] = set()
    for message in messages:
        calls |= {part.id for part in message.parts if isinstance(part, ToolCall)}
        for part in message.parts:
            if isinstance(part, ToolResult) and part.call_id not in calls:
                raise RequestRefused(
                    f"There is a result of the call {part.call_id[:80]!r}, which no message before it made.",
                    code="unknown_call",
                    param="messages",
                )
        if message.role == "tool" and found and found[-1].role == "tool":
            found[-1] = Message("tool", (*found[-1].parts, *message.parts))
        elif message.parts:
            found.append(message)
    parts = sum(len(message.parts) for message in found)
    for noun, count, limit in (
        ("messages", len(found), MAX_MESSAGES),
        ("parts of messages", parts, MAX_TOTAL_PARTS),
    ):
        if count > limit:
            raise RequestRefused(
                f"There are {count:,} {noun}; at most {limit:,} are accepted.",
                code="too_many",
                param="messages",
            )
    return tuple(found)


def with_question(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return the messages with a person's among them: where all stands in a system message, the last of those is the question."""
    if any(message.role in ("user", "tool") for message in messages):
        return messages
    at = max((i for i, each in enumerate(messages) if each.role == "system"), default=None)
    if at is None:
        return messages
    return (*messages[:at], Message("user", messages[at].parts), *messages[at + 1 :])


def without_empty_texts(content: str | Iterable[Part]) -> tuple[Part, ...]:
    """Return the parts of a message, without empty texts."""
    parts = (Text(content),) if isinstance(content, str) else tuple(content)
    return tuple(part for part in parts if not (isinstance(part, Text) and not part.text))


def system_messages(text: str | None) -> tuple[Message, ...]:
    """Return the system message of instructions; none for an empty text."""
    return (Message("system", (Text(text),)),) if text else ()
