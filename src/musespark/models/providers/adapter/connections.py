"""One HTTP client per model and event loop, closed when the last stream that uses it ends.

Agents that run side by side share its connections; nothing outlives them, so that `asyncio.run` may be called as often as one
likes and no socket is left. To keep connections between calls that follow each other, hold the model open:

    async with model.open():
        ...

A client belongs to the loop it was made in and is never used from another.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from musespark.models.providers.adapter.local_http import CONNECT_SECONDS, Near, is_near
from musespark.models.providers.base import is_loopback

if TYPE_CHECKING:
    import httpx2

_Made = TypeVar("_Made")


@dataclass
class ClientLease(Generic[_Made]):
    """A client, and what was made of it."""

    http: httpx2.AsyncClient
    near: Near | None
    """The short way to the same server, where there is one."""
    made: _Made
    holders: int = 0

    async def aclose(self) -> None:
        """Close all connections."""
        if self.near is not None:
            await self.near.aclose()
        await self.http.aclose()


class Connections(Generic[_Made]):
    """Lends what is made of an HTTP client, one per event loop."""

    def __init__(self, make: Callable[[httpx2.AsyncClient], _Made], address: str, silence: float) -> None:
        """make: what to build on a client. silence: seconds without a byte after which a request has failed."""
        self._make = make
        self._address = address
        self._silence = silence
        self._open: dict[asyncio.AbstractEventLoop, ClientLease[_Made]] = {}

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[ClientLease[_Made]]:
        """Use it; the last one out closes the client."""
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            http = client(self._address, self._silence)
            near = Near(self._address, self._silence) if is_near(self._address) else None
            self._open[loop] = ClientLease(http, near, self._make(http))
        entry = self._open[loop]
        entry.holders += 1
        try:
            yield entry
        finally:
            entry.holders -= 1
            if not entry.holders:
                del self._open[loop]
                await entry.aclose()

    @property
    def count(self) -> int:
        """Clients that are open now."""
        return len(self._open)


def client(address: str, silence: float) -> httpx2.AsyncClient:
    """A client for requests to that address. Proxies of the environment count, except for this machine's own servers."""
    import httpx2

    timeout = httpx2.Timeout(silence, connect=CONNECT_SECONDS)

    async def timed(request: httpx2.Request) -> None:
        # The SDKs send limits of their own with every request, or none at all.
        request.extensions = {**request.extensions, "timeout": timeout.as_dict()}

    return httpx2.AsyncClient(
        verify=_certificates(), trust_env=not is_loopback(address), timeout=timeout, event_hooks={"request": [timed]},
        limits=httpx2.Limits(max_connections=1000, max_keepalive_connections=100))


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Loading them takes tens of milliseconds and gives the same each time."""
    import httpx2

    return httpx2.create_ssl_context()
