"""Chunks and errors of OpenAI's Chat Completions."""

from __future__ import annotations

from typing import Any

from musespark.server.errors import ErrorReply
from musespark.server.protocols.base import Chunk, ChunkEncoder
from musespark.server.protocols.encoder import (
    EndPiece,
    ImagePiece,
    ReasoningPiece,
    ReplyPiece,
    SignaturePiece,
    TextPiece,
    ToolCallPiece,
)
from musespark.usage import Usage

_ERROR_TYPES = {401: "authentication_error", 429: "rate_limit_error"}


def error_body(reply: ErrorReply) -> Chunk:
    """Return the JSON of an error; Responses has the same."""
    kind = _ERROR_TYPES.get(
        reply.status, "invalid_request_error" if reply.status < 500 else "server_error"
    )
    return {
        "error": {"message": reply.message, "type": kind, "param": reply.param, "code": reply.code}
    }


class ChatChunkEncoder(ChunkEncoder):
    """Encoder of one completion."""

    def __init__(self, id: str, model: str, created: int, usage_chunk: bool) -> None:
        self._head: Chunk = {
            "id": id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
            "service_tier": None,
            "system_fingerprint": None,
        }
        self._usage_chunk = usage_chunk
        self._calls = 0

    def start(self) -> list[Chunk]:
        """Return the chunk with the role."""
        return [self._chunk({"role": "assistant", "content": ""})]

    def encode(self, piece: ReplyPiece) -> list[Chunk]:
        """Return the chunks of a piece."""
        match piece:
            case ReasoningPiece():
                return [self._chunk({"reasoning_content": piece.text})]
            case TextPiece():
                return [self._chunk({"content": piece.text})]
            case ImagePiece() | SignaturePiece():
                return []  # the protocol has no place for them; the `muse` block links to images
            case ToolCallPiece(call=call):
                self._calls += 1
                function = {"name": call.name, "arguments": call.arguments}
                return [
                    self._chunk(
                        {
                            "tool_calls": [
                                {
                                    "index": self._calls - 1,
                                    "id": call.id,
                                    "type": "function",
                                    "function": function,
                                }
                            ]
                        }
                    )
                ]
            case EndPiece():
                return self._end(piece)

    def _end(self, end: EndPiece) -> list[Chunk]:
        finish = (
            "tool_calls"
            if end.has_calls
            else "stop"
            if end.finish_reason == "finished"
            else "length"
        )
        last, usage = self._chunk({}, finish), _usage(end.usage)
        if end.stop and finish == "stop":
            last["choices"][0]["stop_reason"] = (
                end.stop
            )  # as in vLLM; the protocol itself has no field for it
        if not self._usage_chunk:
            return [last | {"usage": usage, "muse": end.muse}]
        return [last, {**self._head, "choices": [], "usage": usage, "muse": end.muse}]

    def encode_error(self, reply: ErrorReply) -> list[Chunk]:
        """Return the error's own object, which the SDK raises."""
        return [error_body(reply)]

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> Chunk:
        return {
            **self._head,
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        }


def _usage(usage: Usage) -> dict[str, Any]:
    """Return the whole usage; not every model counts reasoning tokens apart, so there are no details."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.tokens - usage.prompt_tokens,
        "total_tokens": usage.tokens,
    }
