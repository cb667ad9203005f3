"""A stand-in for a model's server, to measure what is built on one: Chat Completions on loopback, exactly as slow as it is told.

    python benchmarks/backend.py --port 0 --latency 0.3 --answers disagree --fault 3=hang --fault 5=400

    async with Backend(Script(answers="agree")) as backend:
        ...                                 # a client of backend.url
        print(backend.log()["in_flight_most"])

Every call takes `latency` seconds from its arrival to its last byte; calls do not slow each other. Answers are the same in every
run. Prompts that ask for a grade, a choice among candidates or one answer made of several get what they ask for, and
`[[reply: TEXT]]` in a prompt gets TEXT. `GET /log` tells what was asked and who left; `POST /reset` empties the log, counts calls
from 0 again and takes a new script: a JSON object with the fields of `Script`. Tokens are words here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Self

from backend_reply import Answer, Reply, refusal
from backend_script import FAULTS, Call, Left, Script
from prompts import Prompt


class Backend:
    """The server; `async with` starts and stops it, and `url` is what a client calls its base URL."""

    def __init__(self, script: Script | None = None, *, port: int = 0) -> None:
        self.script = script or Script()
        self.port = port
        self.calls: list[Call] = []
        self.in_flight = self.in_flight_most = self.answers = 0
        self._connections: set[asyncio.Task[None]] = set()
        self._since = self.active = time.monotonic()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def idle(self, seconds: float) -> None:
        """Until nobody has asked anything for so long."""
        while self.in_flight or time.monotonic() - self.active < seconds:
            await asyncio.sleep(min(1.0, seconds / 4))

    def reset(self, script: Script | None = None) -> None:
        """Empty the log and count calls from 0 again, with another script where one is given. Open calls keep the old log."""
        self.script = script or self.script
        self.calls, self.in_flight_most, self.answers, self._since = (
            [],
            self.in_flight,
            0,
            time.monotonic(),
        )

    def log(self) -> dict[str, Any]:
        """Return the JSON of `GET /log`."""
        return {
            "calls": [asdict(call) for call in self.calls],
            "in_flight_most": self.in_flight_most,
            "open": sum(call.outcome == "open" for call in self.calls),
            "left": sum(call.outcome == "left" for call in self.calls),
            "prompt_tokens": sum(call.prompt_tokens for call in self.calls),
            "tokens": sum(call.tokens for call in self.calls),
        }

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, Left):
            pass  # the client is gone; the log has it
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()
            self._connections.discard(task)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Request after request. While one is answered the next byte is awaited already: its end means that the client left."""
        ahead = asyncio.create_task(reader.read(1))
        try:
            while head := await ahead:
                head += await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
                body = await reader.readexactly(int(length[1]) if length else 0)
                ahead = asyncio.create_task(reader.read(1))
                self.active = time.monotonic()
                await self._serve(head, body, Reply(writer), ahead)
        finally:
            ahead.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await ahead

    async def _serve(
        self, head: bytes, body: bytes, reply: Reply, ahead: asyncio.Task[bytes]
    ) -> None:
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        match method, path.removeprefix("/v1").rstrip("/"):
            case "POST", "/chat/completions":
                try:
                    asked = json.loads(body)
                    prompt = Prompt.read(asked)
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    return await reply.json(
                        400, refusal(f"this is no Chat Completions request: {error!r}")
                    )
                return await self._take(asked, prompt, reply, ahead)
            case "GET", "/models":
                return await reply.json(
                    200,
                    {
                        "object": "list",
                        "data": [{"id": "fake", "object": "model", "owned_by": "nobody"}],
                    },
                )
            case "GET", "/log":
                return await reply.json(200, self.log())
            case "POST", "/reset":
                try:
                    self.reset(Script.read(json.loads(body or b"{}")))
                except (ValueError, TypeError) as error:
                    return await reply.json(400, refusal(str(error)))
                return await reply.json(200, {})
        return await reply.json(404, refusal(f"there is no {method} {path} here"))

    async def _take(
        self, asked: dict[str, Any], prompt: Prompt, reply: Reply, ahead: asyncio.Task[bytes]
    ) -> None:
        """One call, from its arrival to its end or the client's leaving, whichever comes first."""
        choices = int(asked.get("n") or 1) if self.script.many != "ignore" else 1
        since, index = self._since, len(self.calls)
        call = Call(
            index=index,
            kind=prompt.kind,
            model=str(asked.get("model", "")),
            choices=choices,
            prompt_tokens=prompt.tokens,
            stream=bool(asked.get("stream")),
            fault=self.script.faults.get(index),
            arrived=time.monotonic() - since,
        )
        self.calls.append(call)
        self.in_flight += 1
        self.in_flight_most = max(self.in_flight_most, self.in_flight)
        answer = Answer(self, call, prompt, asked, since)
        answering = asyncio.create_task(answer.give(reply))
        try:
            await asyncio.wait({answering, ahead}, return_when=asyncio.FIRST_COMPLETED)
            if ahead.done() and not answering.done() and (ahead.exception() or not ahead.result()):
                raise Left
            await answering
        finally:
            answering.cancel()
            await asyncio.wait({answering})
            answer.end("left")


def main() -> None:
    """Serve until nobody has asked anything for a while."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="0: any that is free; it is printed")
    parser.add_argument(
        "--latency", type=float, default=0.3, help="seconds to the last byte of every answer"
    )
    parser.add_argument(
        "--first",
        type=float,
        help="seconds to the first token of a stream; default: five sixths of the latency",
    )
    parser.add_argument("--answers", default="agree", choices=["agree", "disagree", "settle"])
    parser.add_argument(
        "--many",
        default="honour",
        choices=["honour", "ignore", "refuse"],
        help="what becomes of n above 1",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="CALL=KIND",
        help=f"KIND: {', '.join(FAULTS)}",
    )
    parser.add_argument("--hang", type=float, default=25.0, help="seconds that a hung call is late")
    parser.add_argument(
        "--idle", type=float, default=120.0, help="seconds without a request after which it stops"
    )
    options = parser.parse_args()
    try:
        script = Script.read(
            {
                "latency": options.latency,
                "first": options.first,
                "answers": options.answers,
                "many": options.many,
                "faults": dict(fault.split("=", 1) for fault in options.fault),
                "hang": options.hang,
            }
        )
        asyncio.run(serve(script, options.port, options.idle))
    except (ValueError, OSError) as error:
        parser.error(str(error))


async def serve(script: Script, port: int, idle: float) -> None:
    """Print the base URL, then serve."""
    async with Backend(script, port=port) as backend:
        print(backend.url, flush=True)
        await backend.idle(idle)


if __name__ == "__main__":
    main()
