"""Connections that must come to the point: who opens one and does not send a head of bounded size in time is let go.

A request to go on in another protocol is not heard, as any server may do: Java's own client makes one with every request (h2c), and
the parser would take the body that follows for the other protocol's. Fields that come after a body are dropped.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""For the head of a request to arrive."""
HEAD_BYTES = 65_536
"""Of a head; and the most that may come between two pieces of a body."""
_UPGRADE = re.compile(rb"\r\nupgrade[ \t]*:", re.I)


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, which waits for ever for the end of a head of any size, and for that of what follows a body."""

    _size = 0
    """Bytes that came since the end of the last head, and since the last piece of a body."""
    _begun = False
    """Whether a head was whole, and its message is not."""
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        self._size += len(data)
        super().data_received(data if self._begun else _without_upgrade(data))
        if self._size > HEAD_BYTES:
            self.transport.close()
        answered = self.cycle is None or self.cycle.response_complete
        if self._due is None and answered and not self.transport.is_closing():
            self._wait()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._begun:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._size = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._begun = False
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        self._stop()
        self._size, self._begun = 0, True
        if sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self.send_400_response(f"The head of the request is larger than {HEAD_BYTES:,} bytes.")
        else:
            super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._due = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


def _without_upgrade(data: bytes) -> bytes:
    """A head that asks for no other protocol; what comes after it is left as it is."""
    if b"pgrade" not in data and b"PGRADE" not in data:
        return data
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(b"\r\nx-upgrade:", head) + end + rest
