"""JSON values as hashable keys: 1 is 1.0 but not true, and an object's fields have no order."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

DEEPEST = 100
"""Levels of the most deeply nested value that is compared as a value: below the depth at which Python itself gives up."""


def parsed(text: str) -> Any:
    """The JSON value that the text is, fenced or not; raises `ValueError`."""
    plain = text.strip()
    if plain.startswith("```"):
        plain = plain.partition("\n")[2].rpartition("```")[0]
    try:
        return json.loads(plain)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def hashable(value: Any, deepest: int = DEEPEST) -> Hashable:
    """The same for the same JSON values, and for no others; raises `ValueError` if they are nested more deeply than that."""
    if not deepest:
        raise ValueError("nested too deeply")
    match value:
        case dict():
            return "object", frozenset(
                (name, hashable(item, deepest - 1)) for name, item in value.items()
            )
        case list() | tuple():
            return "array", tuple(hashable(item, deepest - 1) for item in value)
        case bool():
            return "boolean", value
        case str():
            return "string", value
        case int() | float():
            return "number", value if value == value else "nan"
        case _:
            return "null", value
