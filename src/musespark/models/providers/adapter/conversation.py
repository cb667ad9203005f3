"""Messages on their way to a provider and back.

A conversation may pass through several providers. What one of them signs (thoughts, encrypted reasoning, ids of its own) is
kept as one opaque text that says whose it is, and goes back only to the same provider at the same address; any other never
sees it, nor another's thoughts. Call ids that do not suit are replaced by a hash of them, the same in a call and its result
and the same in every turn; on our side the id stays what it was.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from musespark.content import Image, Message, Part, Text, Thinking, ToolCall, ToolResult, Video

if TYPE_CHECKING:
    from pydantic_ai import messages as wire

SUITS = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Call ids that every provider takes but those that want a length of their own."""
_KEPT = ("id", "signature", "provider_name", "provider_details")
"""What pydantic-ai's parts carry for their provider alone."""


def to_provider_messages(messages: Sequence[Message], origin: str, system: str, id_length: int | None = None) -> list[wire.ModelMessage]:
    """Our messages as pydantic-ai's, for the provider at `origin`, which pydantic-ai calls `system`.

    id_length: call ids have exactly so many letters and digits; None: `SUITS` says what they may be.
    """
    from pydantic_ai.messages import ModelRequest, ModelResponse

    sent: list[wire.ModelMessage] = []
    pending: list[Any] = []
    calls = _Calls(messages, origin, id_length)
    for message in messages:
        if message.role != "assistant":
            pending += _request_parts(message, calls)
            continue
        parts = list(_response_parts(message.parts, origin, calls))
        if parts:
            if pending:
                sent.append(ModelRequest(parts=pending))
                pending = []
            sent.append(ModelResponse(parts=parts, provider_name=system if any(p.provider_name for p in parts) else None))
        # No provider takes pictures from the assistant's mouth: they follow in the next turn, said to be its own.
        pending += _drawn(message)
    if pending:
        sent.append(ModelRequest(parts=pending))
    return sent


class _Calls:
    """Every call of a conversation: the id that the provider sees, and the tool's name."""

    def __init__(self, messages: Sequence[Message], origin: str, id_length: int | None) -> None:
        calls = [part for message in messages for part in message.parts if isinstance(part, ToolCall)]
        own = {call.id for call in calls if decode_provider_state(call.signature, origin) is not None}
        self._own = own
        self._id_length = id_length
        self._suits = re.compile(f"[A-Za-z0-9]{{{id_length}}}") if id_length else SUITS
        self._names = {call.id: call.name for call in calls}

    def id(self, id: str) -> str:
        """What a provider made it gets back; everything else must suit all of them."""
        # With a bar in it, OpenAI's adapter would take it for two ids in one.
        if (id in self._own and "|" not in id) or self._suits.fullmatch(id):
            return id
        digest = hashlib.sha256(id.encode()).hexdigest()
        return digest[: self._id_length] if self._id_length else f"call_{digest[:32]}"

    def name(self, id: str) -> str:
        return self._names.get(id, "tool")


def _request_parts(message: Message, calls: _Calls) -> Iterator[Any]:
    """A system, user or tool message's parts."""
    from pydantic_ai.messages import SystemPromptPart, ToolReturnPart, UserPromptPart

    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        yield ToolReturnPart(calls.name(result.call_id), _content(result.content), calls.id(result.call_id),
                             outcome="failed" if result.failed else "success")
    if message.role == "system":
        yield SystemPromptPart(message.text)
        said: tuple[Part, ...] = message.images
    else:
        said = tuple(part for part in message.parts if isinstance(part, Text | Image | Video))
    if said:
        yield UserPromptPart(_content(said))


def _content(parts: Sequence[Part]) -> Any:
    """Text, pictures and videos in order; a plain string where there is only text."""
    from pydantic_ai.messages import BinaryContent

    if all(isinstance(part, Text) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Text))
    return [part.text if isinstance(part, Text) else BinaryContent(part.data, media_type=part.media_type)
            for part in parts if isinstance(part, Text | Image | Video)]


def _drawn(message: Message) -> Iterator[Any]:
    if not message.images:
        return
    from pydantic_ai.messages import UserPromptPart

    yield UserPromptPart(["(What you drew in your last reply.)", *_content(message.images)])


def _response_parts(parts: Sequence[Part], origin: str, calls: _Calls) -> Iterator[Any]:
    """An assistant message's parts, each with what its provider signed or with nothing of anybody's."""
    from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart

    for part in parts:
        kept = decode_provider_state(part.signature, origin) if isinstance(part, Text | Thinking | ToolCall) else None
        match part:
            case Thinking() if kept is not None:
                yield ThinkingPart(part.text, **kept)
            case Text() if part.text or kept:
                yield TextPart(part.text, **(kept or {}))
            case ToolCall():
                own = {key: value for key, value in (kept or {}).items() if key != "signature"}
                yield ToolCallPart(part.name, part.arguments, calls.id(part.id), **own)
            case _:
                pass  # a thought of another's, or a picture, which follows in the next turn


def from_provider_response(response: wire.ModelResponse, name: str, origin: str) -> Message:
    """A provider's whole reply as our message, made by the model of that name."""
    from pydantic_ai.messages import FilePart, TextPart, ThinkingPart, ToolCallPart

    parts: list[Part] = []
    for part in response.parts:
        match part:
            case TextPart():
                parts.append(Text(part.content, name, encode_provider_state(part, origin)))
            case ThinkingPart():
                parts.append(Thinking(part.content, encode_provider_state(part, origin, always=True), name))
            case ToolCallPart():
                # What the model wrote, to the letter; some providers send values and no text.
                arguments = (part.args or "{}") if isinstance(part.args, str | None) else part.args_as_json_str()
                parts.append(ToolCall(part.tool_call_id, part.tool_name, arguments, name, encode_provider_state(part, origin, always=True)))
            case FilePart() if part.content.is_image:
                parts.append(Image(part.content.data, part.content.media_type, name))
    return Message("assistant", tuple(parts))


def encode_provider_state(part: Any, origin: str, *, always: bool = False) -> str | None:
    """What a part carries for its provider, with whose it is; None where that is nothing, unless `always`."""
    kept = {key: value for key in _KEPT if (value := getattr(part, key, None)) is not None}
    if not always and not kept.keys() & {"id", "signature", "provider_details"}:
        return None
    return json.dumps({"origin": origin, **kept}, sort_keys=True, default=str)


def decode_provider_state(signature: str | None, origin: str) -> dict[str, Any] | None:
    """What `encode_provider_state` kept, where it is this provider's own; else None."""
    if signature is None:
        return None
    try:
        kept = json.loads(signature)
    except ValueError:
        return None  # some other backend's, in a form of its own
    if not isinstance(kept, dict) or kept.pop("origin", None) != origin:
        return None
    kept = {key: value for key, value in kept.items() if key in _KEPT}
    sound = all(isinstance(value, dict if key == "provider_details" else str) for key, value in kept.items())
    return kept if sound else None  # somebody on the way has altered it
