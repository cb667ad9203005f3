"""OpenAI's Chat Completions: how its body is parsed, and how its chunks add up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from musespark.content import Message, Part, Request, Text, ToolCall, ToolResult, ToolSpec
from musespark.server.errors import ErrorReply, RequestRefused
from musespark.server.protocols.base import Chunk, Dialect, RequestContext
from musespark.server.protocols.chat import body as wire
from musespark.server.protocols.chat.events import ChatChunkEncoder, error_body
from musespark.server.resolve.options import EFFORTS, TeamOptions
from musespark.server.resolve.parsed_request import (
    ParsedRequest,
    is_remote_url,
    load_image,
    merge_tool_results,
    refuse_unsupported,
    system_messages,
    without_empty_texts,
)


class Chat(Dialect[wire.ChatBody]):
    """OpenAI's Chat Completions."""

    name = "chat"
    path = "/v1/chat/completions"
    id_prefix = "chatcmpl-"
    end_marker = b"data: [DONE]\n\n"
    body = wire.ChatBody

    def remote_image_urls(self, body: wire.ChatBody) -> list[str]:
        """Return the addresses of images that have to be fetched."""
        parts = [
            part
            for message in body.messages
            if isinstance(message.content, list)
            for part in message.content
        ]
        return [
            part.image_url.url
            for part in parts
            if isinstance(part, wire.ChatImagePart) and is_remote_url(part.image_url.url)
        ]

    def parse(self, body: wire.ChatBody, context: RequestContext) -> ParsedRequest:
        """Translate a body. Raises subclasses of `BadInput`."""
        refuse_unsupported(
            body,
            n=(1,),
            logprobs=(False,),
            top_logprobs=(0,),
            logit_bias=({},),
            presence_penalty=(0,),
            frequency_penalty=(0,),
            modalities=(["text"],),
            verbosity=("medium",),
            audio=(),
            prediction=(),
            moderation=(),
            web_search_options=(),
            functions=([],),
            function_call=("none",),
        )
        if (
            None not in (body.max_tokens, body.max_completion_tokens)
            and body.max_tokens != body.max_completion_tokens
        ):
            raise RequestRefused(
                "max_tokens and max_completion_tokens differ; send one of them.", param="max_tokens"
            )
        tools = body.tools or []
        messages = merge_tool_results(_messages(body.messages, context))
        request = Request(
            messages=(*context.earlier, *messages),
            max_tokens=body.max_completion_tokens or body.max_tokens,
            temperature=body.temperature,
            top_p=body.top_p,
            seed=body.seed,
            stop=_stop(body.stop),
            tools=tuple(
                ToolSpec.of(
                    tool.function.name,
                    tool.function.description or "",
                    tool.function.parameters or _NO_PARAMETERS,
                )
                for tool in tools
            ),
            tool_choice=_tool_choice(body),
            schema=_schema(body),
        )
        options = body.muse or context.options or TeamOptions()
        return ParsedRequest(
            model=body.model,
            request=request,
            conversation=request.messages,
            options=options,
            stream=bool(body.stream),
            usage_chunk=bool(body.stream_options and body.stream_options.include_usage),
            effort=EFFORTS[body.reasoning_effort] if body.reasoning_effort else None,
            store=body.store is not False and options.store is not False,
            single_tool_call=body.parallel_tool_calls is False,
            strict_tools=frozenset(tool.function.name for tool in tools if tool.function.strict),
        )

    def encoder(self, parsed: ParsedRequest, run: str, created: int) -> ChatChunkEncoder:
        """Make the encoder of a reply."""
        return ChatChunkEncoder(f"{self.id_prefix}{run}", parsed.model, created, parsed.usage_chunk)

    def collect(self, chunks: Iterable[Chunk]) -> Chunk:
        """Add up the chunks to a completion."""
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
        whole: Chunk = {}
        finish: str | None = None
        stop: Chunk = {}
        for chunk in chunks:
            whole |= {
                key: value for key, value in chunk.items() if key not in ("choices", "object")
            }
            for choice in chunk["choices"]:
                finish = choice["finish_reason"] or finish
                stop |= {key: value for key, value in choice.items() if key == "stop_reason"}
                for key, value in choice["delta"].items():
                    if key in ("content", "reasoning_content"):
                        message[key] = (message.get(key) or "") + value
                    elif key == "tool_calls":
                        message.setdefault(key, []).extend(
                            {name: call[name] for name in call if name != "index"} for call in value
                        )
        if message["content"] == "" and "tool_calls" in message:
            message["content"] = None
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish, **stop}
        return {**whole, "object": "chat.completion", "choices": [choice]}

    def error_body(self, reply: ErrorReply, request: str) -> Chunk:
        """Return the JSON of an error."""
        return error_body(reply)


_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


def _stop(given: str | list[str] | None) -> tuple[str, ...]:
    """Return the stop texts, without the empty ones that some clients send."""
    return tuple(
        dict.fromkeys(text for text in ([given] if isinstance(given, str) else given or []) if text)
    )


def _tool_choice(body: wire.ChatBody) -> str:
    choice = body.tool_choice
    return choice.function.name if isinstance(choice, wire.ChatToolChoice) else choice or "auto"


def _schema(body: wire.ChatBody) -> str | None:
    match body.response_format:
        case None | wire.ChatTextFormat():
            return None
        case wire.ChatJsonObjectFormat():
            return json.dumps({"type": "object"})
        case wire.ChatJsonSchemaFormat(json_schema=given):
            return json.dumps(given.schema_ if given.schema_ is not None else {"type": "object"})


def _messages(given: list[wire.ChatMessage], context: RequestContext) -> Iterator[Message]:
    for index, message in enumerate(given):
        path = f"messages[{index}]"
        match message:
            case wire.ChatSystemMessage():
                yield from system_messages("".join(_parts_text(message.content)))
            case wire.ChatUserMessage():
                yield Message("user", _parts(message.content, context, path))
            case wire.ChatAssistantMessage():
                yield Message("assistant", tuple(_assistant_parts(message)))
            case wire.ChatToolMessage():
                content = tuple(
                    part
                    for part in _parts(message.content, context, path)
                    if not isinstance(part, ToolCall)
                )
                yield Message("tool", (ToolResult(message.tool_call_id, content),))  # type: ignore[arg-type]
            case _:
                assert_never(message)


def _parts(
    content: str | list[wire.ChatUserPart], context: RequestContext, path: str
) -> tuple[Part, ...]:
    if isinstance(content, str):
        return without_empty_texts(content)
    return without_empty_texts(
        Text(part.text)
        if isinstance(part, wire.ChatTextPart)
        else load_image(
            part.image_url.url, context.images, f"{path}.content[{index}].image_url.url"
        )
        for index, part in enumerate(content)
    )


def _parts_text(content: str | list[wire.ChatTextPart]) -> Iterator[str]:
    yield from [content] if isinstance(content, str) else (part.text for part in content)


def _assistant_parts(message: wire.ChatAssistantMessage) -> Iterator[Part]:
    """Yield the parts of an assistant's message; a refusal is a text."""
    if isinstance(message.content, str):
        yield from without_empty_texts(message.content)
    for part in message.content if isinstance(message.content, list) else ():
        yield from without_empty_texts(
            part.text if isinstance(part, wire.ChatTextPart) else part.refusal
        )
    yield from without_empty_texts(message.refusal or "")
    for call in message.tool_calls or ():
        yield ToolCall(call.id, call.function.name, call.function.arguments or "{}")
