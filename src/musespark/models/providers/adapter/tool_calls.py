"""Repair of tool calls that small models and their servers write almost right: the name, and the JSON of the arguments."""

from __future__ import annotations

import ast
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
_LABEL = re.compile(r"[\w ]{1,30}[:=]\s*(?=\{)")
"""Words before the arguments, as in `Arguments: {...}`."""
_LAST_COMMA = re.compile(r",(?=\s*[}\]])")
MAX_LITERAL = 10_000
"""Characters of arguments as Python writes them."""


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
    """Return arguments as one JSON object: nothing becomes an empty one, JSON in JSON text and in a list of one is taken out, of
    several objects the last that is not empty counts, and what stands around an object is left out. Anything else stays as the
    model wrote it."""
    text = arguments.strip()
    if text.lower() in _EMPTY:
        return "{}"
    for _ in range(2):
        try:
            inner = json.loads(text)
        except ValueError:
            break
        if isinstance(inner, list) and len(inner) == 1 and isinstance(inner[0], dict):
            return json.dumps(inner[0])
        if not isinstance(inner, str):
            return arguments if text == arguments.strip() else text
        text = inner.strip()
        if text.lower() in _EMPTY:
            return "{}"
    objects = _objects(text)
    if not objects:
        return _first_object(text) or _parse_literal(text) or arguments
    return next((each for each in reversed(objects) if json.loads(each)), "{}")


def _objects(text: str) -> list[str]:
    """The JSON objects that a text consists of; empty if it has anything else."""
    fenced = re.fullmatch(r"```\w*\s*(.*?)\s*```", text, re.DOTALL)
    text, found, at = fenced[1] if fenced else text, [], 0
    decoder = json.JSONDecoder(strict=False)
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            return []
        if not isinstance(value, dict):
            return []
        found.append(text[at:end] if _is_strict(text[at:end]) else json.dumps(value))
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


def _first_object(text: str) -> str | None:
    """The object at the start of a text whose rest has none: closing brackets, tokens of a template, words."""
    bare = _LABEL.sub("", text, count=1) if _LABEL.match(text) else text
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(bare)
    except (ValueError, RecursionError):
        return None
    return json.dumps(value) if isinstance(value, dict) and "{" not in bare[end:] else None


def _parse_literal(text: str) -> str | None:
    """The object that a text is as Python or JavaScript writes it: quotes, names of constants, a comma after the last."""
    if len(text) > MAX_LITERAL or not (text.startswith("{") and text.endswith("}")):
        return None
    for parse in (json.loads, ast.literal_eval):
        for each in (text, _LAST_COMMA.sub("", text)):
            try:
                value = parse(each)
                if isinstance(value, dict) and all(isinstance(key, str) for key in value):
                    return json.dumps(value)
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                continue
    return None


def _is_strict(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
