"""Anthropic's Messages: how its body is parsed, and how its events add up."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from musespark.content import (
    Effort,
    Image,
    Message,
    Part,
    Request,
    Text,
    ToolCall,
    ToolResult,
    ToolSpec,
    signed_again,
)
from musespark.models.estimate import estimate_prompt_tokens
from musespark.server.errors import ErrorReply, RequestRefused
from musespark.server.protocols.base import Chunk, Dialect, RequestContext
from musespark.server.protocols.messages import body as wire
from musespark.server.protocols.messages.events import NO_THREADS, MessagesEventEncoder, error_body
from musespark.server.protocols.sampling import PASSED_ON, parse_sampling
from musespark.server.protocols.signatures import unpack_signatures
from musespark.server.protocols.tools import choose, clean_schema, client_tool_spec, function_spec
from musespark.server.protocols.warnings import RequestWarnings
from musespark.server.resolve.options import EFFORTS, TeamOptions
from musespark.server.resolve.parsed_request import (
    ParsedRequest,
    decode_image,
    is_remote_url,
    load_image,
    merge_tool_results,
    system_messages,
    with_question,
    without_empty_texts,
)
from musespark.store.json_text import to_json_bytes

EFFORT_BUDGETS = (
    (16_000, Effort.HIGH),
    (5_000, Effort.MEDIUM),
    (1_500, Effort.LOW),
    (-math.inf, Effort.MINIMAL),
)
"""Thinking budgets, in tokens, from which on an effort is the nearest."""


class Messages(Dialect[wire.MessagesBody]):
    """Anthropic's Messages."""

    name = "messages"
    path = "/v1/messages"
    id_prefix = "msg_"
    keep_alive = b'event: ping\ndata: {"type": "ping"}\n\n'
    body = wire.MessagesBody

    def remote_image_urls(self, body: wire.MessagesBody) -> list[str]:
        """Return the addresses of images that have to be fetched."""
        return _remote_image_urls(body)

    def parse(self, body: wire.MessagesBody, context: RequestContext) -> ParsedRequest:
        """Translate a body. Raises subclasses of `BadInput`."""
        if body.thread is not None:
            raise RequestRefused(
                "Threads are not supported here; send the whole conversation.",
                code=NO_THREADS,
                param="thread",
            )
        warnings = RequestWarnings()
        warnings.ignore_unknown(body, but=(*PASSED_ON, *_typed_fields(body)))
        request = _request(
            body,
            context,
            warnings,
            max_tokens=body.max_tokens,
            temperature=body.temperature,
            top_p=body.top_p,
            stop=tuple(dict.fromkeys(text for text in body.stop_sequences or () if text)),
            sampling=parse_sampling(body, warnings),
        )
        options = body.muse or context.options or TeamOptions()
        return ParsedRequest(
            model=body.model,
            request=request,
            conversation=request.messages,
            options=options,
            stream=bool(body.stream),
            effort=_effort(body, warnings),
            store=options.store is not False,
            strict_tools=frozenset(tool.name for tool in request.tools if tool.strict),
            single_tool_call=bool(getattr(body.tool_choice, "disable_parallel_tool_use", False)),
            warnings=warnings.told,
        )

    def encoder(self, parsed: ParsedRequest, run: str, created: int) -> MessagesEventEncoder:
        """Make the encoder of a reply."""
        prompt = estimate_prompt_tokens(parsed.request)
        return MessagesEventEncoder(f"{self.id_prefix}{run}", parsed.model, prompt)

    def collect(self, chunks: Iterable[Chunk]) -> Chunk:
        """Add up the events to a message."""
        message: Chunk = {}
        written = ""
        for chunk in chunks:
            match chunk["type"]:
                case "message_start":
                    message = {**chunk["message"], "content": []}
                case "content_block_start":
                    message["content"].append(dict(chunk["content_block"]))
                    written = ""
                case "content_block_delta":
                    delta = {key: value for key, value in chunk["delta"].items() if key != "type"}
                    written += delta.pop("partial_json", "")
                    block = message["content"][-1]
                    block |= {key: block[key] + value for key, value in delta.items()}
                case "content_block_stop" if message["content"][-1]["type"] == "tool_use":
                    message["content"][-1]["input"] = json.loads(written)
                case "message_delta":
                    message |= {
                        **chunk["delta"],
                        "usage": {**message["usage"], **chunk["usage"]},
                        "muse": chunk["muse"],
                    }
        return message

    def error_body(self, reply: ErrorReply, request: str) -> Chunk:
        """Return the JSON of an error."""
        return error_body(reply, request)

    def frame(self, chunk: Chunk) -> bytes:
        """Encode an event as a server-sent event."""
        return b"event: %s\ndata: %s\n\n" % (chunk["type"].encode(), to_json_bytes(chunk))


