"""A fake model's server that costs next to nothing: Chat Completions on loopback, every reply made in advance.

    python benchmarks/load/backend.py --port 8000

The model's name says how it replies; see `SCRIPTS`. Where all of a reply is due at once, it is written at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Script:
    """A reply: its pieces, the seconds before the first, and between two of them."""

    pieces: tuple[str, ...]
    first: float = 0.0
    between: float = 0.0


SCRIPTS = {
    "quick": Script(("The answer ", "is ", "42.")),
    "hundred": Script(tuple(f"word{number} " for number in range(100))),
    "hundred-paced": Script(tuple(f"word{number} " for number in range(100)), between=0.01),
    "endless": Script(tuple(f"word{number} " for number in range(60)), between=0.5),
    "silent": Script(("At last.",), first=1.0),
}
_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


@cache
def whole(name: str) -> bytes:
    """The reply that is not streamed, its head included."""
    message = {"role": "assistant", "content": "".join(SCRIPTS[name].pieces)}
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": name,
            "usage": _USAGE,
            "choices": [
                {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
            ],
        }
    ).encode()
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        % len(body)
        + body
    )


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@cache
def streamed(name: str, usage: bool) -> tuple[bytes, ...]:
    """The chunks of a stream as they go over the wire: who speaks, the pieces, the end."""

    def event(data: str) -> bytes:
        sent = f"data: {data}\n\n".encode()
        return b"%x\r\n%s\r\n" % (len(sent), sent)

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return event(
            json.dumps(
                {
                    **head,
                    "choices": [
                        {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
                    ],
                }
            )
        )

    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": name}
    end = chunk({}, "stop") + (
        event(json.dumps({**head, "choices": [], "usage": _USAGE})) if usage else b""
    )
    pieces = [chunk({"content": piece}) for piece in SCRIPTS[name].pieces]
    return (
        chunk({"role": "assistant", "content": ""}),
        *pieces,
        end + event("[DONE]") + b"0\r\n\r\n",
    )


class Connection(asyncio.Protocol):
    """One client; its requests are answered in turn."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(self._received) < end + 4 + length:
            return
        body = self._received[end + 4 : end + 4 + length]
        del self._received[: end + 4 + length]
        self._answer(json.loads(body) if body else {"model": "quick"})

    def _answer(self, asked: dict[str, Any]) -> None:
        name = asked["model"]
        script = SCRIPTS[name]
        if not asked.get("stream"):
            self._after(
                script.first + script.between * len(script.pieces),
                self._transport.write,
                whole(name),
            )
            return
        chunks = streamed(name, bool((asked.get("stream_options") or {}).get("include_usage")))
        if script.first or script.between:
            self._transport.write(HEAD)
            self._after(script.first, self._piece, chunks, 0, script.between)
        else:
            self._transport.write(HEAD + b"".join(chunks))

    def _piece(self, chunks: tuple[bytes, ...], number: int, between: float) -> None:
        self._transport.write(chunks[number])
        if number + 1 < len(chunks):
            self._after(between, self._piece, chunks, number + 1, between)

    def _after(self, seconds: float, act: Any, *arguments: Any) -> None:
        if seconds:
            self._timer = self._loop.call_later(seconds, act, *arguments)
        else:
            act(*arguments)


async def serve(port: int) -> None:
    """Until the process ends."""
    server = await asyncio.get_running_loop().create_server(
        Connection, "127.0.0.1", port, backlog=2048
    )
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))
