"""Chat Completions without pydantic-ai and the SDK, for requests that are plain text to a server on plain HTTP.

pydantic-ai and the SDK below it take many times the processor time of this path for each call and each chunk; docs/providers.md has
the figures and their command. Requests and replies are the same either way, for any reply of a server; the tests compare both.
Tools, images, schemas, signatures and efforts go through pydantic-ai.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from musespark.content import Message, Request, Text, Thinking
from musespark.models.model import TextDelta, ThinkingDelta
from musespark.models.providers.adapter.chat_chunks import ChunkNormalizer
from musespark.models.providers.adapter.environment import find_proxy
from musespark.models.providers.adapter.event_reader import EventReader
from musespark.models.providers.adapter.redirects import RedirectRefused, find_redirect
from musespark.models.providers.adapter.rejected_fields import without_rejected
from musespark.models.providers.adapter.response_builder import ResponseBuilder
from musespark.models.providers.adapter.sampling import sampling_fields
from musespark.models.providers.adapter.token_counts import read_count
from musespark.models.providers.base import Access, Profile

if TYPE_CHECKING:
    import aiohttp
    from pydantic_ai.exceptions import ModelAPIError
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.usage import RequestUsage

FINISH_REASONS = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
}
"""pydantic-ai's name of each finish reason."""
DRAIN_TIMEOUT = 0.1
"""Seconds to wait for the end of the body after the end of the reply; after that the connection is closed."""
_UNSUPPORTED = (
    "openai_supports_reasoning",
    "openai_unsupported_model_settings",
    "openai_system_prompt_role",
)
"""Fields of a profile that change what is sent."""


def is_plain_http(address: str) -> bool:
    """True if a server is reached by plain HTTP without a proxy and without credentials in its URL."""
    url = urlsplit(address)
    is_simple = address.isascii() and address.isprintable() and " " not in address
    return (
        url.scheme == "http"
        and bool(url.hostname)
        and "@" not in url.netloc
        and is_simple
        and find_proxy(address) is None
    )


def build_body(model: str, request: Request, profile: Profile) -> dict[str, Any] | None:
    """Build the JSON body of a request; None if it needs more than this path supports."""
    is_special = any(profile.get(field) for field in _UNSUPPORTED)
    if request.tools or request.schema is not None or request.effort is not None or is_special:
        return None
    messages = [
        _to_json(message, is_first=number == 0) for number, message in enumerate(request.messages)
    ]
    if None in messages:
        return None
    options = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "max_tokens": request.max_tokens,
        "stop": list(request.stop) or None,
        **sampling_fields(request.sampling),
    }
    return {
        "model": model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        **{option: value for option, value in options.items() if value is not None},
    }


def _to_json(message: Message, is_first: bool) -> dict[str, str] | None:
    """A message of one text; None for any other. Unsigned thoughts of the assistant are left out."""
    parts = [
        part
        for part in message.parts
        if not (message.role == "assistant" and _is_unsigned_thought(part))
    ]
    if message.role == "tool" or (message.role == "system" and not is_first) or len(parts) != 1:
        return None
    part = parts[0]
    if not isinstance(part, Text) or not part.text or part.signature is not None:
        return None
    return {"role": message.role, "content": part.text}


def _is_unsigned_thought(part: object) -> bool:
    return isinstance(part, Thinking) and part.signature is None


@asynccontextmanager
async def open_stream(
    session: aiohttp.ClientSession,
    access: Access,
    body: dict[str, Any],
    system: str,
    profile: Profile,
) -> AsyncIterator[ChatStream]:
    """Send a request and open its reply. system: pydantic-ai's name of the provider. Raises aiohttp's and pydantic-ai's errors."""
    headers = {
        "authorization": f"Bearer {access.key}",
        "content-type": "application/json",
        "accept": "text/event-stream",
    }
    data = json.dumps(body, separators=(",", ":")).encode()
    url = access.base_url + "/chat/completions"
    async with (
        await _post_accepted(session, url, data, headers, body["model"]) as response,
        aclosing(
            ChatStream(response.content.iter_any(), body["model"], access.base_url, system, profile)
        ) as stream,
    ):
        yield stream


