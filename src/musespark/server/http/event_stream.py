"""Server-sent events to one client: the one way in which the server streams, whatever the protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from musespark.server.http.body import wait_for_disconnect

if TYPE_CHECKING:
    from starlette.types import Receive, Send

Headers = Iterable[tuple[bytes, bytes]]

COMMENT = b": still here\n\n"
"""Keep-alive that every client of server-sent events ignores."""
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTiming:
    """Seconds that matter to a stream."""

    keep_alive: float = 10.0
    """Silence after which a keep-alive is sent."""
    stalled: float = 60.0
    """Time a client may take to read what was sent, before it counts as disconnected."""
    tick: float = 1.0
    """Time between two checks of either."""


class EventStream:
    """Sending half of a streamed response. It is opened by its first write, so that an early error can still be a status."""

    def __init__(
        self,
        send: Send,
        *,
        headers: Headers = (),
        preamble: bytes = b"",
        keep_alive: bytes = COMMENT,
        timing: StreamTiming | None = None,
    ) -> None:
        """preamble: sent before anything else. keep_alive: sent when there was silence for a while."""
        self._timing = timing or StreamTiming()
        self._send, self._preamble, self._keep_alive = send, preamble, keep_alive
        self._headers = [*_HEADERS, *headers]
        self._lock = asyncio.Lock()
        self._is_open = False
        self._last_sent = time.monotonic()
        self._sending_since: float | None = None

    @property
    def is_open(self) -> bool:
        """True once the status and the headers are sent, here or by who claimed the response."""
        return self._is_open

    async def claim(self) -> bool:
        """Take the response for something other than a stream; False if the stream is open already."""
        async with self._lock:
            claimed, self._is_open = not self._is_open, True
        return claimed

    async def write(self, data: bytes = b"", *, last: bool = False) -> None:
        """Send data, after the headers and the preamble if it is the first."""
        async with self._lock:
            self._sending_since = time.monotonic()
            if not self._is_open:
                await self._send(
                    {"type": "http.response.start", "status": 200, "headers": self._headers}
                )
                self._is_open = True
                data = self._preamble + data
            await self._send({"type": "http.response.body", "body": data, "more_body": not last})
            self._last_sent, self._sending_since = time.monotonic(), None

    async def keep_alive(self) -> None:
        """Break silence for as long as the client reads; return once it has stalled."""
        while not self._is_stalled():
            await asyncio.sleep(min(self._timing.tick, self._timing.keep_alive))
            if (
                self._is_open
                and self._sending_since is None
                and time.monotonic() - self._last_sent >= self._timing.keep_alive
            ):
                await self.write(self._keep_alive)

    def _is_stalled(self) -> bool:
        since = self._sending_since
        return since is not None and time.monotonic() - since > self._timing.stalled


async def serve_until_disconnect(
    work: asyncio.Task[None],
    receive: Receive,
    *,
    companions: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
    head_start: float = 0.0,
    on_disconnect: Callable[[], None] | None = None,
) -> None:
    """Wait until a response is sent, and cancel it if the client disconnects or a companion returns before that.

    companions: what runs beside the work. head_start: seconds the work has before it is watched; most responses need no more.
    on_disconnect: called before the work is cancelled. Everything started is over when this returns or raises.
    """
    others: list[asyncio.Task[None]] = []
    try:
        if head_start:
            await asyncio.wait([work], timeout=head_start)
        if not work.done():
            others = [
                asyncio.create_task(wait_for_disconnect(receive)),
                *(asyncio.create_task(start()) for start in companions),
            ]
            await asyncio.wait([work, *others], return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and on_disconnect is not None:
                on_disconnect()
    finally:
        for task in (work, *others):
            task.cancel()
        await asyncio.wait([work, *others])
    if not work.cancelled():
        work.result()
