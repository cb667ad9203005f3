"""A conversation as JSON text and back, its images apart. A video is stored as its contact sheet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from musespark.content import Image, Message, Part, Text, Thinking, ToolCall, ToolResult

_KINDS: dict[str, type[Part]] = {
    kind.__name__: kind for kind in (Text, Image, Thinking, ToolCall, ToolResult)
}


def to_json(messages: Iterable[Message]) -> tuple[str, list[Image]]:
    """The messages as JSON text (ASCII, so lone surrogates are escaped), and the images it refers to by number from 0."""
    images: list[Image] = []
    values = [
        [message.role, [_value(part, images) for part in message.as_images().parts]]
        for message in messages
    ]
    return json.dumps(values), images


def from_json_text(text: str, images: Sequence[Image]) -> tuple[Message, ...]:
    """The messages that `to_json` wrote."""
    return tuple(
        Message(role, tuple(_part(value, images) for value in parts))
        for role, parts in json.loads(text)
    )


def _value(part: Part, images: list[Image]) -> dict[str, Any]:
    if isinstance(part, Image):
        images.append(part)
        return {"is": "Image", "number": len(images) - 1, "made_by": part.made_by}
    values: dict[str, Any] = {"is": type(part).__name__}
    for field in fields(part):
        value = getattr(part, field.name)
        values[field.name] = (
            [_value(each, images) for each in value] if isinstance(value, tuple) else value
        )
    return values


def _part(value: dict[str, Any], images: Sequence[Image]) -> Part:
    values = dict(value)
    kind: Any = _KINDS[values.pop("is")]
    if kind is Image:
        found = images[values["number"]]
        return Image(found.data, found.media_type, values["made_by"])
    part: Part = kind(
        **{
            name: tuple(_part(each, images) for each in item) if isinstance(item, list) else item
            for name, item in values.items()
        }
    )
    return part
