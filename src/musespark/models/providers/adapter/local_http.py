"""HTTP/1.1 to a server on this machine or next to it, over connections that are kept.

A general client takes 1.5 ms of processor time for a streamed call, which is more than the rest of a call together; this takes a
tenth of that. Requests are POSTs of JSON; no proxies, no TLS, no redirects: for those there is the general client.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from musespark.models.providers.base import is_loopback

CONNECT_SECONDS = 10.0
MOST = 1000
"""Connections to one server."""
AHEAD = 262_144
"""Bytes of a reply that may wait for whoever reads; then the server waits too."""


class Broken(ConnectionError):
    """There is no connection, or it ended too early, or what came is not HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its head, and its body as it comes."""

    status: int
    headers: Mapping[str, str]
    """By names in small letters."""
    pieces: AsyncIterator[bytes]

    async def read(self) -> bytes:
        """The whole body."""
        return b"".join([piece async for piece in self.pieces])


def is_near(address: str) -> bool:
    """Whether a server can be reached this way."""
    place = urlsplit(address)
    proxied = not is_loopback(address) and {"http", "all"} & getproxies().keys()
    simple = address.isascii() and address.isprintable() and " " not in address
    return place.scheme == "http" and bool(place.hostname) and "@" not in place.netloc and simple and not proxied


class Near:
    """Connections to one server, within one event loop."""

    def __init__(self, address: str, silence: float) -> None:
        """silence: seconds without a byte after which a request has failed."""
        place = urlsplit(address)
        self._host, self._port = place.hostname or "", place.port or 80
        self._named, self._path = place.netloc, place.path.rstrip("/")
        self._silence = silence
        self._idle: list[_Connection] = []
        self._room = asyncio.Semaphore(MOST)

    @asynccontextmanager
    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> AsyncIterator[Answer]:
        """Ask; who leaves before the end closes the connection. Raises `Broken`, and TimeoutError after too long a silence."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (f"POST {self._path}{path} HTTP/1.1\r\nhost: {self._named}\r\naccept-encoding: identity\r\n"
                f"content-length: {len(body)}\r\n{lines}\r\n")
        async with self._room:
            connection = await self._asked(head.encode("latin-1") + body)
            try:
                async with aclosing(connection.pieces()) as pieces:
                    yield Answer(connection.status, connection.headers, pieces)
            finally:
                if connection.reusable:
                    self._idle.append(connection)
                else:
                    connection.transport.abort()

    async def aclose(self) -> None:
        """Close what is kept. Nobody may ask any more."""
        for connection in self._idle:
            connection.transport.abort()
        self._idle.clear()
        await asyncio.sleep(0)

    async def _asked(self, request: bytes) -> _Connection:
        """A connection on which the head of the reply has come."""
        while True:
            kept = self._kept()
            connection = kept or await self._connected()
            try:
                await connection.ask(request)
            except Broken:
                connection.transport.abort()
                # A server may close what is idle just while the next request is on its way, and then has not read it.
                if kept is None or connection.heard:
                    raise
            except BaseException:
                connection.transport.abort()
                raise
            else:
                return connection

    def _kept(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.lost:
                return connection
        return None

    async def _connected(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, made = await loop.create_connection(lambda: _Connection(self._silence), self._host, self._port)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise Broken(error.strerror or str(error)) from None
        return made


class _Connection(asyncio.Protocol):
    """One connection, one request at a time. What httptools finds in a reply it calls by the `on_` names."""

    def __init__(self, silence: float) -> None:
        self._silence = silence
        self._loop = asyncio.get_running_loop()
        self._news: asyncio.Future[None] | None = None
        self.lost = False
        self._clear()

    def _clear(self) -> None:
        from httptools import HttpResponseParser

        self._parser = HttpResponseParser(self)
        self.status, self.headers = 0, dict[str, str]()
        self._headed = self._whole = self._kept = False
        self.heard = False
        """Whether anything has come since it was asked."""
        self._wrong: str | None = None
        self._pieces: list[bytes] = []
        self._waiting = 0

    async def ask(self, request: bytes) -> None:
        """Send it and wait for the head of the reply."""
        self._clear()
        self.transport.write(request)
        while not self._headed:
            await self._more()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes."""
        while True:
            if self._pieces:
                pieces, self._pieces = self._pieces, []
                if self._waiting > AHEAD:
                    self.transport.resume_reading()
                self._waiting = 0
                yield b"".join(pieces)
            elif self._whole:
                return
            else:
                await self._more()

    @property
    def reusable(self) -> bool:
        """Whether the reply is whole and the next may follow."""
        return self._whole and self._kept and not self.lost and not self._pieces

    async def _more(self) -> None:
        if self._wrong is not None:
            raise Broken(self._wrong)
        self._news = self._loop.create_future()
        timer = self._loop.call_later(self._silence, self._late, self._news)
        try:
            await self._news
        finally:
            self._news = None
            timer.cancel()

    def _late(self, news: asyncio.Future[None]) -> None:
        if not news.done():
            news.set_exception(TimeoutError())

    def connection_made(self, transport: Any) -> None:
        self.transport: asyncio.Transport = transport

    def data_received(self, data: bytes) -> None:
        from httptools import HttpParserError, HttpParserUpgrade

        self.heard = True
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._wrong = f"it does not speak HTTP: {error}"
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if self._headed and not self._whole and not self.headers.keys() & {"content-length", "transfer-encoding"}:
            self._whole = exc is None  # the end of the connection is the end of the reply
        if not self._whole and self._wrong is None:
            self._wrong = "it closed the connection"
        self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def on_message_begin(self) -> None:
        if self._whole:  # nobody asked for a second reply: such as the 408 of a server that waited too long for a request
            self.lost = True
            self.transport.abort()
            raise Broken("it sent more than one reply")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status >= 200:
            self._headed = True
        else:
            self.headers.clear()  # more is to come

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        self._waiting += len(body)
        if self._waiting > AHEAD:
            with suppress(RuntimeError):
                self.transport.pause_reading()

    def on_message_complete(self) -> None:
        self._whole, self._kept = self._headed, bool(self._parser.should_keep_alive())
