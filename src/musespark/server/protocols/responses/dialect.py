"""OpenAI's Responses: a body in, events out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from musespark.content import Image, Message, Request, Role, Text, Thinking, ToolCall, ToolResult, ToolSpec, signed_again
from musespark.server.errors import ErrorReply, RequestRefused
from musespark.server.protocols.base import Chunk, Dialect, RequestContext
from musespark.server.protocols.chat.dialect import Chat
from musespark.server.protocols.responses import body as wire
from musespark.server.protocols.responses.events import ResponsesEventEncoder
from musespark.server.protocols.signatures import unpack_signatures
from musespark.server.resolve.options import EFFORTS, TeamOptions
from musespark.server.resolve.parsed_request import (
    ParsedRequest,
    decoded,
    instructions,
    is_remote_url,
    joined,
    picture,
    refuse_unsupported,
    texts,
)
from musespark.store.text import dumped

INCLUDED = ("reasoning.encrypted_content",)
"""What a client may ask to include: what the provider of an answer that calls tools wants to see again, in a reasoning item."""


UNSAID: Mapping[str, Any] = {
    "background": False, "instructions": None, "max_output_tokens": None, "metadata": {}, "parallel_tool_calls": True,
    "previous_response_id": None, "temperature": None, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [],
    "top_p": None, "truncation": "disabled", "user": None, "reasoning": {"effort": None, "summary": None},
    "service_tier": "default", "safety_identifier": None, "prompt_cache_key": None}
"""What a response repeats of a request that said nothing of it."""


class Responses(Dialect[wire.ResponsesBody]):
    """Responses."""

    name = "responses"
    path = "/v1/responses"
    prefix = "resp_"
    body = wire.ResponsesBody

    def remote_image_urls(self, body: wire.ResponsesBody) -> list[str]:
        """The addresses of pictures that are somewhere else."""
        found: list[Any] = []
        for item in body.input if isinstance(body.input, list) else ():
            inside = item.content if isinstance(item, wire.ResponsesMessageItem) else item.output if isinstance(item, wire.ResponsesFunctionOutput) else ()
            found += inside if isinstance(inside, list) else ()
        return [part.image_url for part in found if isinstance(part, wire.ResponsesInputImage) and part.image_url and is_remote_url(part.image_url)]

    def follows(self, body: wire.ResponsesBody) -> str | None:
        """The response whose conversation this body goes on with."""
        return body.previous_response_id

    def read(self, body: wire.ResponsesBody, around: RequestContext) -> ParsedRequest:
        """What was asked. Raises the kinds of `BadInput`."""
        if body.background:
            raise RequestRefused("Responses in the background are not supported here; leave background out, and stream instead.",
                          code="unsupported", param="background")
        refuse_unsupported(body, conversation=(), context_management=([],), max_tool_calls=(), moderation=(), prompt=(),
                        top_logprobs=(0,), truncation=("disabled",))
        for name in body.include or ():
            if name not in INCLUDED:
                raise RequestRefused(f"include: {name[:80]!r} is not supported here; leave it out.", code="unsupported", param="include")
        if body.text and body.text.verbosity not in (None, "medium"):
            raise RequestRefused("text.verbosity is not supported here; it can be 'medium', or left out.", code="unsupported",
                          param="text.verbosity")
        tools = body.tools or []
        conversation = joined((*around.earlier, *_messages(body.input, around)))
        request = Request(
            messages=(*instructions(body.instructions), *conversation), max_tokens=body.max_output_tokens,
            temperature=body.temperature, top_p=body.top_p, schema=_schema(body.text),
            tools=tuple(ToolSpec.of(tool.name, tool.description or "", tool.parameters or {"type": "object", "properties": {}})
                        for tool in tools),
            tool_choice=body.tool_choice.name if isinstance(body.tool_choice, wire.ResponsesToolChoice) else body.tool_choice or "auto")
        team = body.muse or around.team or TeamOptions()
        effort = body.reasoning.effort if body.reasoning else None
        return ParsedRequest(
            model=body.model, request=request, conversation=conversation, team=team, stream=bool(body.stream),
            effort=EFFORTS[effort] if effort else None, store=body.store is not False and team.store is not False,
            single_tool_call=body.parallel_tool_calls is False, strict=frozenset(tool.name for tool in tools if tool.strict),
            follows=body.previous_response_id, echo=_echo(body), seals=bool(body.include))

    def chunks(self, asked: ParsedRequest, run: str, created: int) -> ResponsesEventEncoder:
        """The events of a reply."""
        return ResponsesEventEncoder(run, self.prefix, {"created_at": created, "model": asked.model, "store": asked.store, **asked.echo},
                              asked.seals)

    def whole(self, chunks: Iterable[Chunk]) -> Chunk:
        """The response as the last event has it: every event before it is a part of that."""
        *_, last = chunks
        found: Chunk = last["response"]
        return found

    def error(self, failure: ErrorReply, request: str) -> Chunk:
        """The same object as Chat's."""
        return Chat().error(failure, request)

    def frame(self, chunk: Chunk) -> bytes:
        """An event as it is sent."""
        return b"event: %s\ndata: %s\n\n" % (chunk["type"].encode(), dumped(chunk))


