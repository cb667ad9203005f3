"""Signatures of providers on parts of a reply, packed as one opaque text that clients send back.

The parts are passed on to the provider that signed them, at the same address, and to no other; the adapter sees to that
(`models.providers.adapter.conversation`). A text that was not packed here, such as a provider's own signature, is ignored.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from typing import Any

from musespark.content import Part, Text, Thinking, ToolCall

_MARK = "muse1."
MAX_PARTS = 1024
"""Parts of one reply."""


def pack_signatures(parts: Iterable[Part]) -> str | None:
    """Pack the signed ones of these parts; None if there are none."""
    values = [value for part in parts if (value := _value(part)) is not None]
    return (
        _MARK + base64.urlsafe_b64encode(json.dumps(values).encode()).decode() if values else None
    )


def unpack_signatures(packed: str | None) -> tuple[Part, ...]:
    """Unpack the signed parts; none of a text that was not packed here."""
    if packed is None or not packed.startswith(_MARK):
        return ()
    try:
        values = json.loads(base64.b64decode(packed[len(_MARK) :], altchars=b"-_", validate=True))
        return tuple(_parts(values)) if len(values) <= MAX_PARTS else ()
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return ()


def _value(part: Part) -> list[str | None] | None:
    match part:
        case Thinking(signature=str()):
            return ["thinking", part.made_by, part.signature, part.text]
        case Text(signature=str()):
            return ["text", part.made_by, part.signature, part.text]
        case ToolCall(signature=str()):
            return ["call", part.made_by, part.signature, part.id, part.name]
    return None


def _parts(values: Any) -> Iterator[Part]:
    """Yield the parts of unpacked values. Raises `ValueError` or `TypeError` for values that `_value` does not make."""
    for kind, made_by, signature, *rest in values:
        if not all(isinstance(value, str) for value in (made_by or "", signature, *rest)):
            raise TypeError("not a text")
        match kind, rest:
            case "thinking", [text]:
                yield Thinking(text, signature, made_by)
            case "text", [text]:
                yield Text(text, made_by, signature)
            case "call", [id, name]:
                yield ToolCall(id, name, made_by=made_by, signature=signature)
            case _:
                raise ValueError(kind)