def _request(
    body: wire.MessagesCountBody,
    context: RequestContext,
    warnings: RequestWarnings,
    **sampling: Any,
) -> Request:
    """Translate the conversation, its tools and its schema. Raises subclasses of `BadInput`."""
    system = (
        body.system
        if isinstance(body.system, str)
        else "\n".join(block.text for block in body.system or ())
    )
    schema_format = body.output_config.format if body.output_config else None
    tools = tuple(_tools(body.tools or (), warnings))
    messages = merge_tool_results(_messages(body.messages, context, warnings))
    return Request(
        messages=with_question((*system_messages(system), *messages)),
        tools=tools,
        tool_choice=_tool_choice(body.tool_choice, tools, warnings),
        schema=None if schema_format is None else json.dumps(clean_schema(schema_format.schema_)),
        **sampling,
    )


def _typed_fields(body: wire.MessagesBody) -> Iterator[str]:
    """Yield the paths of fields that belong to the type of a tool, and not to this protocol."""
    for index, tool in enumerate(body.tools or ()):
        if tool.input_schema is None:
            yield from (f"tools[{index}].{name}" for name in tool.model_extra or ())


def _tools(given: Iterable[wire.MessagesTool], warnings: RequestWarnings) -> Iterator[ToolSpec]:
    """Yield the tools as functions: those with a schema, and those by a type that is known."""
    for index, tool in enumerate(given):
        if tool.input_schema is not None and tool.name is not None:
            yield function_spec(tool.name, tool.description, tool.input_schema, tool.strict)
            continue
        if tool.type in (None, "custom"):
            missing = "name" if tool.name is None else "input_schema"
            raise RequestRefused(
                f"tools[{index}].{missing}: it is missing.", param=f"tools[{index}].{missing}"
            )
        known = client_tool_spec(
            tool.type or "", tool.name or (tool.type or "").split("_")[0], tool.model_extra or {}
        )
        if known is not None:
            yield known
        else:
            warnings.ignore(f"tools[{index}] ({tool.type})")


def request_to_count(body: wire.MessagesCountBody) -> Request:
    """Translate a body for counting its tokens, without fetching images. Raises subclasses of `BadInput`."""
    placeholder = Image(b"?", "image/png")
    context = RequestContext(images=dict.fromkeys(_remote_image_urls(body), placeholder))
    return _request(body, context, RequestWarnings())


def _remote_image_urls(body: wire.MessagesCountBody) -> list[str]:
    """Return the addresses of images that have to be fetched, those within tool results included."""
    blocks: list[Any] = [
        block for turn in body.messages if isinstance(turn.content, list) for block in turn.content
    ]
    inner = [
        item
        for block in blocks
        if isinstance(block, wire.MessagesToolResultBlock) and isinstance(block.content, list)
        for item in block.content
    ]
    sources = [
        block.source for block in (*blocks, *inner) if isinstance(block, wire.MessagesImageBlock)
    ]
    return [
        source.url
        for source in sources
        if isinstance(source, wire.MessagesUrlSource) and is_remote_url(source.url)
    ]


def _effort(body: wire.MessagesBody, warnings: RequestWarnings) -> Effort | None:
    """Return the named effort, or else the nearest to a thinking budget."""
    if body.output_config and body.output_config.effort is not None:
        named = warnings.effort(body.output_config.effort, "output_config.effort")
        if named is not None:
            return EFFORTS[named]
    match body.thinking:
        case wire.MessagesThinkingEnabled(budget_tokens=int() as tokens):
            return next(effort for least, effort in EFFORT_BUDGETS if tokens >= least)
        case wire.MessagesThinkingEnabled():
            return Effort.MEDIUM
        case wire.MessagesThinkingDisabled():
            return Effort.NONE
        case wire.MessagesThinkingOther(type=kind):
            warnings.ignore(f"thinking ({kind})")
    return None


