"""llama.cpp's chunks as deltas: text, thoughts and exact usage as they come, tool calls and the reason of the end at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from musespark.content import ToolCall
from musespark.errors import BadInput, BeyondModel, ModelFailed, MuseError
from musespark.models.local.think_tags import ThinkTags
from musespark.models.model import Delta, Finish, ThinkingDelta, ToolCallDelta, UsageDelta
from musespark.usage import Usage


class ChunkTranslator:
    """Translates the chunks of one reply."""

    def __init__(self, name: str, context: int) -> None:
        self._name, self._context = name, context
        self._tags = ThinkTags()
        self._calls: dict[int, dict[str, str]] = {}
        self._prompt = 0
        self._written = 0
        self._finish: str | None = None
        self._stop: str | None = None

    def translate(self, chunk: dict[str, Any]) -> Iterator[Delta]:
        """Yield the deltas of a chunk. Raises `BeyondModel` if the prompt exceeds the context, `ModelFailed` for other errors."""
        if "error" in chunk:
            raise self._to_error(chunk["error"])
        for choice in chunk.get("choices", ()):
            yield from self._translate_delta(choice.get("delta") or {})
            if choice.get("finish_reason"):
                self._finish = choice["finish_reason"]
                verbose = chunk.get("__verbose", {})
                self._stop = verbose.get("stopping_word") or None
        yield from self._count(chunk)

    def _translate_delta(self, delta: dict[str, Any]) -> Iterator[Delta]:
        if delta.get("reasoning_content"):
            yield ThinkingDelta(delta["reasoning_content"])
        if delta.get("content"):
            yield from self._tags.add(delta["content"])
        for piece in delta.get("tool_calls") or ():
            call = self._calls.setdefault(
                piece.get("index", 0), {"id": "", "name": "", "arguments": ""}
            )
            function = piece.get("function") or {}
            call["id"] = piece.get("id") or call["id"]
            call["name"] += function.get("name") or ""
            call["arguments"] += function.get("arguments") or ""

    def _count(self, chunk: dict[str, Any]) -> Iterator[UsageDelta]:
        """Yield the usage so far if a chunk says more of it."""
        before = (self._prompt, self._written)
        usage, timings = chunk.get("usage") or {}, chunk.get("timings") or {}
        progress = chunk.get("prompt_progress") or {}
        self._prompt = usage.get("prompt_tokens") or progress.get("total") or self._prompt
        self._written = (
            usage.get("completion_tokens") or timings.get("predicted_n") or self._written
        )
        if (self._prompt, self._written) != before:
            yield UsageDelta(self.usage)

    @property
    def usage(self) -> Usage:
        """Usage so far. Tokens of a prompt that a slot had read before are counted as any others."""
        return Usage(
            tokens=self._prompt + self._written,
            critical_path=self._written,
            prompt_tokens=self._prompt,
            calls=1,
        )

    def end(self) -> Iterator[Delta]:
        """Yield the end of a reply. Raises `ModelFailed` if it broke off."""
        yield from self._tags.end()
        if self._finish is None:
            raise ModelFailed(self._name, "llama.cpp broke off its reply; ask again")
        for index, call in sorted(self._calls.items()):
            id = call["id"] or f"call-{index + 1}"
            yield ToolCallDelta(ToolCall(id, call["name"], call["arguments"] or "{}", self._name))
        if self._finish != "length":
            yield Finish(stop=self._stop)
        elif self._prompt + self._written >= self._context:
            yield Finish("length", f"its context of {self._context:,} tokens is full")
        else:
            yield Finish("length", "it reached the most tokens it may write")

    def _to_error(self, error: dict[str, Any]) -> MuseError:
        if error.get("type") == "exceed_context_size_error":
            return too_long(self._name, error["n_prompt_tokens"], self._context)
        return ModelFailed(self._name, f"llama.cpp refused the request ({_short(error)})")


def too_long(name: str, tokens: int, context: int) -> BadInput:
    """The error for a prompt that exceeds the context."""
    return BeyondModel(
        name,
        f"read {tokens:,} tokens, for its context has {context:,}",
        "shorten the question, or set a larger context among its abilities in the configuration",
    )


def _short(error: dict[str, Any]) -> str:
    line = " ".join(str(error.get("message", error)).split())
    return line[:300].rstrip(".")
