"""OpenAI's Responses: how its body is parsed, and how its events add up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from musespark.content import (
    Request,
    ToolCall,
    ToolSpec,
)
from musespark.server.errors import ErrorReply, RequestRefused
from musespark.server.protocols.base import Chunk, Dialect, RequestContext
from musespark.server.protocols.chat.events import error_body
from musespark.server.protocols.responses import body as wire
from musespark.server.protocols.responses.events import ResponsesEventEncoder
from musespark.server.protocols.responses.items import parse_items
from musespark.server.protocols.sampling import (
    PASSED_ON,
    parse_max_tokens,
    parse_sampling,
    parse_seed,
)
from musespark.server.protocols.tools import (
    choose,
    clean_schema,
    custom_spec,
    form_of,
    function_spec,
)
from musespark.server.protocols.warnings import RequestWarnings
from musespark.server.resolve.options import EFFORTS, TeamOptions
from musespark.server.resolve.parsed_request import (
    ParsedRequest,
    ToolForm,
    is_remote_url,
    merge_tool_results,
    refuse_unsupported,
    system_messages,
    with_question,
)
from musespark.store.json_text import to_json_bytes

_ITEM: TypeAdapter[wire.ResponsesItem] = TypeAdapter(wire.ResponsesItem)

SIGNATURES = "reasoning.encrypted_content"
"""Value of `include`: signatures that the provider of an answer with tool calls wants back, in a reasoning item."""
_LOGPROBS = "message.output_text.logprobs"

DEFAULTS: Mapping[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "top_logprobs": 0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "max_tool_calls": None,
    "truncation": "disabled",
    "user": None,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "safety_identifier": None,
    "prompt_cache_key": None,
}
"""Fields that a response repeats from its request, with their values if the request left them out."""


_UNSAID = {"description": None, "parameters": None, "strict": None}
"""Fields of a function that a response repeats also if they were left out."""


class Responses(Dialect[wire.ResponsesBody]):
    """OpenAI's Responses."""

    name = "responses"
    path = "/v1/responses"
    id_prefix = "resp_"
    body = wire.ResponsesBody

    def remote_image_urls(self, body: wire.ResponsesBody) -> list[str]:
        """Return the addresses of images that have to be fetched."""
        found: list[Any] = []
        for item in body.input if isinstance(body.input, list) else ():
            match item:
                case (
                    wire.ResponsesMessageItem(content=list() as parts)
                    | wire.ResponsesFunctionOutput(output=list() as parts)
                    | wire.ResponsesCustomOutput(output=list() as parts)
                ):
                    found += parts
        urls = [
            part.image_url
            for part in found
            if isinstance(part, wire.ResponsesInputImage) and part.image_url
        ]
        return [url for url in urls if is_remote_url(url)]

    def previous_id(self, body: wire.ResponsesBody) -> str | None:
        """Return the id of the response whose conversation the body continues."""
        return body.previous_response_id

    def item_ids(self, body: wire.ResponsesBody) -> list[str]:
        """Return the ids of the stored items that the body refers to."""
        items = body.input if isinstance(body.input, list) else ()
        return [item.id for item in items if isinstance(item, wire.ResponsesReference)]

    def with_items(self, body: wire.ResponsesBody, items: dict[str, Chunk]) -> wire.ResponsesBody:
        """Return the body with items in place of references."""
        if not isinstance(body.input, list) or not items:
            return body
        whole = [
            _ITEM.validate_python(items[item.id])
            if isinstance(item, wire.ResponsesReference)
            else item
            for item in body.input
        ]
        return body.model_copy(update={"input": whole})

    def parse(self, body: wire.ResponsesBody, context: RequestContext) -> ParsedRequest:
        """Translate a body. Raises subclasses of `BadInput`."""
        _refuse_unsupported_fields(body)
        warnings = RequestWarnings()
        warnings.ignore_unknown(body, but=PASSED_ON)
        if body.truncation not in (None, "disabled"):
            warnings.ignore("truncation")
        _check_included(body.include or (), warnings)
        tools, forms = _tools(body.tools or (), warnings)
        tools, choice = _choice(body.tool_choice, tools, forms, warnings)
        conversation = with_question(
            merge_tool_results(
                (*context.earlier, *parse_items(body.input, context, forms, warnings))
            )
        )
        verbosity = body.text.verbosity if body.text else None
        request = Request(
            messages=(*system_messages(body.instructions), *conversation),
            max_tokens=parse_max_tokens(body.max_output_tokens),
            temperature=body.temperature,
            top_p=body.top_p,
            seed=parse_seed(body.seed),
            stop=(body.stop,)
            if isinstance(body.stop, str) and body.stop
            else tuple(body.stop or ()),
            sampling=parse_sampling(body, warnings, verbosity),
            tools=tools,
            tool_choice=choice,
            **_schema(body.text),
        )
        options = body.muse or context.options or TeamOptions()
        effort = warnings.effort(
            body.reasoning.effort if body.reasoning else None, "reasoning.effort"
        )
        return ParsedRequest(
            model=body.model,
            request=request,
            conversation=conversation,
            options=options,
            stream=bool(body.stream),
            effort=EFFORTS[effort] if effort else None,
            store=body.store is not False and options.store is not False,
            single_tool_call=body.parallel_tool_calls is False,
            strict_tools=frozenset(tool.name for tool in tools if tool.strict),
            previous_run=body.previous_response_id,
            echo=_echo(body),
            include_signatures=SIGNATURES in (body.include or ()),
            tool_forms=forms,
            warnings=warnings.told,
        )

    def encoder(self, parsed: ParsedRequest, run: str, created: int) -> ResponsesEventEncoder:
        """Make the encoder of a reply."""
        return ResponsesEventEncoder(
            run,
            self.id_prefix,
            {"created_at": created, "model": parsed.model, "store": parsed.store, **parsed.echo},
            parsed.include_signatures,
            parsed.tool_forms,
        )

    def collect(self, chunks: Iterable[Chunk]) -> Chunk:
        """Return the response of the last event, which contains everything before it."""
        *_, last = chunks
        found: Chunk = last["response"]
        return found

    def error_body(self, reply: ErrorReply, request: str) -> Chunk:
        """Return the JSON of an error."""
        return error_body(reply)

    def frame(self, chunk: Chunk) -> bytes:
        """Encode an event as a server-sent event."""
        return b"event: %s\ndata: %s\n\n" % (chunk["type"].encode(), to_json_bytes(chunk))


