"""HTTP clients of a model, one set per event loop, closed when the last stream that uses them ends.

Concurrent streams share connections. Nothing outlives them, so that `asyncio.run` can be called any number of times and leaves no
socket open. To keep connections between calls that follow each other, open the model:

    async with model.open():
        ...

A client belongs to the event loop it was made in and is never used from another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Generic, TypeVar

from musespark.models.providers.adapter.environment import find_proxy, load_certificates

if TYPE_CHECKING:
    import aiohttp
    import httpx2

_Model = TypeVar("_Model")

CONNECT_TIMEOUT = 10.0
"""Seconds that a connection may take to open."""
MAX_CONNECTIONS = 1000
"""Connections of one model in one event loop."""


@dataclass
class ClientLease(Generic[_Model]):
    """The clients of one event loop, on loan to the streams that use them."""

    http: httpx2.AsyncClient
    session: aiohttp.ClientSession | None
    """Client of the fast path; None for a model that has none."""
    model: _Model
    """pydantic-ai's model, built on `http`."""
    holders: int = 0

    async def aclose(self) -> None:
        """Close all connections."""
        if self.session is not None:
            await self.session.close()
        await self.http.aclose()


class Connections(Generic[_Model]):
    """Leases a model's clients, one set per event loop."""

    def __init__(
        self,
        build: Callable[[httpx2.AsyncClient], _Model],
        address: str,
        timeout: float,
        has_fast_path: bool,
        normalized_path: str | None = None,
    ) -> None:
        """build: makes pydantic-ai's model on a client. timeout: seconds without a byte after which a request has failed.
        normalized_path: as in `BackendTransport`.
        """
        self._build = build
        self._address = address
        self._timeout = timeout
        self._has_fast_path = has_fast_path
        self._normalized_path = normalized_path
        self._leases: dict[asyncio.AbstractEventLoop, ClientLease[_Model]] = {}

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[ClientLease[_Model]]:
        """Lease the clients of the running event loop for a block; the last block to end closes them.

        Raises `BadEnvironment` if the environment names a proxy or certificates that cannot be used.
        """
        loop = asyncio.get_running_loop()
        if loop not in self._leases:
            http = make_client(self._address, self._timeout, self._normalized_path)
            session = make_session(self._timeout) if self._has_fast_path else None
            self._leases[loop] = ClientLease(http, session, self._build(http))
        lease = self._leases[loop]
        lease.holders += 1
        try:
            yield lease
        finally:
            lease.holders -= 1
            if not lease.holders:
                del self._leases[loop]
                await lease.aclose()

    @property
    def count(self) -> int:
        """Number of open leases."""
        return len(self._leases)


def make_client(
    address: str, timeout: float, normalized_path: str | None = None
) -> httpx2.AsyncClient:
    """Make the client of the SDKs, for one address. It uses the environment's proxies and certificates; servers on this machine are
    reached directly. Raises `BadEnvironment`."""
    import httpx2

    from musespark.models.providers.adapter.transport import BackendTransport

    timeouts = httpx2.Timeout(timeout, connect=CONNECT_TIMEOUT)

    async def set_timeout(request: httpx2.Request) -> None:
        # The SDKs send timeouts of their own with every request, or none at all.
        request.extensions = {**request.extensions, "timeout": timeouts.as_dict()}

    proxy = find_proxy(address)
    is_tls = address.startswith("https:") or (proxy is not None and proxy.is_tls)
    certificates = load_certificates() if is_tls else None
    transport = httpx2.AsyncHTTPTransport(
        verify=certificates or False,
        trust_env=False,
        limits=httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=100),
        proxy=None
        if proxy is None
        else httpx2.Proxy(proxy.url, ssl_context=certificates if proxy.is_tls else None),
    )
    return httpx2.AsyncClient(
        transport=BackendTransport(transport, normalized_path),
        trust_env=False,
        timeout=timeouts,
        event_hooks={"request": [set_timeout]},
    )


def make_session(timeout: float) -> aiohttp.ClientSession:
    """Make the client of the fast path: plain HTTP, no proxies, no cookies, nothing compressed.

    The list that a request has as its `trace_request_ctx` is not empty after it was sent on a reused connection.
    """
    import aiohttp

    async def note_reuse(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        event: aiohttp.TraceConnectionReuseconnParams,
    ) -> None:
        if context.trace_request_ctx is not None:
            context.trace_request_ctx.append(event)

    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(note_reuse)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=timeout),
        headers={"accept-encoding": "identity"},
        trace_configs=[trace],
    )
