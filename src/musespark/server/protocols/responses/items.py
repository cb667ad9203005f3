"""Items of a request's input as messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from musespark.content import (
    Image,
    Message,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    signed_again,
)
from musespark.server.errors import RequestRefused
from musespark.server.protocols.base import RequestContext
from musespark.server.protocols.responses import body as wire
from musespark.server.protocols.responses.stored_items import summary_message, unpack_summary
from musespark.server.protocols.signatures import unpack_signatures
from musespark.server.protocols.tools import custom_arguments
from musespark.server.protocols.warnings import RequestWarnings, shown
from musespark.server.resolve.parsed_request import (
    ToolForm,
    decode_image,
    load_image,
    system_messages,
    without_empty_texts,
)


def parse_items(
    given: str | list[wire.ResponsesItem],
    context: RequestContext,
    forms: Mapping[str, ToolForm],
    warnings: RequestWarnings,
) -> list[Message]:
    """Translate each item to a message; the assistant's items that follow each other become one turn.

    forms: forms of tools that are no plain functions.
    """
    if isinstance(given, str):
        return [Message("user", without_empty_texts(given))]
    found: list[Message] = []
    for index, item in enumerate(given):
        if isinstance(item, wire.ResponsesOtherItem):
            warnings.ignore(f"input[{index}] ({item.type})")
            continue
        if isinstance(item, wire.ResponsesMessageItem):
            _check_parts(item, f"input[{index}].content", warnings)
        message = _message(item, context, forms, f"input[{index}]")
        if message is None or not message.parts:
            continue
        if found and found[-1].role == message.role == "assistant":
            found[-1] = Message("assistant", (*found[-1].parts, *message.parts))
        else:
            found.append(message)
    signed = [
        part
        for item in given
        if isinstance(item, wire.ResponsesReasoningItem)
        for part in unpack_signatures(item.encrypted_content)
    ]
    signed = [
        part for part in signed if not isinstance(part, Thinking)
    ]  # those stand in their turn already
    return [
        Message("assistant", signed_again(message.parts, signed))
        if message.role == "assistant"
        else message
        for message in found
    ]


def _check_parts(item: wire.ResponsesMessageItem, path: str, warnings: RequestWarnings) -> None:
    """Note unknown parts of an earlier answer. Raises `RequestRefused` for those of any other message."""
    for number, part in enumerate(item.content if isinstance(item.content, list) else ()):
        if not isinstance(part, wire.ResponsesOtherPart):
            continue
        if item.role != "assistant":
            raise RequestRefused(
                f"{path}[{number}]: parts of the type {shown(part.type)} are not supported here.",
                code="unsupported",
                param=f"{path}[{number}]",
            )
        warnings.ignore(f"{path}[{number}] ({part.type})")


def _message(
    item: wire.ResponsesItem,
    context: RequestContext,
    forms: Mapping[str, ToolForm],
    path: str,
) -> Message | None:
    match item:
        case wire.ResponsesMessageItem(role="system" | "developer"):
            return next(iter(system_messages("".join(_part_texts(item.content)))), None)
        case wire.ResponsesMessageItem():
            role: Role = "assistant" if item.role == "assistant" else "user"
            content = item.content
            parts = (
                content
                if isinstance(content, str)
                else _parts(content or (), context, f"{path}.content")
            )
            return Message(role, without_empty_texts(parts))
        case wire.ResponsesFunctionCall():
            name = _name_of(forms, item.name, item.namespace)
            return Message("assistant", (ToolCall(item.call_id, name, item.arguments or "{}"),))
        case wire.ResponsesCustomCall():
            name = _name_of(forms, item.name, item.namespace)
            call = ToolCall(item.call_id, name, custom_arguments(item.input))
            return Message("assistant", (call,))
        case (
            wire.ResponsesFunctionOutput(output=str() as output)
            | wire.ResponsesCustomOutput(output=str() as output)
        ):
            return Message("tool", (ToolResult(item.call_id, (Text(output),)),))
        case (
            wire.ResponsesFunctionOutput(output=list() as output)
            | wire.ResponsesCustomOutput(output=list() as output)
        ):
            return Message(
                "tool",
                (ToolResult(item.call_id, tuple(_parts(output, context, f"{path}.output"))),),
            )
        case wire.ResponsesReasoningItem():
            signed = unpack_signatures(item.encrypted_content)
            return Message(
                "assistant", tuple(part for part in signed if isinstance(part, Thinking))
            )
        case wire.ResponsesCompactionItem():
            summary = unpack_summary(item.encrypted_content)
            return None if summary is None else summary_message(summary)
        case wire.ResponsesImageItem():
            return (
                Message("assistant", (decode_image(item.result, f"{path}.result"),))
                if item.result
                else None
            )
        case _:
            return None


def _part_texts(content: str | list[wire.ResponsesPart] | None) -> Iterator[str]:
    if isinstance(content, str):
        yield content
        return
    for part in content or ():
        yield part.refusal if isinstance(part, wire.ResponsesRefusal) else getattr(part, "text", "")


def _parts(
    content: Iterable[wire.ResponsesPart | wire.ResponsesInputPart],
    context: RequestContext,
    path: str,
) -> Iterator[Text | Image]:
    for number, part in enumerate(content):
        match part:
            case wire.ResponsesInputImage():
                yield load_image(
                    part.image_url or "", context.images, f"{path}[{number}].image_url"
                )
            case wire.ResponsesRefusal():
                yield Text(part.refusal)
            case wire.ResponsesOtherPart():
                continue
            case _:
                yield Text(part.text)


def _name_of(forms: Mapping[str, ToolForm], name: str, namespace: str | None) -> str:
    """Return the name under which models know a tool of a namespace."""
    if namespace is None:
        return name
    known = (
        each for each, form in forms.items() if (form.name, form.namespace) == (name, namespace)
    )
    return next(known, name)
