"""Streams: what a reply of 100 chunks costs, 500 streams at once, and the first sign of life of a silent model."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from dataclasses import astuple, dataclass
from typing import Any

import openai
from load.backend import SCRIPTS
from load.client import QUESTION, Connection, connected, request
from load.processes import Process

KEPT: dict[str, Any] = {}
NOT_KEPT: dict[str, Any] = {"muse": {"store": False}}


def sdk(port: int) -> openai.AsyncOpenAI:
    """OpenAI's own client of a server on this machine."""
    return openai.AsyncOpenAI(
        base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0, timeout=60
    )


async def consumed(
    client: openai.AsyncOpenAI, model: str, extra: dict[str, Any]
) -> tuple[int, str]:
    """A stream read to its end: how many chunks there were, and the text."""
    pieces: list[str] = []
    chunks = 0
    async for chunk in await client.chat.completions.create(
        model=model, messages=QUESTION, stream=True, extra_body=extra
    ):
        chunks += 1
        pieces += [choice.delta.content for choice in chunk.choices if choice.delta.content]
    return chunks, "".join(pieces)


@dataclass(frozen=True)
class Cost:
    """Cost of a stream: milliseconds of processor time, and the chunks that reach the client."""

    client: float
    server: float
    chunks: float


async def cost_of_streams(server: Process, model: str, count: int, extra: dict[str, Any]) -> Cost:
    """The median of ten rounds of so many streams, one after the other. Raises RuntimeError for one that is not whole."""
    rounds: list[Cost] = []
    async with sdk(server.port) as client:
        for _ in range(3):
            await consumed(client, model, extra)
        for _ in range(10):
            own, theirs, received = time.process_time(), server.cpu, 0
            for _ in range(count):
                chunks, text = await consumed(client, model, extra)
                received += chunks
                if text != "".join(SCRIPTS[model.removeprefix("fake-")].pieces):
                    raise RuntimeError(f"a wrong stream of {chunks} chunks: {text[-80:]!r}")
            rounds.append(
                Cost(
                    (time.process_time() - own) / count * 1e3,
                    (server.cpu - theirs) / count * 1e3,
                    received / count,
                )
            )
    return Cost(*map(statistics.median, zip(*map(astuple, rounds), strict=True)))


async def first_signs(server: Process, model: str, count: int) -> list[float]:
    """Milliseconds until an ordinary client has the first chunk from a model that is silent for a second."""
    waits: list[float] = []
    gc.collect()
    gc.freeze()  # or this client would go through all that it has imported, just while it waits
    async with sdk(server.port) as client:
        for number in range(count + 1):
            began = time.perf_counter()
            stream = await client.chat.completions.create(
                model=model, messages=QUESTION, stream=True
            )
            await anext(aiter(stream))
            waits += (
                [(time.perf_counter() - began) * 1e3] if number else []
            )  # the first of all opens the connection
            await stream.close()
    return waits


async def held_open(server: Process, model: str, count: int, seconds: float) -> dict[str, float]:
    """So many streams at once, each with a piece every half second: how many are alive and go on after a while, the megabytes
    that each holds, and how long a new request waits for its first byte meanwhile (median and worst, in milliseconds)."""
    before = server.memory
    sent = request(model, stream=True)
    connections = [await connected(server.port) for _ in range(count)]
    streams = [asyncio.create_task(connection.ask(sent)) for connection in connections]
    deadline = time.monotonic() + 30
    while (
        any(len(connection.body) < 400 for connection in connections)
        and time.monotonic() < deadline
    ):
        await asyncio.sleep(0.1)
    marks = [_words(connection) for connection in connections]
    waits = [await _first_byte(server) for _ in range(20)]
    await asyncio.sleep(seconds)
    alive = sum(not stream.done() for stream in streams)
    gained = [
        _words(connection) - mark for connection, mark in zip(connections, marks, strict=True)
    ]
    each = (server.memory - before) / count
    for connection in connections:
        connection.close()
    await asyncio.gather(*streams, return_exceptions=True)
    return {
        "alive": alive,
        "going on": sum(words >= 2 for words in gained),
        "least": min(gained),
        "each": each,
        "first": statistics.median(waits),
        "worst": max(waits),
    }


def _words(connection: Connection) -> int:
    return connection.body.count(b"word")


async def _first_byte(server: Process) -> float:
    connection = await connected(server.port)
    began = time.perf_counter()
    await connection.ask(request("quick", stream=True))
    connection.close()
    assert connection.first is not None
    return (connection.first - began) * 1e3
