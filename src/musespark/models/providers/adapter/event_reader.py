"""The chunks in the body of a reply of Chat Completions: events, one JSON document, or a JSON document a line.

Servers differ from the standard of server-sent events: comments, ids and event names between the data, any line ends, a byte order
mark, one line end between events instead of two, no end after the last one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_EVENT_BYTES = 4_000_000
"""Bytes of one event; an endless one would fill the memory, and be searched again with every read."""
MAX_BODY_BYTES = 64_000_000
"""Bytes of a reply that is one JSON document."""
_LINE_ENDS = re.compile(rb"\r\n|\r(?=.)", re.S)
"""Line breaks; one at the end of what has arrived may be half of one."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DONE = re.compile(rb"\s*\"?\[DONE\b", re.IGNORECASE)
_KEEP_ALIVE = re.compile(rb"(?:ping|pong|heart[-_ ]?beat|keep[-_ ]?alive)\b", re.IGNORECASE)
"""Names of events, and data, by which a server only says that it is there."""
_WRAPPINGS = frozenset({"error", "errors", "base_resp", "choices"})
"""Fields that tell an error from a bare one in an event that is named so."""


class EventReader:
    """Reads the chunks of one body, which comes in pieces."""

    def __init__(self) -> None:
        self._buffer = b""
        self._is_document: bool | None = None
        """True for a body of JSON without events; None until it can be told."""
        self.is_done = False
        """True after the event that says so."""

    @property
    def is_whole(self) -> bool:
        """True if the body says that it is over: by its last event, or as one document."""
        return self.is_done or bool(self._is_document)

    def feed(self, received: bytes) -> Iterator[Any]:
        """Yield the chunks that are complete. Raises `ValueError` for one that is no JSON, or endless."""
        self._buffer += received
        if self._is_document is None and not self._begin():
            return
        if self._is_document:
            if len(self._buffer) > MAX_BODY_BYTES:
                raise ValueError(f"it has more than {MAX_BODY_BYTES:,} bytes")
            return
        if b"\r" in self._buffer:
            self._buffer = _LINE_ENDS.sub(b"\n", self._buffer)
        events, end, self._buffer = self._buffer.rpartition(b"\n\n")
        yield from self._parse_events(events + end)
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise ValueError(f"an event of it has more than {MAX_EVENT_BYTES:,} bytes")

    def end(self) -> Iterator[Any]:
        """Yield the rest. An event that broke off is none."""
        rest = self._buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._buffer = b""
        if self._is_document:
            yield from _parse_document(rest)
        elif rest.strip() and not self.is_done:
            try:
                chunks = list(self._parse_events(rest.rstrip(b"\n") + b"\n\n"))
            except ValueError:
                return
            yield from chunks

    def _begin(self) -> bool:
        """Look at the start of the body; returns False if there is too little of it."""
        start = self._buffer.removeprefix(_BYTE_ORDER_MARK).lstrip()
        if not start or _BYTE_ORDER_MARK.startswith(self._buffer):
            return False
        self._is_document = start[:1] in b"{["
        self._buffer = start
        return True

    def _parse_events(self, events: bytes) -> Iterator[Any]:
        at = 0
        while (end := events.find(b"\n\n", at)) >= 0:
            event, at = events[at:end], end + 2
            if event.startswith(b"data: {") and b"\n" not in event:
                name, lines = b"", [event[6:]]
            else:
                name, lines = _split_lines(event)
            if lines and _DONE.match(lines[-1]):
                self.is_done, lines = True, lines[:-1]
            if any(lines) and not _is_keep_alive(name, lines):
                yield from _parse_data(name, lines)
            if self.is_done:
                return


def _split_lines(event: bytes) -> tuple[bytes, list[bytes]]:
    """The name of an event, and its lines of data."""
    fields = [line.partition(b":") for line in event.split(b"\n")]
    names = [value.strip() for field, _, value in fields if field == b"event"]
    data = [value.strip() for field, _, value in fields if field.strip() == b"data"]
    data = [value.removeprefix(b"data:").lstrip() for value in data]  # of a gateway: `data: data:`
    return names[-1] if names else b"", data


def _is_keep_alive(name: bytes, lines: list[bytes]) -> bool:
    """True for an event that has nothing of a reply."""
    data = lines[0]
    if len(lines) > 1 or (not name and data.startswith(b"{")):
        return False
    return data == b"null" or bool(
        _KEEP_ALIVE.match(data.lstrip(b'": '))
        or (_KEEP_ALIVE.match(name) and b'"choices"' not in data)
    )


def _parse_data(name: bytes, lines: list[bytes]) -> Iterator[Any]:
    """Yield the chunk of an event; several if each of its lines is one."""
    try:
        chunks = [_parse_json(b"\n".join(lines))]
    except ValueError:
        if name == b"error":
            chunks = [{"error": {"message": b" ".join(lines).decode("utf-8", "replace")}}]
        elif len(lines) > 1:
            chunks = [_parse_json(line) for line in lines if line.strip()]
        else:
            raise
    for chunk in chunks:
        is_bare_error = (
            name == b"error" and isinstance(chunk, dict) and not _WRAPPINGS & chunk.keys()
        )
        yield {"error": chunk} if is_bare_error else chunk


def _parse_document(body: bytes) -> Iterator[Any]:
    """Yield the one document of a body, or that of each line."""
    try:
        found = _parse_json(body)
    except ValueError:
        lines = [line for line in body.split(b"\n") if line.strip() and not _DONE.match(line)]
        if b"\n" not in body.strip():
            raise
        yield from map(_parse_json, lines)
        return
    yield from found if isinstance(found, list) else [found]


def _parse_json(data: bytes) -> Any:
    from pydantic_core import from_json

    try:
        return from_json(data)
    except ValueError:
        return json.loads(data)  # slower, and accepts half a surrogate pair
