"""JSON as it is stored and as it is sent."""

from __future__ import annotations

import json

import pydantic_core


def to_json_bytes(value: object) -> bytes:
    """JSON as UTF-8. A lone surrogate, which a model may write, is escaped."""
    try:
        return pydantic_core.to_json(value)
    except pydantic_core.PydanticSerializationError:
        return json.dumps(value).encode("ascii")
