"""Chat Completions with nothing between the server and us but HTTP, for requests that are text and nothing else.

pydantic-ai and the SDK below it take 5 ms of processor time a call and 0.3 ms a piece of a reply: as long as a small model takes on
one's own machine. What is sent and what comes out is the same as through them, whatever a server replies; the tests compare both.
Everything that they know about and we do not (tools, pictures, schemas, signatures, efforts) goes through them.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from musespark.content import Message, Request, Text, Thinking
from musespark.models.model import TextDelta, ThinkingDelta
from musespark.models.providers.adapter.chunk_template import Frame
from musespark.models.providers.adapter.connections import ClientLease
from musespark.models.providers.adapter.local_http import Answer
from musespark.models.providers.adapter.response_builder import Parts
from musespark.models.providers.base import Access, Profile

if TYPE_CHECKING:
    from pydantic_ai.exceptions import ModelAPIError
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.usage import RequestUsage

FINISHES = {"stop": "stop", "length": "length", "tool_calls": "tool_call", "function_call": "tool_call",
            "content_filter": "content_filter"}
"""Why a reply ended, in pydantic-ai's words."""
FAREWELL = 0.1
"""Seconds that the end of a body may take after the end of the reply; then the connection is closed."""
FRAMES = 16
"""Times that a frame is looked for in one reply: a server whose chunks differ in more than their text has none."""
LONGEST = 4_000_000
"""Bytes of an event; one that never ends would fill the memory, and be searched again with every piece of it."""
_LINE_ENDS = re.compile(rb"\r\n|\r(?=.)", re.S)
"""A line break at the end of what has come may be half of one."""
_BEYOND = ("openai_supports_reasoning", "openai_unsupported_model_settings", "openai_system_prompt_role")
"""Beliefs about a model that change what is sent."""


def body_of(model: str, request: Request, profile: Profile) -> dict[str, Any] | None:
    """What is sent for a request; None where it takes more than this file knows."""
    if request.tools or request.schema is not None or request.effort is not None or any(profile.get(belief) for belief in _BEYOND):
        return None
    messages = [_message(message, first=number == 0) for number, message in enumerate(request.messages)]
    if None in messages:
        return None
    options = {"temperature": request.temperature, "top_p": request.top_p, "seed": request.seed, "max_tokens": request.max_tokens,
               "stop": list(request.stop) or None}
    return {"model": model, "messages": messages, "stream": True, "stream_options": {"include_usage": True},
            **{option: value for option, value in options.items() if value is not None}}


def _message(message: Message, first: bool) -> dict[str, str] | None:
    """A message of one text. Thoughts that nobody signed are nobody's to see again."""
    parts = [part for part in message.parts if not (message.role == "assistant" and _unsigned(part))]
    if message.role == "tool" or (message.role == "system" and not first) or len(parts) != 1:
        return None
    part = parts[0]
    if not isinstance(part, Text) or not part.text or part.signature is not None:
        return None
    return {"role": message.role, "content": part.text}


def _unsigned(part: object) -> bool:
    return isinstance(part, Thinking) and part.signature is None


@asynccontextmanager
async def asked(line: ClientLease[Any], access: Access, body: dict[str, Any], system: str, profile: Profile) -> AsyncIterator[PlainReply]:
    """Ask. system: what pydantic-ai calls the provider. Raises what the connection raises, and pydantic-ai's errors."""
    headers = {"authorization": f"Bearer {access.key}", "content-type": "application/json", "accept": "text/event-stream"}
    content = json.dumps(body, separators=(",", ":")).encode()
    path = "/chat/completions"
    url = access.base_url + path
    async with line.near.post(path, content, headers) if line.near else _posted(line, url, content, headers) as answer:
        if not 200 <= answer.status < 300:
            raise _refusal(body["model"], answer.status, await answer.read(), answer.headers)
        async with aclosing(PlainReply(answer.pieces, body["model"], access.base_url, system, profile)) as reply:
            yield reply


@asynccontextmanager
async def _posted(line: ClientLease[Any], url: str, content: bytes, headers: Mapping[str, str]) -> AsyncIterator[Answer]:
    """The same through the general client."""
    async with (line.http.stream("POST", url, content=content, headers=dict(headers)) as response,
                aclosing(response.aiter_bytes()) as pieces):
        yield Answer(response.status_code, dict(response.headers), pieces)


