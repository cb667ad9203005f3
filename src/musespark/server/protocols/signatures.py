"""What a provider has signed of a reply, on its way to a client and back as one opaque text.

Clients repeat what they were given. What it says is for its own provider at the same address alone, which the adapter sees to
(`models.providers.conversation`); a text that is none of ours, such as a provider's own signature, means nothing here.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from typing import Any

from musespark.content import Part, Text, Thinking, ToolCall

_MARK = "muse1."
MOST = 1024
"""Parts of one reply."""


def pack_signatures(parts: Iterable[Part]) -> str | None:
    """The signed ones of these parts as a text; None where there are none."""
    values = [value for part in parts if (value := _value(part)) is not None]
    return _MARK + base64.urlsafe_b64encode(json.dumps(values).encode()).decode() if values else None


def unpack_signatures(seal: str | None) -> tuple[Part, ...]:
    """The parts that were pack_signatures; none of a text that this did not write."""
    if seal is None or not seal.startswith(_MARK):
        return ()
    try:
        values = json.loads(base64.b64decode(seal[len(_MARK):], altchars=b"-_", validate=True))
        return tuple(_parts(values)) if len(values) <= MOST else ()
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
    """Raises `ValueError` or `TypeError` where they are not what `_value` makes."""
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
