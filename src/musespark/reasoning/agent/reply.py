"""A model's reply to one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from musespark.content import Message, Part, Text, Thinking, ToolCall
from musespark.events import FinishReason, Pictured
from musespark.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """A model's reply."""

    message: Message
    finish_reason: FinishReason
    detail: str = ""
    stop: str | None = None
    images: tuple[Pictured, ...] = ()
    verified: bool | None = None
    verified_by: str = ""
    abstained: str = ""
    """Why the model does not answer; empty if it does."""
    usage: Usage = field(default_factory=Usage)
    spawns: bool = False
    """True if the model spawns threads by itself."""

    @property
    def cut(self) -> bool:
        """True if it broke off."""
        return self.finish_reason not in ("finished", "refused")

    @property
    def written_tokens(self) -> int:
        """Tokens that the model wrote; of one that spawns by itself those of the longest way to the answer."""
        written = self.usage.tokens - self.usage.prompt_tokens
        return min(written, self.usage.critical_path or written) if self.spawns else written

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tools it asks for."""
        return tuple(part for part in self.message.parts if isinstance(part, ToolCall))


def join_parts(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Join neighbouring pieces of text, and of thinking, into one each."""
    runs = ((kind, list(pieces)) for kind, pieces in groupby(parts, type))
    return tuple(
        part
        for kind, pieces in runs
        for part in (_joined(pieces) if kind in (Text, Thinking) else pieces)
    )


def _joined(pieces: list[Part]) -> list[Part]:
    """Pieces of text, or of thinking, as one."""
    text = "".join(piece.text for piece in pieces if isinstance(piece, Text | Thinking))
    first = pieces[0]
    return [replace(first, text=text)] if isinstance(first, Text | Thinking) else pieces