def _refuse_unsupported_fields(body: wire.ResponsesBody) -> None:
    """Raise `RequestRefused` for a field that has no meaning here."""
    if body.background:
        raise RequestRefused(
            "Responses in the background are not supported here; leave background out, and stream instead.",
            code="unsupported",
            param="background",
        )
    refuse_unsupported(body, conversation=(), prompt=(), top_logprobs=(0,))


def _echo(body: wire.ResponsesBody) -> dict[str, Any]:
    """Return the fields that a response repeats from its request."""
    sent = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    sent["tools"] = [
        _UNSAID | tool if tool.get("type") == "function" else tool for tool in sent.get("tools", ())
    ]
    return {name: sent.get(name, value) for name, value in DEFAULTS.items()}


def _check_included(names: Iterable[str], warnings: RequestWarnings) -> None:
    """Note values of `include` for items that are never here. Raises `RequestRefused` for one that would change the answer."""
    for name in names:
        if name == _LOGPROBS:
            raise RequestRefused(
                f"include: {name!r} is not supported here; leave it out.",
                code="unsupported",
                param="include",
            )
        if name != SIGNATURES:
            warnings.ignore(f"include ({name})")


def _tools(
    given: Iterable[wire.ResponsesAnyTool], warnings: RequestWarnings
) -> tuple[tuple[ToolSpec, ...], dict[str, ToolForm]]:
    """Return the tools as functions, those of namespaces too, and the forms of those that are no plain functions."""
    tools: list[ToolSpec] = []
    forms: dict[str, ToolForm] = {}

    def add(tool: wire.ResponsesAnyTool, path: str, namespace: str | None = None) -> None:
        match tool:
            case wire.ResponsesNamespace():
                for index, each in enumerate(tool.tools):
                    add(each, f"{path}.tools[{index}]", tool.name)
                return
            case wire.ResponsesOtherTool():
                warnings.ignore(f"{path} ({tool.type})")
                return
        is_custom = isinstance(tool, wire.ResponsesCustomTool)
        taken = {each.name for each in tools}
        name = f"{namespace}__{tool.name}" if namespace and tool.name in taken else tool.name
        tools.append(
            custom_spec(name, tool.description, tool.format)
            if isinstance(tool, wire.ResponsesCustomTool)
            else function_spec(name, tool.description, tool.parameters, tool.strict)
        )
        if is_custom or namespace:
            forms[name] = ToolForm(tool.name, namespace, is_custom)

    for index, tool in enumerate(given):
        add(tool, f"tools[{index}]")
    return tuple(tools), forms


def _choice(
    choice: str | wire.ResponsesAnyChoice | None,
    tools: tuple[ToolSpec, ...],
    forms: Mapping[str, ToolForm],
    warnings: RequestWarnings,
) -> tuple[tuple[ToolSpec, ...], str]:
    """Return the tools that may be called, and how they are chosen."""
    match choice:
        case wire.ResponsesAllowedChoice():
            names = {each.name for each in choice.tools}
            tools = tuple(
                tool
                for tool in tools
                if tool.name in names or form_of(forms, ToolCall("", tool.name)).name in names
            )
            return tools, choose(choice.mode, tools, warnings)
        case wire.ResponsesToolChoice():
            return tools, choose(choice.name or choice.type, tools, warnings, choice.name is None)
    return tools, choose(choice, tools, warnings)


def _schema(text: wire.ResponsesTextConfig | None) -> dict[str, Any]:
    """Return the fields of a request that say in which form its answer is to be."""
    match text.format if text else None:
        case wire.ResponsesJsonObjectFormat():
            return {"json_mode": True}
        case wire.ResponsesJsonSchemaFormat() as given:
            return {
                "schema": json.dumps(clean_schema(given.schema_)),
                "schema_name": given.name,
                "schema_strict": given.strict,
            }
    return {}
