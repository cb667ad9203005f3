"""The parts of a reply, put together from its pieces as pydantic-ai does."""

from __future__ import annotations

from typing import Any

from musespark.models.model import TextDelta, ThinkingDelta
from musespark.models.providers.base import Profile


class Parts:
    """Where a thought ends and the text goes on.

    Thoughts come in a field of their own, or within the text between tags; a tag is a piece of its own.
    """

    def __init__(self, system: str, profile: Profile) -> None:
        self._system = system
        self._tags: tuple[str, str] = profile.get("thinking_tags", ("<think>", "</think>"))
        self._trims = bool(profile.get("ignore_streamed_leading_whitespace", False))
        """Whether a text may not begin with blanks: some models write them around thoughts that they do not have."""
        self._parts: list[Any] = []
        self._pieces: list[list[str]] = []
        """Of each part."""
        self._said: int | None = None
        """The part that text goes to."""
        self._thinks = False
        """Whether that is a thought."""
        self._thoughts: dict[str, int] = {}
        """The parts that thoughts go to, by field."""
        self._calls: dict[int, int] = {}
        self._held = ""
        self._interrupted = False
        """Whether thoughts have interrupted a text; blanks that follow are held for the text that goes on."""

    def thought(self, field: str, piece: str) -> ThinkingDelta:
        """A piece of a thought, which came in that field."""
        if field not in self._thoughts:
            from pydantic_ai.messages import ThinkingPart

            self._thoughts[field] = self._begin(ThinkingPart("", id=field, provider_name=self._system))
            if self._said is not None and not self._thinks:
                self._said, self._interrupted = None, True
        self._pieces[self._thoughts[field]].append(piece)
        return ThinkingDelta(piece)

    def said(self, piece: str) -> TextDelta | ThinkingDelta | None:
        """A piece of the text: what it is, None for a tag and for blanks that do not count."""
        if self._said is not None and self._thinks:
            if piece == self._tags[1]:
                self._said = None
                return None
            return self.went_on(piece)
        if piece == self._tags[0]:
            from pydantic_ai.messages import ThinkingPart

            self._said, self._thinks = self._begin(ThinkingPart("", id="content", provider_name=self._system)), True
            self._resumed()
            return None
        if self._said is None:
            if self._trims and piece.isspace():
                self._held += piece if self._interrupted else ""
                return None
            from pydantic_ai.messages import TextPart

            self._said, self._thinks = self._begin(TextPart("")), False
            self._resumed()
            piece, self._held = self._held + piece, ""
        return self.went_on(piece)

    @property
    def goes_on(self) -> bool:
        """Whether a text or a thought within it has begun and not ended."""
        return self._said is not None

    def has_tag(self, text: str) -> bool:
        """Whether a tag may be in it."""
        return self._tags[0] in text or self._tags[1] in text

    def went_on(self, piece: str) -> TextDelta | ThinkingDelta:
        """One more piece, or several as one, of what has begun: no tag is among them."""
        assert self._said is not None
        self._pieces[self._said].append(piece)
        return ThinkingDelta(piece) if self._thinks else TextDelta(piece)

    def called(self, call: Any) -> None:
        """A piece of a call of a tool, which nobody offered."""
        from pydantic_ai.messages import ToolCallPart

        index, function = call.get("index"), call.get("function") or {}
        if index not in self._calls:
            self._calls[index] = self._begin(ToolCallPart(""))
            self._resumed()
            if not self._thinks:
                self._said = None
        part = self._parts[self._calls[index]]
        part.tool_name += function.get("name") or ""
        part.tool_call_id = call.get("id") or part.tool_call_id
        self._pieces[self._calls[index]].append(function.get("arguments") or "")

    def whole(self) -> list[Any]:
        """All of them."""
        from pydantic_ai.messages import ToolCallPart

        for part, pieces in zip(self._parts, self._pieces, strict=True):
            if isinstance(part, ToolCallPart):
                part.args = "".join(pieces)
            else:
                part.content = "".join(pieces)
        return [part for part in self._parts if not isinstance(part, ToolCallPart) or part.tool_name]

    def _begin(self, part: Any) -> int:
        self._parts.append(part)
        self._pieces.append([])
        return len(self._parts) - 1

    def _resumed(self) -> None:
        """Text or a call has begun: thoughts that follow are new ones."""
        self._thoughts.clear()
        self._interrupted = False
