"""Replies of Anthropic's Messages in the form of the standard: a whole one as the events of a stream, and events with the names
and the fields that the SDK needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def to_message_events(body: bytes) -> bytes:
    """Return the events of a reply, or of an error; another body is returned as it is."""
    try:
        found = json.loads(body)
    except ValueError:
        return body
    if not isinstance(found, dict):
        return body
    if found.get("error"):
        events: list[Any] = [{"type": "error", "error": found["error"]}]
    elif isinstance(found.get("content"), list):
        events = list(_message_events(found))
    else:
        return body
    return b"".join(map(_encode, events))


class MessageNormalizer:
    """Normalizes the events of one reply, in order."""

    def __init__(self) -> None:
        self._has_end = False
        self._has_call = False
        self._written = 0

    def normalize(self, event: Any) -> bytes:
        """The event as it goes on; several if one was missing before it."""
        if not isinstance(event, dict):
            return b""
        kind = event.setdefault("type", "error" if event.get("error") else "")
        if kind == "message" and isinstance(event.get("content"), list):
            return b"".join(map(_encode, _message_events(event)))
        if kind == "message_start" and isinstance(event.get("message"), dict):
            self._complete_start(event)
        elif kind == "message_delta":
            self._complete_end(event)
        elif kind == "content_block_start" and isinstance(event.get("content_block"), dict):
            self._has_call = self._has_call or event["content_block"].get("type") == "tool_use"
        elif kind == "message_stop" and not self._has_end:
            end: dict[str, Any] = {"type": "message_delta", "delta": {"stop_reason": self._reason}}
            self._complete_end(end)
            return _encode(end) + _encode(event)
        return _encode(event)

    @property
    def _reason(self) -> str:
        return "tool_use" if self._has_call else "end_turn"

    def _complete_start(self, event: dict[str, Any]) -> None:
        fields = {"id": "", "type": "message", "role": "assistant", "model": "", "content": []}
        given = {name: value for name, value in event["message"].items() if value is not None}
        usage = {"input_tokens": 0, "output_tokens": 0, **_counts(given.get("usage"))}
        empty = {"stop_reason": None, "stop_sequence": None}
        event["message"] = {**empty, **fields, **given, "usage": usage}

    def _complete_end(self, event: dict[str, Any]) -> None:
        delta = event.get("delta")
        delta = event["delta"] = delta if isinstance(delta, dict) else {}
        delta.setdefault("stop_sequence", None)
        delta.setdefault("stop_reason", None)
        self._has_end = self._has_end or bool(delta["stop_reason"])
        usage = {"output_tokens": self._written, **_counts(event.get("usage"))}
        self._written = usage["output_tokens"]
        event["usage"] = usage


def _counts(usage: Any) -> dict[str, Any]:
    """The fields of a usage that have a value."""
    given = usage.items() if isinstance(usage, dict) else ()
    return {name: value for name, value in given if value is not None}


def _encode(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _message_events(message: dict[str, Any]) -> Iterator[Any]:
    blocks = [block for block in message["content"] if isinstance(block, dict)]
    usage = {"input_tokens": 0, "output_tokens": 0, **(message.get("usage") or {})}
    start = {"id": "", "type": "message", "role": "assistant", "model": "", **message}
    yield {
        "type": "message_start",
        "message": {**start, "content": [], "stop_reason": None, "usage": usage},
    }
    for index, block in enumerate(blocks):
        empty, delta = _emptied(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        if delta is not None:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        if block.get("signature"):
            signed = {"type": "signature_delta", "signature": block["signature"]}
            yield {"type": "content_block_delta", "index": index, "delta": signed}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": message.get("stop_reason") or "end_turn"}
    ended["stop_sequence"] = message.get("stop_sequence")
    yield {"type": "message_delta", "delta": ended, "usage": usage}
    yield {"type": "message_stop"}


def _emptied(block: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """A block as it starts, and the delta that fills it."""
    match block.get("type"):
        case "text":
            return {**block, "text": ""}, {"type": "text_delta", "text": block.get("text") or ""}
        case "thinking":
            thought = {"type": "thinking_delta", "thinking": block.get("thinking") or ""}
            return {**block, "thinking": "", "signature": ""}, thought
        case "tool_use":
            given = json.dumps(block.get("input") or {})
            return {**block, "input": {}}, {"type": "input_json_delta", "partial_json": given}
    return block, None
