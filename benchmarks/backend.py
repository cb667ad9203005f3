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
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from prompts import Prompt

FAULTS = ("hang", "cut", "html", "garbage", "400", "429", "500")
REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Server Error",
}


@dataclass(frozen=True, kw_only=True)
class Script:
    """How the backend behaves. Times are in seconds."""

    latency: float = 0.3
    first: float | None = None
    """When the first token of a stream is there, the others evenly after it; None: at five sixths of the latency."""
    answers: str = "agree"
    """`agree`: always the same one; `disagree`: every answer another; `settle`: another until rivals' answers are shown."""
    many: str = "honour"
    """What becomes of `n` above 1: `honour`, `ignore` (one choice comes back) or `refuse` (400)."""
    faults: Mapping[int, str] = field(default_factory=dict)
    """By number of the call, from 0: one of FAULTS. A hung call is answered after all, `hang` seconds late."""
    hang: float = 25.0
    retry_after: int = 1
    """What a 429 says."""

    def __post_init__(self) -> None:
        for option, value, known in (
            ("answers", self.answers, ("agree", "disagree", "settle")),
            ("many", self.many, ("honour", "ignore", "refuse")),
            *(("fault", fault, FAULTS) for fault in self.faults.values()),
        ):
            if value not in known:
                raise ValueError(f"{option} is {value!r}; it must be one of {', '.join(known)}")

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self:
        """From JSON, whose keys are strings. Raises ValueError or TypeError."""
        faults = {int(call): str(fault) for call, fault in fields.get("faults", {}).items()}
        return cls(**{**fields, "faults": faults})

    def due(self, tokens: int) -> list[float]:
        """When each of so many tokens is there, in seconds after the call."""
        first = min(self.latency * 5 / 6 if self.first is None else self.first, self.latency)
        return [
            self.latency - (self.latency - first) * (tokens - 1 - token) / max(1, tokens - 1)
            for token in range(tokens)
        ]


@dataclass(kw_only=True)
class Call:
    """One call in the log. Times are in seconds since the log was emptied."""

    index: int
    kind: str
    """`answer`, `rate`, `judge`, `merge`, `review` (candidates, but nothing to choose) or `marked`."""
    model: str
    choices: int
    stream: bool
    fault: str | None
    arrived: float
    first_byte: float | None = None
    ended: float | None = None
    outcome: str = "open"
    """`answered`, `left` (the client closed the connection first), or the fault."""
    prompt_tokens: int = 0
    tokens: int = 0
    """Written by the time it ended, in all choices."""


class Left(Exception):
    """The client closed the connection."""


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
        """What `GET /log` tells."""
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


def refusal(reason: str) -> dict[str, Any]:
    """An error as an OpenAI-compatible server words it."""
    return {"error": {"message": reason, "type": "invalid_request_error", "code": None}}


