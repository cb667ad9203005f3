"""Tool calls that a model wrote into its text, in the format of its template, because its server did not take them out.

They count only for tools that the request offers, and only if everything from the first tag on is calls. A text without tags counts
if the whole of it is the JSON of a call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from musespark.models.providers.adapter.tool_calls import find_name, repair_arguments

_NAME = r"[\w.:-]+"
_SEPARATORS = re.compile(r"<｜tool▁sep｜>|<\|tool_call_argument_begin\|>|\[ARGS\]")
"""Tokens between the name of a call and its arguments."""
_CALL_ID = re.compile(r"\[CALL_ID\]\w+")
_TAGS = re.compile(
    r"</?tool_calls?>|</?function_calls?>|<\|/?tool_calls?\|?>|</?\|tool_call\|>|\[/?TOOL_CALLS\]|<\|python_tag\|>|"
    r"<\|tool_calls?_(?:section_)?(?:begin|end)\|>|<｜tool▁calls?▁(?:begin|end)｜>|functools(?=\[)|"
    r"(?=<function=)|<\|(?:im_end|eot_id|eom_id|endoftext)\|>",
)
_OPENING = re.compile(
    r"(?:^|(?<=\n)|(?<=[.:!?])[ ]*|(?<=>))[ \t]*(?:<tool_calls?>|<function_calls?>|<\|tool_calls?\|?>|\[TOOL_CALLS\]|"
    r"<\|python_tag\|>|<\|tool_calls?_(?:section_)?begin\|>|<｜tool▁calls?▁begin｜>|functools(?=\[)|<function=)"
)
_FUNCTION = re.compile(
    rf"<function=[\"']?({_NAME})[\"']?>\s*(.*?)\s*(?:</function>)?\s*\Z", re.DOTALL
)
_PARAMETER = re.compile(rf"<parameter=[\"']?({_NAME})[\"']?>\n?(.*?)\n?</parameter>\s*", re.DOTALL)
_PAIR = re.compile(r"<arg_key>\s*(.*?)\s*</arg_key>\s*<arg_value>(.*?)</arg_value>\s*", re.DOTALL)
_TAGGED = ((_PARAMETER, "<parameter="), (_PAIR, "<arg_key>"))
_NAMED = re.compile(rf"(?:function\s+)?({_NAME})\s*(?=[`{{<]|\Z)(.*)\Z", re.DOTALL)
_FENCED = re.compile(r"```\w*\s*(.*?)\s*```", re.DOTALL)
_ARGUMENTS = ("arguments", "parameters", "args", "input")
_FIELDS = frozenset({"name", "type", "id", "function", "index", *_ARGUMENTS})
"""Fields of a call; JSON with others is something else."""


@dataclass(frozen=True, slots=True)
class WrittenCalls:
    """The calls in a text, as names and JSON, and the text before them."""

    before: str
    calls: tuple[tuple[str, str], ...]


def find_written_calls(
    text: str, tools: Mapping[str, str], *, takes_json: bool = True
) -> WrittenCalls | None:
    """Find the calls of these tools in a text; None if it has none, or if anything in it is not clear.

    tools: the JSON schema of each tool's arguments, by its name. takes_json: False if the text may be JSON for another reason.
    """
    opening = _OPENING.search(text)
    if opening is not None and text[: opening.start()].count("```") % 2 == 0:
        before, written = text[: opening.start()].rstrip(), text[opening.start() :]
        pieces = _TAGS.split(_CALL_ID.sub("", _SEPARATORS.sub("\n", written)))
        found = [_parse_piece(piece.strip(), tools) for piece in pieces if piece.strip()]
    elif takes_json and text.strip()[:1] in ("{", "[", "`"):
        before, found = "", [_parse_json_calls(text.strip(), tools)]
    else:
        return None
    calls = [call for each in found for call in each or ()]
    return WrittenCalls(before, tuple(calls)) if calls and all(found) else None


def _parse_piece(piece: str, tools: Mapping[str, str]) -> list[tuple[str, str]] | None:
    """The calls between two tags; None if there is anything else."""
    if found := _parse_json_calls(piece, tools):
        return found
    named = _FUNCTION.match(piece) or _NAMED.match(piece)
    if named is None or (name := find_name(named[1], tools)) not in tools:
        return None
    rest = named[2].strip()
    pattern = next((one for one, tag in _TAGGED if tag in rest), None)
    arguments = _to_json(rest) if pattern is None else _parse_tagged(rest, pattern, tools[name])
    return None if arguments is None else [(name, arguments)]


def _parse_tagged(text: str, pattern: re.Pattern[str], schema: str) -> str | None:
    """Arguments that stand between tags of their own, as JSON; None if there is anything else."""
    if pattern.sub("", text).strip():
        return None
    properties = json.loads(schema).get("properties") or {}
    return json.dumps(
        {key: _value(value, properties.get(key)) for key, value in pattern.findall(text)}
    )


def _value(text: str, schema: Any) -> Any:
    """A value between tags: a text if the schema says so, or if it is no JSON."""
    if isinstance(schema, dict) and schema.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _to_json(text: str) -> str | None:
    """A text as the JSON of one object; None if it is none."""
    arguments = repair_arguments(text)
    try:
        return arguments if isinstance(json.loads(arguments), dict) else None
    except (ValueError, RecursionError):
        return None


def _parse_json_calls(text: str, names: Collection[str]) -> list[tuple[str, str]] | None:
    """The calls that a JSON text consists of; None if it has anything else."""
    fenced = _FENCED.fullmatch(text)
    values = _parse_values(fenced[1] if fenced else text)
    if values is None:
        return None
    calls = [_to_call(value, names) for value in values]
    known = [call for call in calls if call is not None]
    return known if known and len(known) == len(calls) else None


def _parse_values(text: str) -> list[Any] | None:
    """The objects of a JSON text, also those of lists and of `tool_calls`; None if it is no JSON."""
    decoder, values, at = json.JSONDecoder(strict=False), [], 0
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        values.extend(_flatten(value))
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n;,"))
    return values


def _flatten(value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and list(value) == ["tool_calls"]:
        value = value["tool_calls"]
    yield from value if isinstance(value, list) else [value]


def _to_call(value: Any, names: Collection[str]) -> tuple[str, str] | None:
    """Name and arguments of a call, with or without an envelope; None for any other value."""
    if not isinstance(value, dict) or not value.keys() <= _FIELDS:
        return None
    inner = value.get("function")
    if isinstance(inner, dict):
        return _to_call(inner, names)
    name = value.get("name", inner)
    field = next((field for field in _ARGUMENTS if field in value), None)
    if not isinstance(name, str) or field is None or (name := find_name(name, names)) not in names:
        return None
    given = value[field]
    arguments = repair_arguments(given if isinstance(given, str) else json.dumps(given))
    return (name, arguments) if arguments.startswith("{") else None
