"""uvicorn's HTTP protocol with limits: a connection that does not send a request head of bounded size in time is closed.

This is the only file of the server that uses uvicorn's internals; `pyproject.toml` pins its minor version, and
`tests/server/http/test_bounded_protocol.py` fails if they change.

A request to switch to another protocol than WebSocket is ignored, as any server may do: Java's own client sends one with every
request (h2c), and the parser would take the body after it for the other protocol's. Trailer fields after a body are dropped.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 65_536
"""Size of a head, and of what may come between two pieces of a body."""
_UPGRADE = re.compile(rb"\r\nupgrade[ \t]*:", re.I)
_OTHER_UPGRADE = re.compile(_UPGRADE.pattern + rb"(?![ \t]*websocket[ \t]*(?:\r|$))", re.I)
"""The header field of a request to switch to another protocol than WebSocket."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits forever for the end of a head of any size, and of what follows a body."""

    head_timeout = 10.0
    """Seconds for the head of a request to arrive."""
    _size = 0
    """Bytes since the end of the last head, or since the last piece of a body."""
    _has_head = False
    """True between the end of a head and the end of its message."""
    _timer: asyncio.TimerHandle | None = None
    _is_switched = False
    """True once the connection is a WebSocket, which may be silent."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        self._size += len(data)
        super().data_received(data if self._has_head else _without_upgrade(data))
        if self._size > HEAD_BYTES:
            self.transport.close()
        is_answered = self.cycle is None or self.cycle.response_complete
        if self._is_switched or self.transport.is_closing():
            return
        if self._timer is None and is_answered:
            self._start_timer()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._has_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._size = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._has_head = False
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        self._stop_timer()
        self._size, self._has_head = 0, True
        if sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self.send_400_response(f"The head of the request is larger than {HEAD_BYTES:,} bytes.")
        else:
            super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        self._is_switched = True
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self.head_timeout, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _without_upgrade(data: bytes) -> bytes:
    """Hide the header field Upgrade in a head, unless it opens a WebSocket; leave what comes after the head as it is."""
    if b"pgrade" not in data and b"PGRADE" not in data:
        return data
    head, end, rest = data.partition(b"\r\n\r\n")
    hidden = _OTHER_UPGRADE if head.startswith(b"GET ") else _UPGRADE
    return hidden.sub(b"\r\nx-upgrade:", head) + end + rest
