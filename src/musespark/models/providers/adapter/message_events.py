"""A whole reply of Anthropic's Messages as the events of a stream, for servers that do not stream."""

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
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )


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
