"""Chunks of OpenAI's Completions."""

from __future__ import annotations

from typing import Any

from musespark.server.errors import ErrorReply
from musespark.server.protocols.base import Chunk, ChunkEncoder
from musespark.server.protocols.chat.events import error_body, finish_reason, usage_of
from musespark.server.protocols.encoder import EndPiece, RefusalPiece, ReplyPiece, TextPiece


class CompletionsChunkEncoder(ChunkEncoder):
    """Encoder of one completion: its text alone, for the protocol has no place for anything else."""

    def __init__(
        self, id: str, model: str, created: int, *, usage_chunk: bool, prompt: str
    ) -> None:
        """prompt: text that is repeated before the answer."""
        self._head: Chunk = {
            "id": id,
            "object": "text_completion",
            "created": created,
            "model": model,
            "system_fingerprint": None,
        }
        self._usage_chunk, self._prompt = usage_chunk, prompt

    def start(self) -> list[Chunk]:
        """Return the chunk with the repeated prompt, if it is wanted."""
        return [self._chunk(self._prompt)] if self._prompt else []

    def encode(self, piece: ReplyPiece) -> list[Chunk]:
        """Return the chunks of a piece."""
        match piece:
            case TextPiece() | RefusalPiece():
                return [self._chunk(piece.text)]
            case EndPiece():
                return self._end(piece)
            case _:
                return []

    def _end(self, end: EndPiece) -> list[Chunk]:
        usage = usage_of(end)
        last = self._chunk("", finish_reason(end))
        if not self._usage_chunk:
            return [last | {"usage": usage, "muse": end.muse}]
        return [last, {**self._head, "choices": [], "usage": usage, "muse": end.muse}]

    def encode_error(self, reply: ErrorReply) -> list[Chunk]:
        """Return the error's own object, which the SDK raises."""
        return [error_body(reply)]

    def _chunk(self, text: str, finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
        return {**self._head, "choices": [choice]}
