"""The transport below the SDKs: redirects within a server, and replies of Chat Completions in the form of the standard."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any

import httpx2

from musespark.models.providers.adapter.chat_chunks import ChunkNormalizer
from musespark.models.providers.adapter.event_reader import EventReader
from musespark.models.providers.adapter.message_events import to_message_events
from musespark.models.providers.adapter.redirects import MAX_REDIRECTS, find_redirect
from musespark.models.providers.adapter.rejected_fields import without_rejected

_LENGTH_HEADERS = ("content-length", "transfer-encoding")
_BODY_HEADERS = (*_LENGTH_HEADERS, "content-encoding")
_CHANGED_HEADERS = (*_BODY_HEADERS, "content-type")
_DONE = b"data: [DONE]\n\n"
MESSAGES_PATH = "/messages"


class BackendTransport(httpx2.AsyncBaseTransport):
    """The transport of one model's client."""

    def __init__(
        self, inner: httpx2.AsyncBaseTransport, normalized_path: str | None = None
    ) -> None:
        """normalized_path: end of the path whose replies may depart from the standard of its protocol; None if none does."""
        self._inner, self._path = inner, normalized_path

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and again to where the server redirects it, and without what it rejects but does not need. Raises
        `RedirectRefused` for another server."""
        request, response = await self._send(request)
        while (
            self._is_normalized(request)
            and response.is_client_error
            and self._path != MESSAGES_PATH
        ):
            said = await response.aread()
            await response.aclose()
            changed = without_rejected(await request.aread(), response.status_code, said)
            if changed is None:
                return _reread(response, said)
            request, response = await self._send(_with_body(request, changed))
        if not (self._is_normalized(request) and response.is_success):
            return response
        if self._path == MESSAGES_PATH:
            return await _with_message_events(response)
        return _replaced(response, NormalizedStream(response))

    def _is_normalized(self, request: httpx2.Request) -> bool:
        return bool(self._path) and request.url.path.endswith(self._path or "")

    async def _send(self, request: httpx2.Request) -> tuple[httpx2.Request, httpx2.Response]:
        """Send a request. Returns the last one, after redirects, and its response."""
        for count in range(MAX_REDIRECTS + 1):
            response = await self._inner.handle_async_request(request)
            location = response.headers.get("location")
            try:
                target = find_redirect(str(request.url), response.status_code, location, count)
            except BaseException:
                await response.aclose()
                raise
            if target is None:
                break
            await response.aclose()
            request = httpx2.Request(
                request.method,
                target,
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        return request, response

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


def _with_body(request: httpx2.Request, body: bytes) -> httpx2.Request:
    """A request with another body."""
    kept = [
        item for item in request.headers.multi_items() if item[0].lower() not in _LENGTH_HEADERS
    ]
    return httpx2.Request(
        request.method, request.url, headers=kept, content=body, extensions=request.extensions
    )


def _reread(response: httpx2.Response, body: bytes) -> httpx2.Response:
    """A response whose body was read, to be read once more."""
    kept = [item for item in response.headers.multi_items() if item[0].lower() not in _BODY_HEADERS]
    return httpx2.Response(
        response.status_code, headers=kept, content=body, extensions=response.extensions
    )


async def _with_message_events(response: httpx2.Response) -> httpx2.Response:
    """The reply of a server that speaks Anthropic's Messages, as events if it is one JSON document."""
    if not response.headers.get("content-type", "").startswith("application/json"):
        return response
    body = b"".join([piece async for piece in response.aiter_bytes()])
    await response.aclose()
    return _replaced(response, httpx2.ByteStream(to_message_events(body)))


def _replaced(
    response: httpx2.Response, stream: httpx2.AsyncByteStream | httpx2.ByteStream
) -> httpx2.Response:
    """A response of events with another body."""
    kept = [
        item for item in response.headers.multi_items() if item[0].lower() not in _CHANGED_HEADERS
    ]
    return httpx2.Response(
        response.status_code,
        headers=[*kept, ("content-type", "text/event-stream")],
        stream=stream,
        extensions=response.extensions,
    )


class NormalizedStream(httpx2.AsyncByteStream):
    """The body of a reply, as events that every client can read."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._normalizer = ChunkNormalizer()
        self._events = self._normalize()

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The rest of the events: who asks again goes on where the first has stopped."""
        return self._events

    async def aclose(self) -> None:
        """Stop reading."""
        await self._events.aclose()
        await self._response.aclose()

    async def _normalize(self) -> AsyncGenerator[bytes, None]:
        reader = EventReader()
        async for received in self._response.aiter_bytes():
            if reader.is_done:
                continue  # read to the end, so that the connection can be reused
            if events := self._encode(reader.feed(received)):
                yield events
            if reader.is_done:
                yield self._encode_end(reader)
        if not reader.is_done:
            yield self._encode(reader.end()) + self._encode_end(reader)

    def _encode(self, chunks: Iterable[Any]) -> bytes:
        return b"".join(
            b"data: " + json.dumps(self._normalizer.normalize(chunk)).encode() + b"\n\n"
            for chunk in chunks
        )

    def _encode_end(self, reader: EventReader) -> bytes:
        end = self._normalizer.close() if reader.is_whole else None
        encoded = b"" if end is None else b"data: " + json.dumps(end).encode() + b"\n\n"
        return encoded + (_DONE if reader.is_whole else b"")
