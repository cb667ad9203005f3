"""Connections that must come to the point: who opens one and does not send a head of bounded size in time is let go."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""For the head of a request to arrive."""
HEAD_BYTES = 65_536


class Timely(HttpToolsProtocol):
    """uvicorn's own protocol, which waits for ever for the end of a head of any size."""

    _size = 0
    """Bytes of a head that is not whole yet."""
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._size = 0 if self._due is None else self._size + len(data)
        if self._size > HEAD_BYTES:
            self.transport.close()
        answered = self.cycle is None or self.cycle.response_complete
        if self._due is None and answered and not self.transport.is_closing():
            self._wait()

    def on_headers_complete(self) -> None:
        self._stop()
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
