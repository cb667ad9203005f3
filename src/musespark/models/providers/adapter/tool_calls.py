"""Repair of tool calls that small models and their servers write almost right: the name, and the JSON of the arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace

from musespark.content import ToolCall

_EMPTY = ("", "null", "none", '""')
_AROUND_NAME = re.compile(
    r"^(?:functions?|tools?|default_api|multi_tool_use)[.:/]|[:#]\d+$|\(\s*\)$"
)
"""Additions of models before or after the name of a tool."""


def repair_call(call: ToolCall, names: Iterable[str]) -> ToolCall:
    """The call with the name of the tool that is meant, and arguments that are one JSON object, as far as that can be told."""
    name, arguments = find_name(call.name, names), repair_arguments(call.arguments)
    if (name, arguments) == (call.name, call.arguments):
        return call
    return replace(call, name=name, arguments=arguments)


def find_name(name: str, names: Iterable[str]) -> str:
    """The one of the names that a model means; its own, without whitespace around it, if it is none of them."""
    known = tuple(names)
    bare = name.strip()
    if bare in known:
        return bare
    short = _AROUND_NAME.sub("", bare.partition("<|")[0].strip())
    short = _AROUND_NAME.sub("", short).strip("`\"' ")
    for each in (short, short.rpartition(".")[2]):
        same = [one for one in known if _folded(one) == _folded(each)]
        if each in known or len(same) == 1:
            return each if each in known else same[0]
    return bare


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")


def repair_arguments(arguments: str) -> str:
    """Return arguments as one JSON object: nothing becomes an empty one, JSON in JSON text is taken out, of several objects the
    last that is not empty counts. Anything else stays as the model wrote it."""
    text = arguments.strip()
    if text.lower() in _EMPTY:
        return "{}"
    for _ in range(2):
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            break
        if not isinstance(inner, str):
            return arguments if text == arguments.strip() else text
        text = inner.strip()
        if text.lower() in _EMPTY:
            return "{}"
    objects = _objects(text)
    if not objects:
        return arguments
    return next((each for each in reversed(objects) if json.loads(each)), "{}")


def _objects(text: str) -> list[str]:
    """The JSON objects that a text consists of; empty if it has anything else."""
    fenced = re.fullmatch(r"```\w*\s*(.*?)\s*```", text, re.DOTALL)
    text, found, at = fenced[1] if fenced else text, [], 0
    decoder = json.JSONDecoder(strict=False)
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return []
        if not isinstance(value, dict):
            return []
        found.append(text[at:end] if _is_strict(text[at:end]) else json.dumps(value))
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def _is_strict(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
