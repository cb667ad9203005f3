"""OpenAI's Chat Completions: a body in, chunks out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from musespark.content import Message, Part, Request, Text, ToolCall, ToolResult, ToolSpec
from musespark.server import chat_body as b
from musespark.server.asked import Asked, instructions, is_remote, joined, picture, require_neutral, texts
from musespark.server.dialect import Around, Chunk, Chunks, Dialect
from musespark.server.failures import Failure, Refused
from musespark.server.options import EFFORTS, TeamOptions
from musespark.server.telling import Called, Drew, Ended, Mused, Piece, Said, Sealed
from musespark.usage import Usage


class Chat(Dialect[b.ChatBody]):
    """Chat Completions."""

    name = "chat"
    path = "/v1/chat/completions"
    prefix = "chatcmpl-"
    last = b"data: [DONE]\n\n"
    body = b.ChatBody

    def remote_pictures(self, body: b.ChatBody) -> list[str]:
        """The addresses of pictures that are somewhere else."""
        parts = [part for message in body.messages if isinstance(message.content, list) for part in message.content]
        return [part.image_url.url for part in parts if isinstance(part, b.ImagePart) and is_remote(part.image_url.url)]

    def read(self, body: b.ChatBody, around: Around) -> Asked:
        """What was asked. Raises the kinds of `BadInput`."""
        require_neutral(body, n=(1,), logprobs=(False,), top_logprobs=(0,), logit_bias=({},), presence_penalty=(0,),
                        frequency_penalty=(0,), modalities=(["text"],), verbosity=("medium",), audio=(), prediction=(),
                        moderation=(), web_search_options=(), functions=([],), function_call=("none",))
        if None not in (body.max_tokens, body.max_completion_tokens) and body.max_tokens != body.max_completion_tokens:
            raise Refused("max_tokens and max_completion_tokens differ; send one of them.", param="max_tokens")
        tools = body.tools or []
        messages = joined(_messages(body.messages, around))
        request = Request(
            messages=(*around.earlier, *messages), max_tokens=body.max_completion_tokens or body.max_tokens,
            temperature=body.temperature, top_p=body.top_p, seed=body.seed, stop=_stop(body.stop),
            tools=tuple(ToolSpec.of(tool.function.name, tool.function.description or "", tool.function.parameters or _NOTHING)
                        for tool in tools),
            tool_choice=body.tool_choice.function.name if isinstance(body.tool_choice, b.Chosen) else body.tool_choice or "auto",
            schema=_schema(body))
        team = body.muse or around.team or TeamOptions()
        return Asked(
            model=body.model, request=request, conversation=request.messages, team=team, stream=bool(body.stream),
            usage_chunk=bool(body.stream_options and body.stream_options.include_usage),
            effort=EFFORTS[body.reasoning_effort] if body.reasoning_effort else None,
            store=body.store is not False and team.store is not False, one_call=body.parallel_tool_calls is False,
            strict=frozenset(tool.function.name for tool in tools if tool.function.strict))

    def chunks(self, asked: Asked, run: str, created: int) -> ChatChunks:
        """The chunks of a reply."""
        return ChatChunks(f"{self.prefix}{run}", asked.model, created, asked.usage_chunk)

    def whole(self, chunks: Iterable[Chunk]) -> Chunk:
        """The completion that the chunks add up to."""
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
        whole: Chunk = {}
        finish: str | None = None
        stop: Chunk = {}
        for chunk in chunks:
            whole |= {key: value for key, value in chunk.items() if key not in ("choices", "object")}
            for choice in chunk["choices"]:
                finish = choice["finish_reason"] or finish
                stop |= {key: value for key, value in choice.items() if key == "stop_reason"}
                for key, value in choice["delta"].items():
                    if key in ("content", "reasoning_content"):
                        message[key] = (message.get(key) or "") + value
                    elif key == "tool_calls":
                        message.setdefault(key, []).extend({name: call[name] for name in call if name != "index"} for call in value)
        if message["content"] == "" and "tool_calls" in message:
            message["content"] = None
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish, **stop}
        return {**whole, "object": "chat.completion", "choices": [choice]}

    def error(self, failure: Failure, request: str) -> Chunk:
        """An error as the protocol has it."""
        kind = _KINDS.get(failure.status, "invalid_request_error" if failure.status < 500 else "server_error")
        return {"error": {"message": failure.message, "type": kind, "param": failure.param, "code": failure.code}}


_KINDS = {401: "authentication_error", 429: "rate_limit_error"}
_NOTHING: dict[str, Any] = {"type": "object", "properties": {}}


def _stop(given: str | list[str] | None) -> tuple[str, ...]:
    """The texts to stop at; clients send empty ones where they mean none."""
    return tuple(dict.fromkeys(text for text in ([given] if isinstance(given, str) else given or []) if text))


def _schema(body: b.ChatBody) -> str | None:
    match body.response_format:
        case None | b.PlainFormat():
            return None
        case b.ObjectFormat():
            return json.dumps({"type": "object"})
        case b.JsonFormat(json_schema=given):
            return json.dumps(given.schema_ if given.schema_ is not None else {"type": "object"})


def _messages(given: list[b.ChatMessage], around: Around) -> Iterator[Message]:
    for index, message in enumerate(given):
        where = f"messages[{index}]"
        match message:
            case b.SystemMessage():
                yield from instructions("".join(_parts_text(message.content)))
            case b.UserMessage():
                yield Message("user", _parts(message.content, around, where))
            case b.AssistantMessage():
                yield Message("assistant", tuple(_said(message)))
            case b.ToolMessage():
                content = tuple(part for part in _parts(message.content, around, where) if not isinstance(part, ToolCall))
                yield Message("tool", (ToolResult(message.tool_call_id, content),))  # type: ignore[arg-type]
            case _:
                assert_never(message)


def _parts(content: str | list[b.Part], around: Around, where: str) -> tuple[Part, ...]:
    if isinstance(content, str):
        return texts(content)
    return texts(Text(part.text) if isinstance(part, b.TextPart)
                 else picture(part.image_url.url, around.pictures, f"{where}.content[{index}].image_url.url")
                 for index, part in enumerate(content))


def _parts_text(content: str | list[b.TextPart]) -> Iterator[str]:
    yield from [content] if isinstance(content, str) else (part.text for part in content)


def _said(message: b.AssistantMessage) -> Iterator[Part]:
    """What the assistant said; a refusal is a text."""
    if isinstance(message.content, str):
        yield from texts(message.content)
    for part in message.content if isinstance(message.content, list) else ():
        yield from texts(part.text if isinstance(part, b.TextPart) else part.refusal)
    yield from texts(message.refusal or "")
    for call in message.tool_calls or ():
        yield ToolCall(call.id, call.function.name, call.function.arguments or "{}")


class ChatChunks(Chunks):
    """The chunks of one completion."""

    def __init__(self, id: str, model: str, created: int, usage_chunk: bool) -> None:
        self._head: Chunk = {"id": id, "object": "chat.completion.chunk", "created": created, "model": model,
                             "service_tier": None, "system_fingerprint": None}
        self._usage_chunk = usage_chunk
        self._calls = 0

    def begin(self) -> list[Chunk]:
        """Who speaks."""
        return [self._chunk({"role": "assistant", "content": ""})]

    def tell(self, piece: Piece) -> list[Chunk]:
        """What a piece becomes."""
        match piece:
            case Mused():
                return [self._chunk({"reasoning_content": piece.text})]
            case Said():
                return [self._chunk({"content": piece.text})]
            case Drew() | Sealed():
                return []  # the protocol has no place for them; the `muse` block links to pictures
            case Called(call=call):
                self._calls += 1
                function = {"name": call.name, "arguments": call.arguments}
                return [self._chunk({"tool_calls": [{"index": self._calls - 1, "id": call.id, "type": "function",
                                                     "function": function}]})]
            case Ended():
                return self._end(piece)

    def _end(self, ended: Ended) -> list[Chunk]:
        finish = "tool_calls" if ended.called else "stop" if ended.finish_reason == "finished" else "length"
        last, usage = self._chunk({}, finish), _usage(ended.usage)
        if ended.stop and finish == "stop":
            last["choices"][0]["stop_reason"] = ended.stop  # as vLLM has it; the protocol itself does not tell
        if not self._usage_chunk:
            return [last | {"usage": usage, "muse": ended.muse}]
        return [last, {**self._head, "choices": [], "usage": usage, "muse": ended.muse}]

    def failed(self, failure: Failure) -> list[Chunk]:
        """The error's own object, which the SDK raises."""
        return [Chat().error(failure, "")]

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> Chunk:
        return {**self._head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


def _usage(usage: Usage) -> dict[str, Any]:
    """Everything that was spent; thoughts are not counted apart by every model, so no detail is claimed."""
    return {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.tokens - usage.prompt_tokens,
            "total_tokens": usage.tokens}