def _echo(body: wire.ResponsesBody) -> dict[str, Any]:
    """What a response repeats of its request."""
    said = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {name: said.get(name, value) for name, value in UNSAID.items()}


def _schema(text: wire.ResponsesTextConfig | None) -> str | None:
    match text.format if text else None:
        case None | wire.ResponsesTextFormat():
            return None
        case wire.ResponsesJsonObjectFormat():
            return json.dumps({"type": "object"})
        case wire.ResponsesJsonSchemaFormat(schema_=schema):
            return json.dumps(schema)


def _messages(given: str | list[wire.ResponsesItem], around: RequestContext) -> list[Message]:
    """One message an item; what the assistant said in several items that follow each other is one turn."""
    if isinstance(given, str):
        return [Message("user", texts(given))]
    found: list[Message] = []
    for index, item in enumerate(given):
        message = _message(item, around, f"input[{index}]")
        if message is None or not message.parts:
            continue
        if found and found[-1].role == message.role == "assistant":
            found[-1] = Message("assistant", (*found[-1].parts, *message.parts))
        else:
            found.append(message)
    signed = [part for item in given if isinstance(item, wire.ResponsesReasoningItem) for part in unpack_signatures(item.encrypted_content)]
    signed = [part for part in signed if not isinstance(part, Thinking)]  # those stand in the turn that they belong to
    return [Message("assistant", signed_again(message.parts, signed)) if message.role == "assistant" else message
            for message in found]


def _message(item: wire.ResponsesItem, around: RequestContext, where: str) -> Message | None:
    match item:
        case wire.ResponsesMessageItem(role="system" | "developer"):
            return next(iter(instructions("".join(_texts(item.content)))), None)
        case wire.ResponsesMessageItem():
            role: Role = "assistant" if item.role == "assistant" else "user"
            content = item.content
            return Message(role, texts(content) if isinstance(content, str) else texts(_parts(content, around, f"{where}.content")))
        case wire.ResponsesFunctionCall():
            return Message("assistant", (ToolCall(item.call_id, item.name, item.arguments or "{}"),))
        case wire.ResponsesFunctionOutput(output=str() as output):
            return Message("tool", (ToolResult(item.call_id, (Text(output),)),))
        case wire.ResponsesFunctionOutput(output=list() as output):
            return Message("tool", (ToolResult(item.call_id, tuple(_parts(output, around, f"{where}.output"))),))
        case wire.ResponsesReasoningItem():
            return Message("assistant", tuple(part for part in unpack_signatures(item.encrypted_content) if isinstance(part, Thinking)))
        case wire.ResponsesImageItem():
            return Message("assistant", (decoded(item.result, f"{where}.result"),)) if item.result else None
        case _:
            return None


def _texts(content: str | list[wire.ResponsesPart]) -> Iterator[str]:
    if isinstance(content, str):
        yield content
        return
    for part in content:
        yield part.refusal if isinstance(part, wire.ResponsesRefusal) else getattr(part, "text", "")


def _parts(content: Iterable[wire.ResponsesPart | wire.ResponsesInputPart], around: RequestContext, where: str) -> Iterator[Text | Image]:
    for number, part in enumerate(content):
        match part:
            case wire.ResponsesInputImage():
                yield picture(part.image_url or "", around.pictures, f"{where}[{number}].image_url")
            case wire.ResponsesRefusal():
                yield Text(part.refusal)
            case _:
                yield Text(part.text)
