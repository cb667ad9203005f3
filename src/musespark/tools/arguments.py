"""Arguments of tools in the forms in which models send them: wrapped once more, as text, under a neighbouring name."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Collection, Mapping
from typing import Any

_WRAPPERS = (
    "arguments",
    "input",
    "parameters",
    "args",
    "params",
    "kwargs",
    "tool_input",
    "tool_arguments",
    "properties",
    "function",
)
"""Names under which a model may send all arguments once more."""
MAX_WRAPPERS = 3
MAX_LITERAL = 10_000
"""Characters of a value as Python writes it."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "none", "null")


def unwrap_arguments(arguments: Mapping[str, Any], names: Collection[str]) -> Mapping[str, Any]:
    """Return the arguments without the objects that a model has put around them; `names` are those that the tool may know."""
    folded = {_folded(name) for name in names}
    for _ in range(MAX_WRAPPERS):
        if any(_folded(name) in folded for name in arguments):
            break
        inner = next(
            (
                value
                for name in (*_WRAPPERS, *arguments)
                if (value := _to_object(arguments.get(name))) is not None
                and (name in _WRAPPERS or len(arguments) == 1)
            ),
            None,
        )
        if inner is None:
            break
        arguments = inner
    return arguments


def pick_arguments(
    arguments: Mapping[str, Any],
    known: Collection[str],
    aliases: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Any]:
    """Return the arguments by the names that a tool knows, without those that are null; others are left out.

    aliases: other names of an argument, in lower case. An exact name wins over an alias.
    """
    folded = {_folded(name): value for name, value in arguments.items()}
    given: dict[str, Any] = {}
    for name in known:
        names = (name, *(aliases or {}).get(name, ()))
        values = (arguments.get(each, folded.get(_folded(each))) for each in names)
        value = next((value for value in values if value is not None), None)
        if value is not None:
            given[name] = value
    return given


def _folded(name: object) -> str:
    return str(name).strip().lower().replace("-", "_").replace(" ", "_")


def _to_object(value: Any) -> Mapping[str, Any] | None:
    """A value as an object, also one that is written as JSON text; None for any other."""
    if isinstance(value, str):
        value = parse_json(value)
    return value if isinstance(value, dict) else None


def parse_json(text: str) -> Any:
    """Parse JSON text, with or without a fence around it; returns None for any other text."""
    bare = text.strip()
    if fenced := re.fullmatch(r"```\w*\s*(.*?)\s*```", bare, re.DOTALL):
        bare = fenced[1]
    if bare[:1] not in ("{", "["):
        return None
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        return _parse_literal(bare)


def _parse_literal(text: str) -> Any:
    """Parse a value as Python writes it, with single quotes; returns None for anything else."""
    if len(text) > MAX_LITERAL:
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, dict | list) else None


def to_number(value: Any) -> float | None:
    """Return a number, also one that is written as text, alone or with a unit: `"30"`, `"30 degrees"`, `"1.5s"`; None for any other
    value."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:  # a whole number of hundreds of digits
            return math.inf if value > 0 else -math.inf
    if not isinstance(value, str):
        return None
    found = re.fullmatch(rf"\s*({_NUMBER.pattern})\s*[^\d\s,;]*\s*", value)
    return float(found[1]) if found else None


def to_flag(value: Any) -> bool | None:
    """Return a boolean, also one that is written as text or as 0 or 1; None for any other value."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    return None


def find_numbers(text: str) -> list[float]:
    """Return the numbers in a text, in order. A letter with a digit, such as `x1`, is a name."""
    bare = re.sub(r"[A-Za-z_]\w*", " ", text)
    return [float(each) for each in _NUMBER.findall(bare)]
