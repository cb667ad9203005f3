"""OpenAI's Responses: a body in, events out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from musespark.content import Image, Message, Request, Role, Text, Thinking, ToolCall, ToolResult, ToolSpec, signed_again
from musespark.server import responses_body as b
from musespark.server.asked import Asked, decoded, image, instructions, is_remote, joined, require_neutral, texts
from musespark.server.chat import Chat
from musespark.server.dialect import Around, Chunk, Dialect
from musespark.server.failures import Failure, Refused
from musespark.server.options import EFFORTS, TeamOptions
from musespark.server.responses_events import ResponseChunks
from musespark.server.seals import unsealed
from musespark.store.text import dumped

INCLUDED = ("reasoning.encrypted_content",)
"""What a client may ask to include: what the provider of an answer that calls tools wants to see again, in a reasoning item."""


UNSAID: Mapping[str, Any] = {
    "background": False, "instructions": None, "max_output_tokens": None, "metadata": {}, "parallel_tool_calls": True,
    "previous_response_id": None, "temperature": None, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [],
    "top_p": None, "truncation": "disabled", "user": None, "reasoning": {"effort": None, "summary": None},
    "service_tier": "default", "safety_identifier": None, "prompt_cache_key": None}
"""What a response repeats of a request that said nothing of it."""


class Responses(Dialect[b.ResponsesBody]):
    """Responses."""

    name = "responses"
    path = "/v1/responses"
    prefix = "resp_"
    body = b.ResponsesBody

    def remote_images(self, body: b.ResponsesBody) -> list[str]:
        """The addresses of pictures that are somewhere else."""
        found: list[Any] = []
        for item in body.input if isinstance(body.input, list) else ():
            inside = item.content if isinstance(item, b.MessageItem) else item.output if isinstance(item, b.OutputItem) else ()
            found += inside if isinstance(inside, list) else ()
        return [part.image_url for part in found if isinstance(part, b.InputImage) and part.image_url and is_remote(part.image_url)]

    def follows(self, body: b.ResponsesBody) -> str | None:
        """The response whose conversation this body goes on with."""
        return body.previous_response_id

    def read(self, body: b.ResponsesBody, around: Around) -> Asked:
        """What was asked. Raises the kinds of `BadInput`."""
        if body.background:
            raise Refused("Responses in the background are not supported here; leave background out, and stream instead.",
                          code="unsupported", param="background")
        require_neutral(body, conversation=(), context_management=([],), max_tool_calls=(), moderation=(), prompt=(),
                        top_logprobs=(0,), truncation=("disabled",))
        for name in body.include or ():
            if name not in INCLUDED:
                raise Refused(f"include: {name[:80]!r} is not supported here; leave it out.", code="unsupported", param="include")
        if body.text and body.text.verbosity not in (None, "medium"):
            raise Refused("text.verbosity is not supported here; it can be 'medium', or left out.", code="unsupported",
                          param="text.verbosity")
        tools = body.tools or []
        conversation = joined((*around.earlier, *_messages(body.input, around)))
        request = Request(
            messages=(*instructions(body.instructions), *conversation), max_tokens=body.max_output_tokens,
            temperature=body.temperature, top_p=body.top_p, schema=_schema(body.text),
            tools=tuple(ToolSpec.of(tool.name, tool.description or "", tool.parameters or {"type": "object", "properties": {}})
                        for tool in tools),
            tool_choice=body.tool_choice.name if isinstance(body.tool_choice, b.ChosenFunction) else body.tool_choice or "auto")
        team = body.muse or around.team or TeamOptions()
        effort = body.reasoning.effort if body.reasoning else None
        return Asked(
            model=body.model, request=request, conversation=conversation, team=team, stream=bool(body.stream),
            effort=EFFORTS[effort] if effort else None, store=body.store is not False and team.store is not False,
            one_call=body.parallel_tool_calls is False, strict=frozenset(tool.name for tool in tools if tool.strict),
            follows=body.previous_response_id, echo=_echo(body), seals=bool(body.include))

    def chunks(self, asked: Asked, run: str, created: int) -> ResponseChunks:
        """The events of a reply."""
        return ResponseChunks(run, self.prefix, {"created_at": created, "model": asked.model, "store": asked.store, **asked.echo},
                              asked.seals)

    def whole(self, chunks: Iterable[Chunk]) -> Chunk:
        """The response as the last event has it: every event before it is a part of that."""
        *_, last = chunks
        found: Chunk = last["response"]
        return found

    def error(self, failure: Failure, request: str) -> Chunk:
        """The same object as Chat's."""
        return Chat().error(failure, request)

    def frame(self, chunk: Chunk) -> bytes:
        """An event as it is sent."""
        return b"event: %s\ndata: %s\n\n" % (chunk["type"].encode(), dumped(chunk))


def _echo(body: b.ResponsesBody) -> dict[str, Any]:
    """What a response repeats of its request."""
    said = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {name: said.get(name, value) for name, value in UNSAID.items()}


def _schema(text: b.TextConfig | None) -> str | None:
    match text.format if text else None:
        case None | b.PlainFormat():
            return None
        case b.ObjectFormat():
            return json.dumps({"type": "object"})
        case b.JsonFormat(schema_=schema):
            return json.dumps(schema)


def _messages(given: str | list[b.Item], around: Around) -> list[Message]:
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
    signed = [part for item in given if isinstance(item, b.ReasoningItem) for part in unsealed(item.encrypted_content)]
    signed = [part for part in signed if not isinstance(part, Thinking)]  # those stand in the turn that they belong to
    return [Message("assistant", signed_again(message.parts, signed)) if message.role == "assistant" else message
            for message in found]


def _message(item: b.Item, around: Around, where: str) -> Message | None:
    match item:
        case b.MessageItem(role="system" | "developer"):
            return next(iter(instructions("".join(_texts(item.content)))), None)
        case b.MessageItem():
            role: Role = "assistant" if item.role == "assistant" else "user"
            content = item.content
            return Message(role, texts(content) if isinstance(content, str) else texts(_parts(content, around, f"{where}.content")))
        case b.CallItem():
            return Message("assistant", (ToolCall(item.call_id, item.name, item.arguments or "{}"),))
        case b.OutputItem(output=str() as output):
            return Message("tool", (ToolResult(item.call_id, (Text(output),)),))
        case b.OutputItem(output=list() as output):
            return Message("tool", (ToolResult(item.call_id, tuple(_parts(output, around, f"{where}.output"))),))
        case b.ReasoningItem():
            return Message("assistant", tuple(part for part in unsealed(item.encrypted_content) if isinstance(part, Thinking)))
        case b.ImageItem():
            return Message("assistant", (decoded(item.result, f"{where}.result"),)) if item.result else None
        case _:
            return None


def _texts(content: str | list[b.Content]) -> Iterator[str]:
    if isinstance(content, str):
        yield content
        return
    for part in content:
        yield part.refusal if isinstance(part, b.RefusalText) else getattr(part, "text", "")


def _parts(content: Iterable[b.Content | b.Seen], around: Around, where: str) -> Iterator[Text | Image]:
    for number, part in enumerate(content):
        match part:
            case b.InputImage():
                yield image(part.image_url or "", around.images, f"{where}[{number}].image_url")
            case b.RefusalText():
                yield Text(part.refusal)
            case _:
                yield Text(part.text)
