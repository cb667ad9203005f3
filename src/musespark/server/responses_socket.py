"""Responses over a WebSocket: the same requests and events as over HTTP, one response after the other on one connection.

A response that is not stored can be continued on its connection, as long as it is the last one there.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import TypeAdapter
from starlette.requests import Request as HttpRequest
from starlette.types import Message, Receive, Scope, Send

from musespark.errors import MuseError
from musespark.server.errors import ErrorReply, RequestRefused
from musespark.server.http.body import MAX_BYTES, BodyMemory, parse_body
from musespark.server.http.hosts import require_same_origin
from musespark.server.protocols.base import Chunk, RequestContext
from musespark.server.protocols.responses.body import (
    ResponsesBody,
    ResponsesItem,
    ResponsesMessageItem,
)
from musespark.server.protocols.responses.dialect import Responses
from musespark.server.protocols.responses.stored_items import input_items
from musespark.server.request_context import gather_context, require_valid_schemas
from musespark.server.runs.response import RunResponse
from musespark.server.state import ServerState
from musespark.store.json_text import to_json_bytes

IDLE = 3600.0
"""Seconds without a request after which a connection is closed."""
_ITEMS: TypeAdapter[list[ResponsesItem]] = TypeAdapter(list[ResponsesItem])


class SocketBody(ResponsesBody):
    """A request on a connection: the body of POST /v1/responses with its type."""

    type: Literal["response.create"]
    generate: bool | None = None
    """False for a response without output, from which the next goes on."""


@dataclass
class _LastResponse:
    """The last response of a connection, if it is not stored, with the conversation that it ends."""

    id: str
    items: list[ResponsesItem]
    size: int
    """Bytes of the items as JSON."""


class ResponsesSocket:
    """Endpoint of the connections, as an ASGI application."""

    def __init__(self, server: ServerState) -> None:
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = HttpRequest({**scope, "type": "http", "method": "POST"}, receive)
        try:
            origins = self._server.settings.origins
            if not {"*", http.headers.get("origin", "").lower()} & set(origins):
                require_same_origin(http)  # a browser opens connections for pages of any origin
            await self._server.authenticate(http)
        except MuseError as error:
            await _deny(self._server.reply(error, None), scope, send)
            return
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        await _Connection(self._server, http, receive, send).run()


async def _deny(reply: ErrorReply, scope: Scope, send: Send) -> None:
    """Refuse a connection, with the error's status where the server can send one."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"application/json")]
    body = to_json_bytes(Responses().error_body(reply, ""))
    start = {"status": reply.status, "headers": headers}
    await send({"type": "websocket.http.response.start", **start})
    await send({"type": "websocket.http.response.body", "body": body})


