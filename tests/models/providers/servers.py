"""Loopback servers that speak the providers' streaming wires: they say what they are told to, and keep what they were sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from models.providers.wires import WIRES, Say


@dataclass(frozen=True)
class Raw:
    """Something else: any status, headers and body; `hang` then keeps the connection, `drop` cuts it."""

    body: str = ""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/event-stream"),)
    end: str = ""


@dataclass
class Server:
    """What a server knows of its requests."""

    wire: str
    url: str = ""
    script: list[Say | Raw] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    """Every byte that came in, a request each."""
    paths: list[str] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """A client went away before its reply was whole."""
    connections: int = 0
    open: int = 0
    tasks: list[Any] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.tasks.append(asyncio.current_task())
        try:
            while (head := await _head(reader)) is not None:
                method, path, length = head[0], head[1], head[2]
                body = await reader.readexactly(length)
                self.raw.append(head[3] + body)
                self.paths.append(path)
                if method == "POST":
                    self.bodies.append(json.loads(body))
                if not await self._answer(reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self.open -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        step = self.script.pop(0) if self.script else Say("ok")
        raw = step if isinstance(step, Raw) else Raw(WIRES[self.wire](step))
        lines = [f"HTTP/1.1 {raw.status} X", *(f"{name}: {value}" for name, value in raw.headers)]
        if not raw.end:
            lines.append(f"content-length: {len(raw.body.encode())}")
        else:
            lines.append("transfer-encoding: chunked")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        data = raw.body.encode()
        if raw.end and data:
            data = f"{len(data):x}\r\n".encode() + data + b"\r\n"
        writer.write(data)
        await writer.drain()
        if raw.end == "hang":
            if not await reader.read(1):
                self.gone.set()
            return False
        return raw.end != "drop"


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, int, bytes] | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().split("\r\n")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    method, path, _ = first.split(" ")
    return method, path, int(headers.get("content-length", 0)), head


@asynccontextmanager
async def serving(wire: str, *script: Say | Raw) -> AsyncIterator[Server]:
    """A server on a free port of this machine, for the block."""
    known = Server(wire, script=list(script))
    server = await asyncio.start_server(known.handle, "127.0.0.1", 0)
    known.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}" + (
        "/v1" if wire in ("chat", "responses") else ""
    )
    async with server:
        yield known
        for task in known.tasks:
            task.cancel()
        await asyncio.gather(*known.tasks)
