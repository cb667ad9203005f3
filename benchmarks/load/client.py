"""A client that costs next to nothing, so that what is measured is the server: raw requests on connections that stay open."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from typing import Any

import httptools

QUESTION = [{"role": "user", "content": "What is 6 * 7?"}]


def request(model: str, *, stream: bool = False, **more: Any) -> bytes:
    """The bytes of a Chat Completions request."""
    body = json.dumps({"model": model, "messages": QUESTION, "stream": stream, **more}).encode()
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"authorization: Bearer none\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )


class Connection(asyncio.Protocol):
    """One connection; one request at a time. Called back by the parser of its replies."""

    def __init__(self) -> None:
        self.status = 0
        self.body = bytearray()
        self.pieces = 0
        """Pieces of the last reply's body that came apart."""
        self.first: float | None = None
        """When the first byte of the last reply's body came."""
        self._waiting: asyncio.Future[None] | None = None

    async def ask(self, sent: bytes) -> bytes:
        """The body of the reply. Raises RuntimeError for any status but 200, and where the connection is lost."""
        self.body, self.first, self.pieces = bytearray(), None, 0
        self._parser = httptools.HttpResponseParser(self)
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(sent)
        await self._waiting
        if self.status != 200:
            raise RuntimeError(f"status {self.status}: {bytes(self.body[:500])!r}")
        return bytes(self.body)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(RuntimeError(f"the server closed the connection: {exc}"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_status(self, status: bytes) -> None:
        self.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        if self.first is None:
            self.first = time.perf_counter()
        self.body += body
        self.pieces += 1

    def on_message_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def close(self) -> None:
        """Leave."""
        self._transport.close()


async def connected(port: int) -> Connection:
    """A connection to a server on this machine."""
    _, connection = await asyncio.get_running_loop().create_connection(
        Connection, "127.0.0.1", port
    )
    return connection


async def latencies(
    port: int, sent: bytes, count: int, check: Callable[[bytes], bool], limit: float = math.inf
) -> list[float]:
    """Seconds of each of so many requests, one after the other; ends after `limit` seconds. Raises RuntimeError for a wrong one."""
    connection = await connected(port)
    seconds: list[float] = []
    end = time.perf_counter() + limit
    for _ in range(count):
        began = time.perf_counter()
        if began > end:
            break
        body = await connection.ask(sent)
        seconds.append(time.perf_counter() - began)
        if not check(body):
            raise RuntimeError(f"a wrong reply: {body[:500]!r}")
    connection.close()
    return seconds


async def load(
    port: int, sent: bytes, count: int, at_once: int, check: Callable[[bytes], bool]
) -> float:
    """Seconds that so many requests take, so many at once. Raises RuntimeError for a wrong reply."""
    left = iter(range(count))

    async def ask(connection: Connection) -> None:
        for _ in left:
            body = await connection.ask(sent)
            if not check(body):
                raise RuntimeError(f"a wrong reply: {body[:500]!r}")

    connections = [await connected(port) for _ in range(at_once)]
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(ask(connection))
    seconds = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return seconds


async def load_for(
    port: int, sent: bytes, seconds: float, at_once: int, check: Callable[[bytes], bool]
) -> int:
    """Number of requests answered in that time, so many at once. Raises RuntimeError for a wrong reply."""
    counts = [0] * at_once
    end = time.perf_counter() + seconds

    async def ask(number: int, connection: Connection) -> None:
        while time.perf_counter() < end:
            body = await connection.ask(sent)
            counts[number] += 1
            if not check(body):
                raise RuntimeError(f"a wrong reply: {body[:500]!r}")

    connections = [await connected(port) for _ in range(at_once)]
    async with asyncio.TaskGroup() as group:
        for number, connection in enumerate(connections):
            group.create_task(ask(number, connection))
    for connection in connections:
        connection.close()
    return sum(counts)


def answered(body: bytes) -> bool:
    """True if a whole reply says the same as the backend's `quick` model."""
    return b'"The answer is 42."' in body