@dataclass(eq=False)
class _Connection:
    """One connection and its requests, which are answered in their order."""

    server: ServerState
    http: HttpRequest
    source: Receive
    sink: Send
    dialect: Responses = field(default_factory=Responses)
    last: _LastResponse | None = None
    requests: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(1))
    has_left: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Answer requests until the client leaves, or is silent for long."""
        reader = asyncio.create_task(self._read())
        try:
            with suppress(TimeoutError):
                while True:
                    async with asyncio.timeout(IDLE):
                        raw = await self.requests.get()
                    if raw is None:
                        return
                    await self._answer(raw)
            await self.sink({"type": "websocket.close", "code": 1001})
        finally:
            reader.cancel()
            await asyncio.wait([reader])

    async def _read(self) -> None:
        while not self.has_left.is_set():
            message = await self.source()
            if message["type"] == "websocket.disconnect":
                self.has_left.set()
                await self.requests.put(None)
            else:
                text = message.get("text")
                await self.requests.put(text.encode() if text else message.get("bytes") or b"")

    async def _answer(self, raw: bytes) -> None:
        """Answer a request. One that fails drops the response that it was to continue."""
        memory: BodyMemory = self.http.app.state.body_memory
        memory.used += len(raw)
        last, self.last = self.last, None
        try:
            if memory.used > memory.limit:
                raise RequestRefused(
                    "The server is reading as many requests as it can; retry in a moment.",
                    status=429,
                    code="busy",
                )
            _require_size(len(raw))
            await self._respond(parse_body(SocketBody, raw), last, len(raw))
        except MuseError as error:
            await self.fail(self._reply(error))
        finally:
            memory.used -= len(raw)

    async def _respond(self, body: SocketBody, last: _LastResponse | None, size: int) -> None:
        """Answer a request. last: the response before it. size: bytes of the request."""
        caller = await self.server.authenticate(self.http)
        self.server.require_capacity(caller)
        previous = body.previous_response_id
        changes: dict[str, Any] = {"stream": True, "input": _items(body)}
        if last is not None and last.id == previous:
            _require_size(last.size + size)
            changes |= {"input": [*last.items, *changes["input"]], "previous_response_id": None}
        body, context = await gather_context(
            self.server,
            self.dialect,
            body.model_copy(update=changes),
            caller=caller.name,
            options=self.http.headers.get("x-muse"),
        )
        parsed = self.dialect.parse(body, context)
        parsed = replace(parsed, echo={**parsed.echo, "previous_response_id": previous})
        require_valid_schemas(parsed)
        if body.generate is False:
            id = uuid.uuid4().hex
            encoder = self.dialect.encoder(parsed, id, int(time.time()))
            for event in encoder.start():
                await self.send(event)
            response = encoder.snapshot("completed")
            await self.send(
                {"type": "response.completed", "sequence_number": 2, "response": response}
            )
            self._keep(response, body, context)
            return
        session = await self.server.open_session(parsed, caller)
        frames = _Frames(self)
        counted = self.server.metrics.count_status(self.dialect.name, frames)
        with self.server.track(session):
            run = RunResponse(self.dialect, session, self._reply, self.server.settings.stream)
            await run(self.http.scope, self._disconnected, counted)
        if frames.response is not None and not parsed.store:
            self._keep(frames.response, body, context)

    def _keep(self, response: Chunk, body: SocketBody, context: RequestContext) -> None:
        """Remember a response with its conversation, for the next request."""
        earlier = _ITEMS.validate_python(input_items("0" * 32, context.earlier))
        output = _ITEMS.validate_python(response["output"])
        items = [*earlier, *_items(body), *output]
        self.last = _LastResponse(response["id"], items, len(_ITEMS.dump_json(items)))

    def _reply(self, error: MuseError) -> ErrorReply:
        return self.server.reply(error, self.http.scope.get("muse.caller"))

    async def _disconnected(self) -> Message:
        """Wait until the client has left, as HTTP tells it."""
        await self.has_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Chunk | str) -> None:
        """Send an event, as an object or as JSON."""
        text = event if isinstance(event, str) else to_json_bytes(event).decode()
        await self.sink({"type": "websocket.send", "text": text})

    async def fail(self, reply: ErrorReply) -> None:
        """Send the event of a request that failed before it had a response."""
        error = self.dialect.error_body(reply, "")["error"]
        event = {"type": "error", "sequence_number": 0, "status": reply.status, "error": error}
        await self.send(event)


class _Frames:
    """ASGI `send` of a streamed response that passes its events on to a connection."""

    def __init__(self, connection: _Connection) -> None:
        self._connection, self._status, self._buffer = connection, 200, b""
        self.response: Chunk | None = None
        """The response, once it is complete."""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            return
        self._buffer += message.get("body", b"")
        if self._status != 200:  # an error that came before the first event
            error = json.loads(self._buffer)["error"]
            reply = ErrorReply(
                status=self._status,
                code=error["code"],
                message=error["message"],
                param=error["param"],
            )
            await self._connection.fail(reply)
            return
        *frames, self._buffer = self._buffer.split(b"\n\n")
        for frame in frames:
            data = frame.partition(b"\ndata: ")[2]  # comments have none
            if data:
                if frame.startswith((b"event: response.completed", b"event: response.incomplete")):
                    self.response = json.loads(data)["response"]
                await self._connection.send(data.decode())


def _require_size(size: int) -> None:
    """Raise `RequestRefused` for a conversation that would be too large for a body over HTTP."""
    if size > MAX_BYTES:
        raise RequestRefused(
            f"The conversation is larger than {MAX_BYTES // 1_000_000} MB; begin a new one.",
            status=413,
            code="too_large",
        )


def _items(body: ResponsesBody) -> list[ResponsesItem]:
    """Return the input of a request as items."""
    if isinstance(body.input, str):
        return [ResponsesMessageItem(role="user", content=body.input)]
    return list(body.input)
