"""Thoughts that a model writes between tags within its text, for templates whose thoughts llama.cpp does not separate."""

from __future__ import annotations

from collections.abc import Iterator

from musespark.models.model import TextDelta, ThinkingDelta

OPEN, CLOSE = "<think>", "</think>"


class ThinkTags:
    """Separates thoughts from text as it streams. A thought can only stand at the beginning of a reply."""

    def __init__(self) -> None:
        self._held = ""
        """Text that may be the beginning of a tag."""
        self._state = "start"
        """`start`, `thinking`, `after` the closing tag, or `text`."""

    def add(self, piece: str) -> Iterator[TextDelta | ThinkingDelta]:
        """Add a piece of the reply; yield what is known to be text or thought."""
        self._held += piece
        if self._state == "start":
            begun = self._held.lstrip()
            if OPEN.startswith(begun[: len(OPEN)]) and len(begun) < len(OPEN):
                return
            is_thought = begun.startswith(OPEN)
            self._held = begun.removeprefix(OPEN) if is_thought else self._held
            self._state = "thinking" if is_thought else "text"
        if self._state == "thinking":
            yield from self._add_thought()
        if self._state == "after":
            self._held = self._held.lstrip()
            self._state = "text" if self._held else "after"
        if self._state == "text" and self._held:
            yield TextDelta(self._held)
            self._held = ""

    def end(self) -> Iterator[TextDelta | ThinkingDelta]:
        """Yield what was held back when the reply has ended."""
        if self._held:
            yield (ThinkingDelta if self._state == "thinking" else TextDelta)(self._held)
        self._held = ""

    def _add_thought(self) -> Iterator[ThinkingDelta]:
        thought, closed, rest = self._held.partition(CLOSE)
        if closed:
            self._state, self._held = "after", rest
        else:
            kept = next(
                size
                for size in range(min(len(CLOSE) - 1, len(thought)), -1, -1)
                if CLOSE.startswith(thought[len(thought) - size :])
            )
            thought, self._held = thought[: len(thought) - kept], thought[len(thought) - kept :]
        if thought:
            yield ThinkingDelta(thought)