async def _post_accepted(
    session: aiohttp.ClientSession, url: str, data: bytes, headers: Mapping[str, str], model: str
) -> aiohttp.ClientResponse:
    """Send a request, and again without what the server rejects but does not need. Raises pydantic-ai's error for a status."""
    while True:
        response = await post(session, url, data, headers)
        if 200 <= response.status < 300:
            return response
        async with response:
            said = await response.read()
        changed = without_rejected(data, response.status, said)
        if changed is None:
            raise _to_error(model, response.status, said, response.headers)
        data = changed


async def post(
    session: aiohttp.ClientSession, url: str, data: bytes, headers: Mapping[str, str]
) -> aiohttp.ClientResponse:
    """Send a request. Sends it again if the server closes a reused connection just then, or said 408 on it: it has not read the
    request. Follows redirects within the server; raises `RedirectRefused` for others."""
    import aiohttp

    redirects = 0
    while True:
        reused: list[object] = []
        try:
            response = await session.post(
                url, data=data, headers=headers, allow_redirects=False, trace_request_ctx=reused
            )
        except aiohttp.ClientConnectionError as error:
            if not reused or isinstance(error, TimeoutError):
                raise
        else:
            is_stale = reused and response.status == HTTPStatus.REQUEST_TIMEOUT
            target = _find_redirect(response, redirects)
            if target is None and not is_stale:
                return response
            response.close()
            if target is not None:
                url, redirects = target, redirects + 1


def _find_redirect(response: aiohttp.ClientResponse, count: int) -> str | None:
    """The address that a response redirects to, as in `find_redirect`; closes the response if that is refused."""
    try:
        location = response.headers.get("location")
        return find_redirect(str(response.url), response.status, location, count)
    except RedirectRefused:
        response.close()
        raise


def _to_error(model: str, status: int, content: bytes, headers: Mapping[str, str]) -> ModelAPIError:
    """pydantic-ai's error for a status."""
    from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, ModelQuotaExceededError

    try:
        body: Any = json.loads(content)
    except ValueError:
        body = content.decode("utf-8", "replace")
    error = body.get("error", body) if isinstance(body, dict) else body
    if status < 400:
        return ModelAPIError(model, f"status {status}")
    is_quota = status == 402 or (
        isinstance(error, dict) and "insufficient_quota" in (error.get("code"), error.get("type"))
    )
    category = ModelQuotaExceededError if is_quota else None
    return ModelHTTPError.for_category(
        category, status_code=status, model_name=model, body=error, headers=headers
    )