class Reply:
    """What is sent back, on a connection that stays open."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def json(self, status: int, value: Any, *headers: str) -> None:
        await self.whole(status, "application/json", json.dumps(value).encode(), *headers)

    async def whole(
        self, status: int, kind: str, body: bytes, *headers: str, sent: int | None = None
    ) -> None:
        """sent: of the bytes that are announced, only so many come."""
        lines = [
            f"HTTP/1.1 {status} {REASONS[status]}",
            f"content-type: {kind}",
            f"content-length: {len(body)}",
            *headers,
        ]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body[:sent])
        await self._writer.drain()

    def begin(self) -> None:
        """A stream of server-sent events."""
        self._writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )

    async def event(self, data: str) -> None:
        data = f"data: {data}\n\n"
        self._writer.write(f"{len(data.encode()):x}\r\n{data}\r\n".encode())
        await self._writer.drain()

    async def end(self) -> None:
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    def cut(self) -> None:
        """Close the connection in the middle, after what was written."""
        self._writer.close()


class Answer:
    """What one call gets, faults included."""

    def __init__(
        self, backend: Backend, call: Call, prompt: Prompt, asked: Mapping[str, Any], since: float
    ) -> None:
        self.backend, self.script, self.call, self.since = backend, backend.script, call, since
        self.most = asked.get("max_completion_tokens") or asked.get("max_tokens")
        replies = [
            prompt.reply(self.script.answers, backend.answers + choice)
            for choice in range(call.choices)
        ]
        backend.answers += call.choices
        self.texts = [re.findall(r"\s*\S+", reply) for reply in replies]
        self.choices = [text[: self.most] for text in self.texts]
        self.counted = bool((asked.get("stream_options") or {}).get("include_usage"))
        self.start = time.monotonic()

    async def give(self, reply: Reply) -> None:
        """Answer the call; cancelled where its client leaves. The call's tokens are kept up to date."""
        fault, script = self.call.fault, self.script
        if self.call.choices > 1 and script.many == "refuse":
            fault = self.call.fault = "400"
        if fault == "hang":
            self.start += script.hang
        elif fault and fault != "cut":
            self.end(fault)
        match fault:
            case "400":
                await reply.json(400, refusal("the script refuses this call"))
            case "429":
                await reply.json(
                    429, refusal("too many requests"), f"retry-after: {script.retry_after}"
                )
            case "500":
                await reply.json(500, refusal("the script fails this call"))
            case "html":
                await reply.whole(
                    200,
                    "text/html",
                    b"<!doctype html><html><body><h1>Please sign in</h1></body></html>",
                )
            case "garbage":
                kind = "text/event-stream" if self.call.stream else "application/json"
                await reply.whole(200, kind, b'data: {"choices": [{"del\xff\n\n')
            case _ if self.call.stream:
                await self._stream(reply)
            case _:
                await self._whole(reply)

    def end(self, outcome: str) -> None:
        """Close the call in the log, if it is open. Done before the last byte is sent, so that a client finds the log complete."""
        if self.call.ended is None:
            self.backend.in_flight -= 1
            self.backend.active = time.monotonic()
            self.call.ended, self.call.outcome = self.backend.active - self.since, outcome

    async def _tokens(self) -> AsyncGenerator[int, None]:
        """The number of each token, when it is there; of all choices at once."""
        for number, due in enumerate(self.script.due(max(map(len, self.choices)))):
            await asyncio.sleep(self.start + due - time.monotonic())
            self.call.tokens += sum(number < len(choice) for choice in self.choices)
            yield number

    async def _stream(self, reply: Reply) -> None:
        async for number in self._tokens():
            if number == 0:
                self.call.first_byte = time.monotonic() - self.since
                reply.begin()
                for index in range(len(self.choices)):
                    await reply.event(
                        self._chunk([self._delta(index, {"role": "assistant", "content": ""})])
                    )
            if self.call.fault == "cut" and number >= len(self.choices[0]) // 2:
                self.end("cut")
                reply.cut()
                return
            for index, choice in enumerate(self.choices):
                if number < len(choice):
                    await reply.event(
                        self._chunk([self._delta(index, {"content": choice[number]})])
                    )
        for index in range(len(self.choices)):
            await reply.event(self._chunk([self._delta(index, {}, self._finish(index))]))
        if self.counted:
            await reply.event(self._chunk([], usage=self._usage()))
        self.end("answered")
        await reply.event("[DONE]")
        await reply.end()

    async def _whole(self, reply: Reply) -> None:
        async for _ in self._tokens():
            pass
        messages = [{"role": "assistant", "content": "".join(choice)} for choice in self.choices]
        choices = [
            {"index": index, "message": message, "finish_reason": self._finish(index)}
            for index, message in enumerate(messages)
        ]
        value = {**self._named("chat.completion"), "choices": choices, "usage": self._usage()}
        body = json.dumps(value).encode()
        self.call.first_byte = time.monotonic() - self.since
        if self.call.fault == "cut":
            self.end("cut")
            await reply.whole(200, "application/json", body, sent=len(body) // 2)
            reply.cut()
        else:
            self.end("answered")
            await reply.whole(200, "application/json", body)

    def _named(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.call.index}",
            "object": kind,
            "created": 0,
            "model": self.call.model,
        }

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> str:
        return json.dumps({**self._named("chat.completion.chunk"), "choices": choices, **more})

    def _delta(
        self, index: int, delta: dict[str, str], finish: str | None = None
    ) -> dict[str, Any]:
        return {"index": index, "delta": delta, "finish_reason": finish}

    def _finish(self, index: int) -> str:
        return "stop" if len(self.choices[index]) == len(self.texts[index]) else "length"

    def _usage(self) -> dict[str, int]:
        prompt, tokens = self.call.prompt_tokens, self.call.tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": tokens,
            "total_tokens": prompt + tokens,
        }


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