def _tool_choice(
    choice: wire.MessagesToolChoice | None,
    tools: tuple[ToolSpec, ...],
    warnings: RequestWarnings,
) -> str:
    match choice:
        case wire.MessagesToolChoiceAny():
            return choose("required", tools, warnings)
        case wire.MessagesToolChoiceTool(name=name):
            return choose(name, tools, warnings)
        case wire.MessagesToolChoiceNone():
            return "none"
    return "auto"


def _messages(
    turns: list[wire.MessagesTurn], context: RequestContext, warnings: RequestWarnings
) -> Iterator[Message]:
    """Yield the messages; a turn with tool results becomes two: the results, then the rest."""
    for index, turn in enumerate(turns):
        path = f"messages[{index}].content"
        match turn:
            case wire.MessagesSystemTurn(content=content):
                yield from system_messages(
                    content
                    if isinstance(content, str)
                    else "".join(block.text for block in content)
                )
            case wire.MessagesAssistantTurn(content=content):
                parts = (
                    content
                    if isinstance(content, str)
                    else _assistant_parts(content or [], path, warnings)
                )
                yield Message("assistant", without_empty_texts(parts))
            case wire.MessagesUserTurn(content=str() as content):
                yield Message("user", without_empty_texts(content))
            case wire.MessagesUserTurn(content=list() as blocks):
                yield from _user_turn(blocks, context, path)
            case _:
                assert_never(turn)  # type: ignore[arg-type]


def _user_turn(
    blocks: list[wire.MessagesUserBlock], context: RequestContext, path: str
) -> Iterator[Message]:
    results: list[ToolResult] = []
    parts: list[Part] = []
    for number, block in enumerate(blocks):
        if isinstance(block, wire.MessagesToolResultBlock):
            results.append(_tool_result(block, context, f"{path}[{number}]"))
        else:
            parts.append(_input_part(block, context, f"{path}[{number}]"))
    yield Message("tool", tuple(results))
    yield Message("user", without_empty_texts(parts))


def _assistant_parts(
    blocks: list[wire.MessagesAssistantBlock], path: str, warnings: RequestWarnings
) -> tuple[Part, ...]:
    """Return the parts of an assistant's turn, with the signatures of its provider."""
    parts: list[Part] = []
    signed: list[Part] = []
    for number, block in enumerate(blocks):
        match block:
            case wire.MessagesTextBlock():
                parts.append(Text(block.text))
            case wire.MessagesToolUseBlock():
                parts.append(ToolCall(block.id, block.name, json.dumps(block.input)))
            case wire.MessagesThinkingBlock():
                signed += unpack_signatures(block.signature)
            case wire.MessagesOtherBlock():
                warnings.ignore(f"{path}[{number}] ({block.type})")
    return signed_again(parts, signed)


def _tool_result(
    block: wire.MessagesToolResultBlock, context: RequestContext, path: str
) -> ToolResult:
    content = (
        block.content
        if isinstance(block.content, list)
        else [wire.MessagesTextBlock(type="text", text=block.content or "")]
    )
    parts = tuple(
        _input_part(item, context, f"{path}.content[{number}]")
        for number, item in enumerate(content)
        if not isinstance(item, wire.MessagesToolReference)
    )
    return ToolResult(block.tool_use_id, parts, bool(block.is_error))


def _input_part(block: wire.MessagesInputBlock, context: RequestContext, path: str) -> Text | Image:
    if not isinstance(block, wire.MessagesImageBlock):
        return Text("" if isinstance(block, wire.MessagesToolReference) else block.text)
    if isinstance(block.source, wire.MessagesUrlSource):
        return load_image(block.source.url, context.images, f"{path}.source.url")
    return decode_image(block.source.data, f"{path}.source.data")
