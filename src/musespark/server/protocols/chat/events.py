"""Chunks and errors of OpenAI's Chat Completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from musespark.content import ToolCall
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
from musespark.server.protocols.tools import custom_input, form_of
from musespark.server.resolve.parsed_request import ToolForm

_ERROR_TYPES = {
    401: "authentication_error",
    429: "rate_limit_error",
}


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

    def __init__(
        self,
        id: str,
        model: str,
        created: int,
        usage_chunk: bool,
        forms: Mapping[str, ToolForm] | None = None,
    ) -> None:
        """forms: forms of tools that are no plain functions."""
        self._forms = forms or {}
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
            case RefusalPiece():
                return [self._chunk({"refusal": piece.text})]
            case ImagePiece() | SignaturePiece():
                return []  # the protocol has no place for them; the `muse` block links to images
            case ToolCallPiece(call=call):
                self._calls += 1
                sent = {"index": self._calls - 1, "id": call.id, **self._called(call)}
                return [self._chunk({"tool_calls": [sent]})]
            case EndPiece():
                return self._end(piece)

    def _called(self, call: ToolCall) -> dict[str, Any]:
        """Return a call in the form in which its tool was offered."""
        form = form_of(self._forms, call)
        if form.is_custom:
            return {"type": "custom", "custom": {"name": form.name, "input": custom_input(call)}}
        return {
            "type": "function",
            "function": {"name": form.name, "arguments": call.arguments},
        }

    def _end(self, end: EndPiece) -> list[Chunk]:
        finish = finish_reason(end)
        last, usage = self._chunk({}, finish), usage_of(end)
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


def finish_reason(end: EndPiece) -> str:
    """Return why the reply ended, in the protocol's words."""
    if end.has_calls:
        return "tool_calls"
    match end.finish_reason:
        case "finished":
            return "stop"
        case "refused":
            return "stop" if end.has_refusal else "content_filter"
        case "filtered":
            return "content_filter"
    return "length"


def usage_of(end: EndPiece) -> dict[str, Any]:
    """Return the tokens of the client's own conversation, and in the details those that were spent besides."""
    own, (read, written) = end.own, end.besides
    usage: dict[str, Any] = {
        "prompt_tokens": own.prompt_tokens,
        "completion_tokens": own.tokens - own.prompt_tokens,
        "total_tokens": own.tokens,
    }
    if read or written:
        usage["prompt_tokens_details"] = {"team_tokens": read}
        usage["completion_tokens_details"] = {"team_tokens": written}
    return usage
