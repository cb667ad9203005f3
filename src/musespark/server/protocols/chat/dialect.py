"""OpenAI's Chat Completions: how its body is parsed, and how its chunks add up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from musespark.content import (
    Image,
    Message,
    Part,
    Request,
    Text,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from musespark.server.errors import ErrorReply, RequestRefused
from musespark.server.protocols.base import Chunk, Dialect, RequestContext
from musespark.server.protocols.chat import body as wire
from musespark.server.protocols.chat.events import ChatChunkEncoder, error_body
from musespark.server.protocols.sampling import (
    PASSED_ON,
    parse_max_tokens,
    parse_sampling,
    parse_seed,
)
from musespark.server.protocols.tools import (
    choose,
    clean_schema,
    custom_arguments,
    custom_spec,
    function_spec,
)
from musespark.server.protocols.warnings import RequestWarnings
from musespark.server.resolve.options import EFFORTS, TeamOptions
from musespark.server.resolve.parsed_request import (
    ParsedRequest,
    ToolForm,
    is_remote_url,
    load_image,
    merge_tool_results,
    refuse_unsupported,
    system_messages,
    with_question,
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
            part.url
            for part in parts
            if isinstance(part, wire.ChatImagePart) and is_remote_url(part.url)
        ]

    def parse(self, body: wire.ChatBody, context: RequestContext) -> ParsedRequest:
        """Translate a body. Raises subclasses of `BadInput`."""
        refuse_unsupported(
            body,
            n=(1,),
            logprobs=(False,),
            top_logprobs=(0,),
            modalities=(["text"], []),
            functions=([],),
            function_call=("none", "auto"),
        )
        limit = _max_tokens(body)
        warnings = RequestWarnings()
        warnings.ignore_unknown(body, but=PASSED_ON)
        tools, forms = _tools(body.tools or (), warnings)
        tools, choice = _choice(body.tool_choice, tools, warnings)
        messages = merge_tool_results(_messages(body.messages, context, warnings))
        request = Request(
            messages=with_question((*context.earlier, *messages)),
            max_tokens=limit,
            temperature=body.temperature,
            top_p=body.top_p,
            seed=parse_seed(body.seed),
            stop=_stop(body.stop),
            tools=tools,
            tool_choice=choice,
            sampling=parse_sampling(body, warnings, body.verbosity),
            **_schema(body),
        )
        options = body.muse or context.options or TeamOptions()
        effort = _effort(body, warnings)
        return ParsedRequest(
            model=body.model,
            request=request,
            conversation=request.messages,
            options=options,
            stream=bool(body.stream),
            usage_chunk=bool(body.stream_options and body.stream_options.include_usage),
            effort=EFFORTS[effort] if effort else None,
            store=body.store is not False and options.store is not False,
            single_tool_call=body.parallel_tool_calls is False,
            strict_tools=frozenset(tool.name for tool in tools if tool.strict),
            tool_forms=forms,
            warnings=warnings.told,
        )

    def encoder(self, parsed: ParsedRequest, run: str, created: int) -> ChatChunkEncoder:
        """Make the encoder of a reply."""
        return ChatChunkEncoder(
            f"{self.id_prefix}{run}", parsed.model, created, parsed.usage_chunk, parsed.tool_forms
        )

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
                    if key in ("content", "reasoning_content", "refusal"):
                        message[key] = (message.get(key) or "") + value
                    elif key == "tool_calls":
                        message.setdefault(key, []).extend(
                            {name: call[name] for name in call if name != "index"} for call in value
                        )
        if message["content"] == "" and ("tool_calls" in message or message["refusal"]):
            message["content"] = None
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish, **stop}
        return {**whole, "object": "chat.completion", "choices": [choice]}

    def error_body(self, reply: ErrorReply, request: str) -> Chunk:
        """Return the JSON of an error."""
        return error_body(reply)


def _stop(given: str | list[str] | None) -> tuple[str, ...]:
    """Return the stop texts, without the empty ones that some clients send."""
    return tuple(
        dict.fromkeys(text for text in ([given] if isinstance(given, str) else given or []) if text)
    )


def _max_tokens(body: wire.ChatBody) -> int | None:
    limits = {
        limit
        for given in (body.max_completion_tokens, body.max_tokens)
        if (limit := parse_max_tokens(given)) is not None
    }
    if len(limits) > 1:
        raise RequestRefused(
            "max_tokens and max_completion_tokens differ; send one of them.", param="max_tokens"
        )
    return next(iter(limits), None)


def _effort(body: wire.ChatBody, warnings: RequestWarnings) -> str | None:
    """Return the effort by name, from any of the fields that clients have for it."""
    if body.reasoning_effort is not None:
        return warnings.effort(body.reasoning_effort, "reasoning_effort")
    asked = body.reasoning
    if asked is None:
        return None
    if asked.effort is None and asked.enabled is False:
        return "none"
    return warnings.effort(asked.effort, "reasoning.effort")


def _tools(
    given: Iterable[wire.ChatAnyTool], warnings: RequestWarnings
) -> tuple[tuple[ToolSpec, ...], dict[str, ToolForm]]:
    """Return the tools as functions, and the forms of those that are none."""
    tools: list[ToolSpec] = []
    forms: dict[str, ToolForm] = {}
    for index, tool in enumerate(given):
        match tool:
            case wire.ChatTool(function=function):
                tools.append(
                    function_spec(
                        function.name, function.description, function.parameters, function.strict
                    )
                )
            case wire.ChatCustomTool(custom=custom):
                tools.append(custom_spec(custom.name, custom.description, custom.format))
                forms[custom.name] = ToolForm(custom.name, is_custom=True)
            case wire.ChatOtherTool():
                warnings.ignore(f"tools[{index}] ({tool.type})")
    return tuple(tools), forms


def _choice(
    choice: str | wire.ChatAnyChoice | None,
    tools: tuple[ToolSpec, ...],
    warnings: RequestWarnings,
) -> tuple[tuple[ToolSpec, ...], str]:
    """Return the tools that may be called, and how they are chosen."""
    match choice:
        case wire.ChatAllowedChoice(allowed_tools=allowed):
            names = {each.name for each in allowed.tools}
            tools = tuple(tool for tool in tools if tool.name in names)
            return tools, choose(allowed.mode, tools, warnings)
        case wire.ChatToolChoice():
            return tools, choose(choice.name or choice.type, tools, warnings, choice.name is None)
    return tools, choose(choice, tools, warnings)


def _schema(body: wire.ChatBody) -> dict[str, Any]:
    """Return the fields of a request that say in which form its answer is to be."""
    match body.response_format:
        case wire.ChatJsonObjectFormat(schema_=None):
            return {"json_mode": True}
        case wire.ChatJsonObjectFormat(schema_=schema):
            return {"schema": json.dumps(clean_schema(schema))}
        case wire.ChatJsonSchemaFormat(json_schema=given) if given.schema_ is None:
            return {"json_mode": True}
        case wire.ChatJsonSchemaFormat(json_schema=given):
            return {
                "schema": json.dumps(clean_schema(given.schema_)),
                "schema_name": given.name,
                "schema_strict": given.strict,
            }
    return {}


def _messages(
    given: list[wire.ChatMessage], context: RequestContext, warnings: RequestWarnings
) -> Iterator[Message]:
    for index, message in enumerate(given):
        path = f"messages[{index}]"
        match message:
            case wire.ChatSystemMessage():
                yield from system_messages("".join(_parts_text(message.content)))
            case wire.ChatUserMessage():
                yield Message("user", _parts(message.content, context, path))
            case wire.ChatAssistantMessage():
                yield Message("assistant", tuple(_assistant_parts(message, path, warnings)))
            case wire.ChatToolMessage():
                content = tuple(
                    part
                    for part in _parts(message.content, context, path)
                    if isinstance(part, Text | Image)
                )
                yield Message("tool", (ToolResult(message.tool_call_id, content),))
            case _:
                assert_never(message)


def _parts(
    content: str | list[wire.ChatUserPart] | None, context: RequestContext, path: str
) -> tuple[Part, ...]:
    if isinstance(content, str | None):
        return without_empty_texts(content or "")
    return without_empty_texts(
        Text(part.text)
        if isinstance(part, wire.ChatTextPart)
        else load_image(part.url, context.images, f"{path}.content[{index}].image_url.url")
        for index, part in enumerate(content)
    )


def _parts_text(content: str | list[wire.ChatTextPart] | None) -> Iterator[str]:
    yield from [content] if isinstance(content, str) else (part.text for part in content or ())


def _assistant_parts(
    message: wire.ChatAssistantMessage, path: str, warnings: RequestWarnings
) -> Iterator[Part]:
    """Yield the parts of an assistant's message; a refusal is a text."""
    if isinstance(message.content, str):
        yield from without_empty_texts(message.content)
    for index, part in enumerate(message.content if isinstance(message.content, list) else ()):
        match part:
            case wire.ChatTextPart():
                yield from without_empty_texts(part.text)
            case wire.ChatRefusalPart():
                yield from without_empty_texts(part.refusal)
            case wire.ChatOtherPart():
                warnings.ignore(f"{path}.content[{index}] ({part.type})")
    yield from without_empty_texts(message.refusal or "")
    for call in message.tool_calls or ():
        if isinstance(call, wire.ChatCustomCall):
            yield ToolCall(call.id, call.custom.name, custom_arguments(call.custom.input))
        else:
            yield ToolCall(call.id, call.function.name, call.function.arguments or "{}")
