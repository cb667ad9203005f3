"""Tools that clients offer, in every form, as the functions that models know; and calls back in the form of the client."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from musespark.content import ToolCall, ToolSpec
from musespark.server.errors import RequestRefused
from musespark.server.protocols.warnings import RequestWarnings, shown
from musespark.server.resolve.parsed_request import ToolForm

_INPUT = "input"
"""Field of a custom tool's only argument."""
_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_VALUES = ("default", "const", "example", "examples", "enum")
"""Keywords whose values are data, in which null has a meaning."""
_TEXT = {"type": "string"}
_INTEGER = {"type": "integer"}
_PAIR = {"type": "array", "items": _INTEGER}


def function_spec(
    name: str, description: str | None, parameters: Any, strict: bool | None = None
) -> ToolSpec:
    """Return the description of a function. Its parameters stay as open as they were given."""
    schema = clean_schema(parameters) if isinstance(parameters, dict) else {}
    if "type" not in schema and not schema.keys() & {"anyOf", "oneOf", "allOf", "$ref"}:
        schema = {"type": "object", **schema}
    if schema.get("type") == "object":
        schema.setdefault("properties", {})
    return ToolSpec.of(name, description or "", schema, strict)


def clean_schema(schema: Any) -> Any:
    """Return a schema without keywords that are null, which some libraries write for what they leave out."""
    if not isinstance(schema, dict):
        return [clean_schema(item) for item in schema] if isinstance(schema, list) else schema
    cleaned: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _VALUES:
            cleaned[keyword] = value
        elif keyword in _MAPS and isinstance(value, dict | None):
            cleaned[keyword] = {
                name: {} if item is None else clean_schema(item)
                for name, item in (value or {}).items()
            }
        elif value is not None:
            cleaned[keyword] = clean_schema(value)
    return cleaned


def custom_spec(name: str, description: str | None, form: Any) -> ToolSpec:
    """Return a tool with a free text as input as a function with one argument."""
    told = description or ""
    if isinstance(form, dict) and form.get("type") == "grammar":
        inner = form.get("grammar")
        grammar: dict[str, Any] = inner if isinstance(inner, dict) else form
        syntax, rules = grammar.get("syntax", "lark"), grammar.get("definition", "")
        told += f"\n\nThe input follows this grammar ({syntax}):\n{rules}"
    parameters = {"type": "object", "properties": {_INPUT: _TEXT}, "required": [_INPUT]}
    return ToolSpec.of(name, told.strip(), parameters)


def custom_arguments(text: str) -> str:
    """Return the arguments of a call of a custom tool."""
    return json.dumps({_INPUT: text})


def custom_input(call: ToolCall) -> str:
    """Return the text that a call of a custom tool passes; arguments of another shape as they are."""
    try:
        value = call.parsed()
    except ValueError:
        return call.arguments
    if isinstance(value, dict) and isinstance(value.get(_INPUT), str):
        return str(value[_INPUT])
    return call.arguments


def form_of(forms: Mapping[str, ToolForm], call: ToolCall) -> ToolForm:
    """Return the form in which the client offered the tool of a call."""
    return forms.get(call.name) or ToolForm(call.name)


def choose(
    choice: str | None, tools: Sequence[ToolSpec], warnings: RequestWarnings, is_other: bool = False
) -> str:
    """Return how tools are chosen: `auto`, `none`, `required`, or the name of one. Raises `RequestRefused` for an unknown name.

    is_other: the choice is a kind of tool that has no name, and is left out.
    """
    if choice in (None, "auto", "none"):
        return choice or "auto"
    if is_other or (choice == "required" and not tools):
        warnings.ignore(f"tool_choice ({choice})")
        return "auto"
    if choice != "required" and choice not in {tool.name for tool in tools}:
        raise RequestRefused(
            f"tool_choice names {shown(str(choice))}, which is none of the tools.",
            param="tool_choice",
        )
    return str(choice)


# Tools of Anthropic that clients run: models know them by these parameters.

_CLIENT_TOOLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        r"bash_\d+",
        "Run a command in a persistent bash shell.",
        {
            "type": "object",
            "properties": {"command": _TEXT, "restart": {"type": "boolean"}},
        },
    ),
    (
        r"text_editor_\d+",
        "View, create and edit files: commands view, create, str_replace, insert and, where it exists, undo_edit.",
        {
            "type": "object",
            "properties": {
                "command": {
                    "type": "string",
                    "enum": ["view", "create", "str_replace", "insert", "undo_edit"],
                },
                "path": _TEXT,
                "file_text": _TEXT,
                "old_str": _TEXT,
                "new_str": _TEXT,
                "insert_line": _INTEGER,
                "insert_text": _TEXT,
                "view_range": _PAIR,
            },
            "required": ["command", "path"],
        },
    ),
    (
        r"computer_\d+",
        "Use a screen, a mouse and a keyboard; a screenshot shows what there is. Coordinates are pixels.",
        {
            "type": "object",
            "properties": {
                "action": _TEXT,
                "coordinate": _PAIR,
                "start_coordinate": _PAIR,
                "text": _TEXT,
                "duration": {"type": "number"},
                "scroll_direction": {"type": "string", "enum": ["up", "down", "left", "right"]},
                "scroll_amount": _INTEGER,
            },
            "required": ["action"],
        },
    ),
    (
        r"memory_\d+",
        "Keep notes in files below /memories: commands view, create, str_replace, insert, delete and rename.",
        {
            "type": "object",
            "properties": {
                "command": _TEXT,
                "path": _TEXT,
                "file_text": _TEXT,
                "old_str": _TEXT,
                "new_str": _TEXT,
                "insert_line": _INTEGER,
                "insert_text": _TEXT,
                "view_range": _PAIR,
                "old_path": _TEXT,
                "new_path": _TEXT,
            },
            "required": ["command"],
        },
    ),
)


def client_tool_spec(type: str, name: str, fields: Mapping[str, Any]) -> ToolSpec | None:
    """Return the description of one of Anthropic's tools that clients run; None for any other, which its service runs."""
    for pattern, description, parameters in _CLIENT_TOOLS:
        if re.fullmatch(pattern, type):
            width, height = fields.get("display_width_px"), fields.get("display_height_px")
            screen = f" The screen has {width} x {height} pixels." if width and height else ""
            return ToolSpec.of(name, description + screen, parameters)
    return None