class ChatStream:
    """A streamed reply: an iterator of deltas, and the whole response at its end. Has the interface of pydantic-ai's stream."""

    def __init__(
        self,
        received: AsyncIterator[bytes],
        model: str,
        address: str,
        system: str,
        profile: Profile,
    ) -> None:
        from pydantic_ai.usage import RequestUsage

        self.usage: RequestUsage = RequestUsage()
        self._received, self._address, self._system = received, address, system
        self._model, self._asked_model = model, model
        self._builder = ResponseBuilder(system, profile)
        self._thinking_field: str | None = profile.get("openai_chat_thinking_field")
        self._normalizer = ChunkNormalizer(self._thinking_field)
        self._finish: str | None = None
        self._chunks = 0
        self._has_finish_reason = False
        self._refusal = ""
        self._details: dict[str, Any] = {}
        self._deltas = self._stream_deltas()

    def __aiter__(self) -> AsyncGenerator[TextDelta | ThinkingDelta, None]:
        """The deltas, once."""
        return self._deltas

    async def aclose(self) -> None:
        """Stop reading."""
        await self._deltas.aclose()

    async def _stream_deltas(self) -> AsyncGenerator[TextDelta | ThinkingDelta, None]:
        """Yield deltas. Raises ValueError, TypeError and the like for a malformed chunk, and if there is no finish reason."""
        from pydantic_ai.exceptions import ModelAPIError

        reader = EventReader()
        async for received in self._received:
            for delta in _join_adjacent(self._parse_chunks(reader.feed(received))):
                yield delta
            if reader.is_done:
                await self._drain()
                break
        for delta in _join_adjacent(self._parse_chunks(reader.end())):
            yield delta
        if not self._chunks:
            raise ValueError("it has no events")
        if reader.is_whole and (end := self._normalizer.close()):
            list(self._parse_chunk(end))
        if not self._has_finish_reason:
            raise ModelAPIError(
                self._asked_model, "Streamed response ended without a `finish_reason`"
            )

    def _parse_chunks(self, chunks: Iterable[Any]) -> Iterator[TextDelta | ThinkingDelta]:
        """Yield the deltas of chunks that arrived together."""
        for chunk in chunks:
            self._chunks += 1
            yield from self._parse_chunk(self._normalizer.normalize(chunk))

    async def _drain(self) -> None:
        """Read a moment longer to the end of the body, so that the connection can be reused. Anything there is ignored."""
        with suppress(Exception):  # errors there as well
            async with asyncio.timeout(DRAIN_TIMEOUT):
                async for _ in self._received:
                    pass

    def _parse_chunk(self, chunk: Any) -> Iterator[TextDelta | ThinkingDelta]:
        """Yield the deltas of a chunk."""
        if chunk.get("error"):
            raise to_stream_error(self._asked_model, chunk["error"])
        if chunk.get("usage"):
            self._set_usage(chunk["usage"])
        self._model = chunk.get("model") or self._model
        if not chunk.get("choices"):
            return
        choice = chunk["choices"][0]
        finish, delta = choice.get("finish_reason"), choice.get("delta")
        self._has_finish_reason = self._has_finish_reason or bool(finish)
        if delta is None:
            return
        if delta.get("refusal"):
            self._refusal += delta["refusal"]
            return
        self._finish = finish or self._finish
        if isinstance(choice.get("stop_reason"), str):
            self._details["stop_reason"] = choice["stop_reason"]
        for field in (self._thinking_field, "reasoning", "reasoning_content"):
            thought = delta.get(field) if field else None
            if isinstance(thought, str) and thought and field:
                yield self._builder.add_thought(field, thought)
                break
        text = delta.get("content")
        if text and (piece := self._builder.add_text(text)):
            yield piece
        for call in delta.get("tool_calls") or ():
            self._builder.add_call(call)

    def _set_usage(self, usage: Any) -> None:
        if isinstance(usage, dict):  # a reply is worth more than its count
            self.usage.input_tokens = read_count(usage.get("prompt_tokens"))
            self.usage.output_tokens = read_count(usage.get("completion_tokens"))

    def get(self) -> ModelResponse:
        """The whole response."""
        from pydantic_ai.messages import ModelResponse

        details = self._details | ({"refusal": self._refusal} if self._refusal else {})
        if self._finish and self._finish not in FINISH_REASONS:
            details["finish_reason"] = self._finish
        finish: Any = "content_filter" if self._refusal else FINISH_REASONS.get(self._finish or "")
        return ModelResponse(
            parts=self._builder.build(),
            usage=self.usage,
            model_name=self._model,
            provider_name=self._system,
            provider_url=self._address,
            provider_details=details or None,
            finish_reason=finish,
        )


def _join_adjacent(
    pieces: Iterable[TextDelta | ThinkingDelta],
) -> Iterator[TextDelta | ThinkingDelta]:
    """Join adjacent deltas of one type, so that all work downstream is done once for text that arrived together. Deltas before an
    error come before it."""
    kind: type[TextDelta | ThinkingDelta] = TextDelta
    texts: list[str] = []
    try:
        for piece in pieces:
            if type(piece) is not kind and texts:
                yield kind("".join(texts))
                texts.clear()
            kind = type(piece)
            texts.append(piece.text)
    except Exception:
        if texts:
            yield kind("".join(texts))
        raise
    if texts:
        yield kind("".join(texts))


def to_stream_error(model: str, error: Any) -> ModelAPIError:
    """pydantic-ai's error for one inside a stream."""
    from pydantic_ai.exceptions import ModelAPIError

    message = error.get("message") if isinstance(error, dict) else error
    return ModelAPIError(model, str(message), body=error, in_stream=True)