def _refusal(model: str, status: int, said: bytes, headers: Mapping[str, str]) -> ModelAPIError:
    """The error that a status means."""
    from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, ModelQuotaExceededError

    try:
        told: Any = json.loads(said)
    except ValueError:
        told = said.decode("utf-8", "replace")
    error = told.get("error", told) if isinstance(told, dict) else told
    if status < 400:
        return ModelAPIError(model, f"status {status}")
    spent = status == 402 or (isinstance(error, dict) and "insufficient_quota" in (error.get("code"), error.get("type")))
    return ModelHTTPError.for_category(ModelQuotaExceededError if spent else None, status_code=status, model_name=model, body=error,
                                       headers=headers)


class PlainReply:
    """A reply as it comes: an iterator of deltas, and what they add up to. Stands where pydantic-ai's stream does."""

    def __init__(self, received: AsyncIterator[bytes], model: str, address: str, system: str, profile: Profile) -> None:
        from pydantic_ai.usage import RequestUsage

        self.usage: RequestUsage = RequestUsage()
        self._received, self._address, self._system = received, address, system
        self._model, self._asked_model = model, model
        self._parts = Parts(system, profile)
        self._custom: str | None = profile.get("openai_chat_thinking_field")
        self._finish: str | None = None
        self._chunks = 0
        self._ended = False
        """Whether the server said why it ended."""
        self._done = False
        """Whether nothing of the reply follows."""
        self._frame: Frame | None = None
        self._frames = 0
        """How often one was looked for."""
        self._refused = ""
        self._details: dict[str, Any] = {}
        self._deltas = self._told_as_they_come()

    def __aiter__(self) -> AsyncGenerator[TextDelta | ThinkingDelta, None]:
        """The pieces, once."""
        return self._deltas

    async def aclose(self) -> None:
        """Nobody reads any more."""
        await self._deltas.aclose()

    async def _told_as_they_come(self) -> AsyncGenerator[TextDelta | ThinkingDelta, None]:
        """The pieces. Raises ValueError and its like for what is no chunk, and where the stream ends without saying why."""
        from pydantic_ai.exceptions import ModelAPIError

        buffer = b""
        async for received in self._received:
            buffer += received
            if b"\r" in buffer:
                buffer = _LINE_ENDS.sub(b"\n", buffer)
            events, end, buffer = buffer.rpartition(b"\n\n")
            for delta in _together(self._read(events + end)):
                yield delta
            if self._done:
                await self._drained()
                break
            if len(buffer) > LONGEST:
                raise ValueError(f"an event of it has more than {LONGEST:,} bytes")
        if not self._chunks:
            raise ValueError("it has no events")
        if not self._ended:
            raise ModelAPIError(self._asked_model, "Streamed response ended without a `finish_reason`")

    def _read(self, events: bytes) -> Iterator[TextDelta | ThinkingDelta]:
        """The pieces in events that have come together."""
        from pydantic_core import from_json

        at = 0
        while (end := events.find(b"\n\n", at)) >= 0:
            if framed := self._framed(events, at):
                text, at = framed
                yield self._parts.went_on(text)
                continue
            event, at = events[at:end], end + 2
            data = event[6:] if event.startswith(b"data: ") and b"\n" not in event else _data(event)
            if not data:
                continue
            if data.startswith(b"[DONE]"):
                self._done = True
                return
            self._chunks += 1
            try:
                chunk = from_json(data)
            except ValueError:
                chunk = json.loads(data)  # slower, and takes half a character
            alone = _text_alone(chunk)
            if not alone:
                yield from self._told(chunk)
                continue
            if piece := self._parts.said(alone):
                yield piece
            self._frame = Frame.around(alone, data, _text_alone) if self._frames < FRAMES else None
            self._frames += 1

    def _framed(self, events: bytes, at: int) -> tuple[str, int] | None:
        """The next texts as one, and where they end, where they can be told without parsing."""
        found = self._frame.texts(events, at) if self._frame is not None and self._parts.goes_on else None
        return found if found is not None and not self._parts.has_tag(found[0]) else None

    async def _drained(self) -> None:
        """Wait a moment for the end of the body, so that the connection can be kept. What comes there is no part of the reply."""
        with suppress(Exception):  # nor is what goes wrong there
            async with asyncio.timeout(FAREWELL):
                async for _ in self._received:
                    pass

    def _told(self, chunk: Any) -> Iterator[TextDelta | ThinkingDelta]:
        """The pieces in a chunk of any kind."""
        if chunk.get("error"):
            raise _within(self._asked_model, chunk["error"])
        if chunk.get("usage"):
            self._count(chunk["usage"])
        self._model = chunk.get("model") or self._model
        if not chunk.get("choices"):
            return
        choice = chunk["choices"][0]
        finish, delta = choice.get("finish_reason"), choice.get("delta")
        self._ended = self._ended or bool(finish)
        if delta is None:
            return
        if delta.get("refusal"):
            self._refused += delta["refusal"]
            return
        self._finish = finish or self._finish
        if isinstance(choice.get("stop_reason"), str):
            self._details["stop_reason"] = choice["stop_reason"]
        for field in (self._custom, "reasoning", "reasoning_content"):
            thought = delta.get(field) if field else None
            if isinstance(thought, str) and thought and field:
                yield self._parts.thought(field, thought)
                break
        content = delta.get("content")
        said = content if isinstance(content, str | None) else _joined(content)
        if said and (piece := self._parts.said(said)):
            yield piece
        for call in delta.get("tool_calls") or ():
            self._parts.called(call)

    def _count(self, usage: Any) -> None:
        self.usage.input_tokens = max(0, int(usage.get("prompt_tokens") or 0))
        self.usage.output_tokens = max(0, int(usage.get("completion_tokens") or 0))

    def get(self) -> ModelResponse:
        """The whole reply."""
        from pydantic_ai.messages import ModelResponse

        details = self._details | ({"refusal": self._refused} if self._refused else {})
        finish: Any = "content_filter" if self._refused else FINISHES.get(self._finish or "")
        return ModelResponse(parts=self._parts.whole(), usage=self.usage, model_name=self._model, provider_name=self._system,
                             provider_url=self._address, provider_details=details or None, finish_reason=finish)


