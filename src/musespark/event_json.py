"""Values of events as JSON, and back."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from musespark.content import Mode, Text, Thinking, ToolCall
from musespark.usage import Usage

AS_IS = frozenset({str, int, float, bool, type(None)})
"""Types that JSON has itself."""
_PARTS: Mapping[type, tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind)) for kind in (Usage, ToolCall, Text, Thinking)
}


def encode(value: object) -> object:
    """Convert a value of an event to JSON."""
    match value:
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Usage() | ToolCall():
            return {name: getattr(value, name) for name in _PARTS[type(value)]}
        case Text() | Thinking():
            return {
                "is": type(value).__name__,
                **{name: getattr(value, name) for name in _PARTS[type(value)]},
            }
        case Mode():
            return str(value)
        case tuple():
            return [encode(item) for item in value]
        case _:
            return value


def _signed(**values: Any) -> Text | Thinking:
    return Text(**values) if values.pop("is") == "Text" else Thinking(**values)


DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "picture": lambda value: (
        value if isinstance(value, bytes) else base64.b64decode(value, validate=True)
    ),
    "usage": lambda values: Usage(**values),
    "answer_usage": lambda values: None if values is None else Usage(**values),
    "mode": Mode,
    "pictures": tuple,
    "groups": lambda groups: tuple(tuple(group) for group in groups),
    "answers": tuple,
    "calls": lambda calls: tuple(ToolCall(**call) for call in calls),
    "winners": tuple,
    "signed": lambda parts: tuple(_signed(**part) for part in parts),
}
"""Ways back for the values that are not in JSON what they are in the event, by key."""
