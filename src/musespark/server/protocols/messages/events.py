"""Events and errors of Anthropic's Messages."""

from __future__ import annotations

import json
from typing import Any

from musespark.server.errors import ErrorReply
from musespark.server.protocols.base import Chunk, ChunkEncoder
from musespark.server.protocols.encoder import (
    EndPiece,
    ImagePiece,
    ReasoningPiece,
    RefusalPiece,
    ReplyPiece,
    SignaturePiece,
    TextPiece,
    ToolCallPiece,
)

_ERROR_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


NO_THREADS = "thread_unsupported_request"
"""Code by which SDKs know that they have to send whole conversations."""


def error_body(reply: ErrorReply, request: str) -> Chunk:
    """Return the JSON of an error. request: an id of the request."""
    kind = _ERROR_TYPES.get(
        reply.status, "invalid_request_error" if reply.status < 500 else "api_error"
    )
    param = f" ({reply.param})" if reply.param and reply.param not in reply.message else ""
    error: Chunk = {"type": kind, "message": reply.message + param, "code": reply.code}
    if reply.code == NO_THREADS:
        error["details"] = {"error_code": NO_THREADS, "unsupported": ["thread"]}
    return {"type": "error", "error": error, "request_id": request}


class MessagesEventEncoder(ChunkEncoder):
    """Encoder of one message: content blocks one after the other, each closed before the next."""

    def __init__(self, id: str, model: str, prompt_tokens: int = 0) -> None:
        """prompt_tokens: estimate of the prompt, until its model has counted it."""
        self._id, self._model, self._prompt_tokens = id, model, prompt_tokens
        self._index = -1
        self._open = ""
        """Type of the open block; empty if none is open."""

    def start(self) -> list[Chunk]:
        """Return the events that open the message."""
        message: Chunk = {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": self._prompt_tokens, "output_tokens": 0},
        }
        return [{"type": "message_start", "message": message}, {"type": "ping"}]

    def encode(self, piece: ReplyPiece) -> list[Chunk]:
        """Return the events of a piece."""
        match piece:
            case ReasoningPiece():
                return [
                    *self._in("thinking", {"thinking": "", "signature": ""}),
                    self._delta({"type": "thinking_delta", "thinking": piece.text}),
                ]
            case TextPiece() | RefusalPiece():
                return [
                    *self._in("text", {"text": ""}),
                    self._delta({"type": "text_delta", "text": piece.text}),
                ]
            case ImagePiece():
                return []  # the protocol has no place for images; the `muse` block links to them
            case SignaturePiece():
                return [
                    *self._close(),
                    *self._in("thinking", {"thinking": "", "signature": ""}),
                    *self._close(piece.packed),
                ]
            case ToolCallPiece(call=call):
                begun = {"id": call.id, "name": call.name, "input": {}}
                return [
                    *self._close(),
                    *self._in("tool_use", begun),
                    self._delta(
                        {"type": "input_json_delta", "partial_json": _object(call.arguments)}
                    ),
                ]
            case EndPiece():
                return [
                    *self._close(),
                    {
                        "type": "message_delta",
                        "delta": _stop_delta(piece),
                        "usage": _usage(piece),
                        "muse": piece.muse,
                    },
                    {"type": "message_stop"},
                ]

    def encode_error(self, reply: ErrorReply) -> list[Chunk]:
        """Return the error event, which the SDK raises."""
        return [error_body(reply, self._id)]

    def _in(self, kind: str, begun: dict[str, Any]) -> list[Chunk]:
        """Open a block of that type, unless it is open."""
        if self._open == kind:
            return []
        closed = self._close()
        self._open = kind
        self._index += 1
        return [
            *closed,
            {
                "type": "content_block_start",
                "index": self._index,
                "content_block": {"type": kind, **begun},
            },
        ]

    def _delta(self, delta: dict[str, Any]) -> Chunk:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}

    def _close(self, signature: str = "") -> list[Chunk]:
        if not self._open:
            return []
        # Progress is not signed by a provider: only a block that holds nothing but a signature is closed with one.
        signed = (
            [self._delta({"type": "signature_delta", "signature": signature})]
            if self._open == "thinking"
            else []
        )
        self._open = ""
        return [*signed, {"type": "content_block_stop", "index": self._index}]


def _stop_delta(end: EndPiece) -> Chunk:
    """Return the stop reason and, if a stop text ended the message and is known, that text."""
    if end.has_calls:
        return {"stop_reason": "tool_use", "stop_sequence": None}
    if end.finish_reason in ("refused", "filtered"):
        return {"stop_reason": "refusal", "stop_sequence": None}
    if end.finish_reason != "finished":
        return {"stop_reason": "max_tokens", "stop_sequence": None}
    return {
        "stop_reason": "end_turn" if end.stop is None else "stop_sequence",
        "stop_sequence": end.stop or None,
    }


def _usage(end: EndPiece) -> Chunk:
    """Return the tokens of the client's own conversation, and apart from them those that were spent besides."""
    own, (read, written) = end.own, end.besides
    usage: Chunk = {
        "input_tokens": own.prompt_tokens,
        "output_tokens": own.tokens - own.prompt_tokens,
    }
    if read or written:
        usage["team"] = {"input_tokens": read, "output_tokens": written}
    return usage


def _object(arguments: str) -> str:
    """Return the arguments as a JSON object, which the protocol demands; anything else is wrapped in one."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        value = arguments
    return arguments if isinstance(value, dict) else json.dumps({"not_an_object": value})
