"""JSON on its way to a client that streams: sent as it comes, but nothing that stands before or after it."""

from __future__ import annotations

_OPENING, _CLOSING = "{[", "}]"


class JsonGate:
    """Filter of an answer's text that is to be one JSON value.

    An object or a list passes piece by piece, up to its last bracket. Anything else waits for the end, which may replace it.
    """

    def __init__(self) -> None:
        self.sent = ""
        """Text that has passed."""
        self._held = ""
        self._depth = 0
        self._in_string = self._is_escaped = self._is_closed = False
        self._is_void = False
        """True if the text until now does not count any more."""

    def feed(self, text: str) -> str:
        """Add a piece of the text, and return what can be sent of it."""
        if self._is_void:
            self._is_void = False
            before, self.sent = self.sent.strip(), text
            if before == text.strip():
                return ""
            return f"\n\n{text}" if before else text
        if self._is_closed:
            self._held += text
            return ""
        if self._depth == 0:
            text = (self._held + text).lstrip()
            self._held = ""
            if not text or text[0] not in _OPENING:
                self._held = text
                return ""
        end = self._scan(text)
        passing, self._held = text[:end], text[end:]
        self.sent += passing
        return passing

    def drop(self) -> None:
        """Let the next piece stand in place of all before it."""
        self._held, self._is_void = "", True

    def flush(self) -> str:
        """Return what waits at the end, unless it only follows the value."""
        held, self._held = self._held, ""
        return "" if self._is_closed else held

    def _scan(self, text: str) -> int:
        """Return the end of the part of a text that belongs to the value."""
        for index, character in enumerate(text):
            if self._in_string:
                if self._is_escaped:
                    self._is_escaped = False
                elif character == "\\":
                    self._is_escaped = True
                elif character == '"':
                    self._in_string = False
            elif character == '"':
                self._in_string = True
            elif character in _OPENING:
                self._depth += 1
            elif character in _CLOSING:
                self._depth -= 1
                if self._depth == 0:
                    self._is_closed = True
                    return index + 1
        return len(text)
