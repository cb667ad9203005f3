"""Parts of a reply on the fast path, built from its chunks as pydantic-ai builds them."""

from __future__ import annotations

from typing import Any

from musespark.models.model import TextDelta, ThinkingDelta
from musespark.models.providers.base import Profile


class ResponseBuilder:
    """Separates thoughts that came in a field of their own, text and tool calls."""

    def __init__(self, system: str, profile: Profile) -> None:
        self._system = system
        self._trims_start = bool(profile.get("ignore_streamed_leading_whitespace", False))
        """True if a text may not begin with whitespace: some models write it around thoughts that they do not have."""
        self._parts: list[Any] = []
        self._texts: list[list[str]] = []
        """Pieces of the text of each part."""
        self._current: int | None = None
        """Index of the part that text goes to."""
        self._thoughts: dict[str, int] = {}
        """Index of the part that thoughts go to, by field."""
        self._calls: dict[int, int] = {}
        self._held = ""
        """Whitespace that waits for the text to continue."""
        self._is_interrupted = False
        """True if thoughts have interrupted a text."""

    def add_thought(self, field: str, text: str) -> ThinkingDelta:
        """Add a piece of a thought, which came in that field."""
        if field not in self._thoughts:
            from pydantic_ai.messages import ThinkingPart

            self._thoughts[field] = self._begin(
                ThinkingPart("", id=field, provider_name=self._system)
            )
            if self._current is not None:
                self._current, self._is_interrupted = None, True
        self._texts[self._thoughts[field]].append(text)
        return ThinkingDelta(text)

    def add_text(self, text: str) -> TextDelta | None:
        """Add a piece of the text. Returns its delta; None for whitespace that does not count."""
        if self._current is None:
            if self._trims_start and text.isspace():
                self._held += text if self._is_interrupted else ""
                return None
            from pydantic_ai.messages import TextPart

            self._current = self._begin(TextPart(""))
            self._end_thoughts()
            text, self._held = self._held + text, ""
        self._texts[self._current].append(text)
        return TextDelta(text)

    def add_call(self, call: Any) -> None:
        """Add a piece of a tool call, which a model may make although it was offered no tool."""
        from pydantic_ai.messages import ToolCallPart

        index, function = call.get("index"), call.get("function") or {}
        if index not in self._calls:
            self._calls[index] = self._begin(ToolCallPart(""))
            self._end_thoughts()
            self._current = None
        part = self._parts[self._calls[index]]
        part.tool_name += function.get("name") or ""
        part.tool_call_id = call.get("id") or part.tool_call_id
        self._texts[self._calls[index]].append(function.get("arguments") or "")

    def build(self) -> list[Any]:
        """Build the parts."""
        from pydantic_ai.messages import ToolCallPart

        for part, texts in zip(self._parts, self._texts, strict=True):
            if isinstance(part, ToolCallPart):
                part.args = "".join(texts)
            else:
                part.content = "".join(texts)
        return [
            part for part in self._parts if not isinstance(part, ToolCallPart) or part.tool_name
        ]

    def _begin(self, part: Any) -> int:
        self._parts.append(part)
        self._texts.append([])
        return len(self._parts) - 1

    def _end_thoughts(self) -> None:
        """Text or a call has begun: later thoughts are new parts."""
        self._thoughts.clear()
        self._is_interrupted = False
