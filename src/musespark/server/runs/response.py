"""The response to a request of a protocol, as an ASGI application: streamed or whole, until the run or the client ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from musespark.errors import MuseError, StoreUnusable
from musespark.events import RunEnded
from musespark.server.errors import ErrorReply
from musespark.server.http.event_stream import EventStream, StreamTiming, serve_until_disconnect
from musespark.server.protocols.base import ChunkEncoder, Dialect, to_sse
from musespark.server.protocols.encoder import ReplyEncoder, without_dropped_text
from musespark.server.protocols.warnings import log_warnings, warning_headers
from musespark.server.resolve.resolve import stored_options
from musespark.server.runs.session import RunSession
from musespark.store.json_text import to_json_bytes
from musespark.store.runs.record import RunHeader

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

STATUS_WINDOW = 0.02
"""Seconds within which an error still becomes the response's status; then a stream is opened."""
GOODBYE_TIMEOUT = 1.0
"""Seconds a client has to read that the server is stopping."""
STOPPING = ErrorReply(
    status=503,
    code="stopping",
    message="The server is being stopped; ask again in a moment.",
    retry=True,
)


class RunResponse:
    """Response that runs a session and encodes its events. If the client disconnects, everything the run started is cancelled."""

    def __init__(
        self,
        dialect: Dialect[Any],
        session: RunSession,
        reply: Callable[[MuseError], ErrorReply],
        timing: StreamTiming | None = None,
    ) -> None:
        """reply: makes the reply to an error."""
        self._timing = timing
        resolved, created = session.resolved, int(time.time())
        parsed = resolved.parsed
        self._dialect, self._session, self._is_streamed = dialect, session, parsed.stream
        self._error_reply = reply
        self._header = RunHeader(
            id=session.id,
            protocol=dialect.name,
            model=parsed.model,
            conversation=parsed.conversation,
            caller=session.caller,
            created=created,
            options=stored_options(resolved),
        )
        links = f"/v1/runs/{session.id}/pictures/" if session.runs is not None else None
        self._reply = ReplyEncoder(
            headline=resolved.headline,
            notes=resolved.notes,
            show_progress=resolved.show_progress,
            links=links,
            is_json=resolved.request.schema is not None,
            warnings=resolved.warnings,
        )
        log_warnings(session.id, parsed.model, resolved.warnings)
        self._chunks: ChunkEncoder = dialect.encoder(parsed, session.id, created)
        self._opening = self._chunks.start()
        id = session.id.encode()
        self._headers = [
            (b"x-muse-run", id),
            (b"x-request-id", id),
            (b"request-id", id),
            *warning_headers(resolved.warnings),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = EventStream(
            send,
            headers=self._headers,
            preamble=to_sse(self._dialect, self._opening),
            keep_alive=self._dialect.keep_alive,
            timing=self._timing,
        )
        work = asyncio.create_task(
            self._stream(stream, send) if self._is_streamed else self._collect(stream, send)
        )
        companions = [lambda: self._open(stream), stream.keep_alive] if self._is_streamed else []
        try:
            await serve_until_disconnect(
                work,
                receive,
                companions=companions,
                head_start=STATUS_WINDOW,
                on_disconnect=self._session.mark_disconnected,
            )
        except asyncio.CancelledError:  # the server stops, and the time for runs to end is over
            if work.cancelled():
                with suppress(
                    TimeoutError, RuntimeError
                ):  # the client does not read, or has half of a reply already
                    async with asyncio.timeout(GOODBYE_TIMEOUT):
                        await self._send_error(stream, send, STOPPING)
            raise

    async def _open(self, stream: EventStream) -> None:
        """Open the stream, which names the run: so not before its start is stored. Then wait until this is cancelled."""
        try:
            await self._session.flush()
            if not stream.is_open:
                await stream.write()
        except (
            StoreUnusable
        ):  # the run fails of that as well: now, and not after a minute of model calls
            self._session.budget.stop()
        await asyncio.Event().wait()

    async def _stream(self, stream: EventStream, send: Send) -> None:
        end = b""
        try:
            async with aclosing(self._session.batches(self._header)) as batches:
                async for batch in batches:
                    pieces = (piece for event in batch for piece in self._reply.encode(event))
                    chunks = [chunk for piece in pieces for chunk in self._chunks.encode(piece)]
                    if isinstance(batch[-1], RunEnded):
                        end = to_sse(self._dialect, chunks)
                    elif chunks:
                        await self._session.flush()
                        await stream.write(to_sse(self._dialect, chunks))
        except MuseError as error:
            await self._send_error(stream, send, self._error_reply(error))
            return
        except Exception as crash:
            await self._send_error(stream, send, self._error_reply(_internal_error(crash)))
            raise
        await stream.write(end + self._dialect.end_marker, last=True)

    async def _collect(self, stream: EventStream, send: Send) -> None:
        try:
            async with aclosing(self._session.batches(self._header)) as batches:
                events = [event async for batch in batches for event in batch]
        except MuseError as error:
            await self._send_error(stream, send, self._error_reply(error))
            return
        except Exception as crash:
            await self._send_error(stream, send, self._error_reply(_internal_error(crash)))
            raise
        pieces = (
            piece for event in without_dropped_text(events) for piece in self._reply.encode(event)
        )
        chunks = [
            *self._opening,
            *(chunk for piece in pieces for chunk in self._chunks.encode(piece)),
        ]
        await self._send_json(send, 200, self._dialect.collect(chunks), [])

    async def _send_error(self, stream: EventStream, send: Send, reply: ErrorReply) -> None:
        """Send an error as a status if nothing was sent yet, else as the protocol has it within a stream."""
        if await stream.claim():
            await self._send_json(
                send,
                reply.status,
                self._dialect.error_body(reply, self._session.id),
                retry_headers(reply),
            )
        else:
            await stream.write(
                to_sse(self._dialect, self._chunks.encode_error(reply)) + self._dialect.end_marker,
                last=True,
            )

    async def _send_json(
        self, send: Send, status: int, value: object, extra: list[tuple[bytes, bytes]]
    ) -> None:
        body = to_json_bytes(value)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *self._headers,
            *extra,
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def retry_headers(reply: ErrorReply) -> list[tuple[bytes, bytes]]:
    """Headers that say if and when to retry; OpenAI's and Anthropic's SDKs obey the second."""
    wait = (
        [] if reply.retry_after is None else [(b"retry-after", f"{reply.retry_after:g}".encode())]
    )
    return [*wait, (b"x-should-retry", b"true" if reply.retry else b"false")]


def _internal_error(crash: Exception) -> MuseError:
    return MuseError(f"The server has a fault ({type(crash).__name__}); its log says more.")
