"""The transport below the SDKs: redirects within a server, and replies of Chat Completions in the form of the standard."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any

import httpx2

from musespark.models.providers.adapter.chat_chunks import ChunkNormalizer
from musespark.models.providers.adapter.event_reader import EventReader
from musespark.models.providers.adapter.redirects import MAX_REDIRECTS, find_redirect

CHAT_PATH = "/chat/completions"
_CHANGED_HEADERS = ("content-length", "content-encoding", "content-type", "transfer-encoding")
_DONE = b"data: [DONE]\n\n"


class BackendTransport(httpx2.AsyncBaseTransport):
    """The transport of one model's client."""

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        *,
        normalizes_chat: bool,
        thinking_field: str | None = None,
    ) -> None:
        """normalizes_chat: True for a server that may depart from the standard of Chat Completions."""
        self._inner = inner
        self._normalizes_chat, self._thinking_field = normalizes_chat, thinking_field

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and again to where the server redirects it. Raises `RedirectRefused` for another server."""
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
        is_chat = self._normalizes_chat and request.url.path.endswith(CHAT_PATH)
        return self._normalized(response) if is_chat and response.is_success else response

    def _normalized(self, response: httpx2.Response) -> httpx2.Response:
        headers = [
            item
            for item in response.headers.multi_items()
            if item[0].lower() not in _CHANGED_HEADERS
        ]
        return httpx2.Response(
            response.status_code,
            headers=[*headers, ("content-type", "text/event-stream")],
            stream=NormalizedStream(response, self._thinking_field),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


class NormalizedStream(httpx2.AsyncByteStream):
    """The body of a reply, as events that every client can read."""

    def __init__(self, response: httpx2.Response, thinking_field: str | None) -> None:
        self._response = response
        self._normalizer = ChunkNormalizer(thinking_field)
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