def _together(pieces: Iterable[TextDelta | ThinkingDelta]) -> Iterator[TextDelta | ThinkingDelta]:
    """Pieces of one kind that follow each other as one: everything that is done with a piece is done once for all that came
    together. What was found before an error comes before it."""
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


def _text_alone(chunk: Any) -> str | None:
    """The text of a chunk that has nothing else to say, as all but a few have."""
    if not isinstance(chunk, dict) or chunk.get("usage") is not None or "error" in chunk or not chunk.get("choices"):
        return None
    choice = chunk["choices"][0]
    if choice.get("finish_reason") is not None or choice.get("stop_reason") is not None:
        return None
    delta = choice.get("delta")
    if not isinstance(delta, dict) or (len(delta) > 1 and any(value for field, value in delta.items() if field not in _SILENT)):
        return None
    text = delta.get("content")
    return text if isinstance(text, str) else None


_SILENT = frozenset({"content", "role"})


def _data(event: bytes) -> bytes:
    """What an event of a stream carries, its fields aside."""
    lines = (line.partition(b":") for line in event.split(b"\n"))
    return b"\n".join(value.removeprefix(b" ") for name, _, value in lines if name == b"data")


def _joined(content: Any) -> str:
    """Some servers send a list of parts."""
    texts = (part if isinstance(part, str) else part.get("text") if part.get("type") == "text" else "" for part in content)
    return "".join(texts)


def _within(model: str, error: Any) -> ModelAPIError:
    """An error that comes in the middle of a stream."""
    from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError

    code = error.get("code") if isinstance(error, dict) else None
    said = error.get("message") if isinstance(error, dict) else error
    if str(code).isdigit() and 400 <= int(str(code)) < 600:
        return ModelHTTPError(int(str(code)), model, error, in_stream=True)
    return ModelAPIError(model, str(said), body=error, in_stream=True)
