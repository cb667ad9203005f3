"""Values in the forms in which clients send them, as the one form that a protocol has: a list of conversions before validation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator

_MOST = 2**63
"""Size of numbers that are whole beyond doubt."""


def _whole_number(value: Any) -> Any:
    """Return a whole number that came as a fraction (4096.0); anything else as it is."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < _MOST
    return int(value) if is_whole else value


def _text_or_json(value: Any) -> Any:
    """Return an object as JSON text, and nothing as an empty text; anything else as it is."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def _content_or_json(value: Any) -> Any:
    """Return a tool's result that is JSON and no list of parts as JSON text."""
    is_data = isinstance(value, bool | int | float | dict) or (
        isinstance(value, list) and not all(_is_part(item) for item in value)
    )
    return json.dumps(value, ensure_ascii=False) if is_data else value


def _is_part(value: Any) -> bool:
    """Return True for a part of a content: an object that names its type, or is a model already."""
    return isinstance(value.get("type"), str) if isinstance(value, dict) else hasattr(value, "type")


def _text(value: Any) -> Any:
    """Return an empty text for nothing."""
    return "" if value is None else value


def _object(value: Any) -> Any:
    """Return an empty object for nothing, and the object of a JSON text."""
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return found if isinstance(found, dict) else value
    return value


def _address(value: Any) -> Any:
    """Return the address within an object that has nothing else to say."""
    return value["url"] if isinstance(value, dict) and "url" in value else value


WholeNumber: TypeAlias = Annotated[int, BeforeValidator(_whole_number)]
"""A whole number, also as 4096.0."""
PartText: TypeAlias = Annotated[str, BeforeValidator(_text)]
"""Text of a part; null is an empty one."""
Arguments: TypeAlias = Annotated[str, BeforeValidator(_text_or_json)]
"""Arguments of a call as JSON text, also as an object."""
ArgumentObject: TypeAlias = Annotated[dict[str, Any], BeforeValidator(_object)]
"""Arguments of a call as an object, also as JSON text."""
ImageAddress: TypeAlias = Annotated[str, BeforeValidator(_address)]
"""Address of an image, also as an object with a field for it."""
AS_CONTENT = BeforeValidator(_content_or_json)
"""Conversion of a tool's result that is plain JSON."""


def image_address(part: Mapping[str, Any]) -> str | None:
    """Return the address or data URL of an image part of any protocol; None for another part."""
    match part:
        case {"type": "image", "source": {"type": "url", "url": str() as url}}:
            return url
        case {"type": "image", "source": {"type": "base64", "data": str() as data, **source}}:
            kind = source.get("media_type") or "image/png"
            return data if data.startswith("data:") else f"data:{kind};base64,{data}"
        case {
            "type": "image_url" | "input_image",
            "image_url": (str() as url) | {"url": str() as url},
        }:
            return url
    return None


def part_form(
    text_type: str,
    texts: frozenset[str] = frozenset(),
    image: Callable[[str], dict[str, Any]] | None = None,
    own: frozenset[str] = frozenset(),
) -> BeforeValidator:
    """Make the conversion of a part in the form of another protocol.

    text_type: the type of a text here. texts: types of texts elsewhere. image: makes an image part of an address.
    own: types of images here, which are left as they are.
    """

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            return {"type": text_type, "text": value}
        if not isinstance(value, dict):
            return value
        kind = value.get("type")
        if not isinstance(kind, str | None):
            return value
        if kind in texts or (kind is None and "text" in value):
            return {**value, "type": text_type}
        address = None if image is None or kind in own else image_address(value)
        return value if image is None or address is None else image(address)

    return BeforeValidator(convert)


def _nested(value: Any) -> Any:
    """Return a schema with its fields beside the type as one with a field of its own for them."""
    is_flat = isinstance(value, dict) and value.get("type") == "json_schema" and "schema" in value
    if not is_flat or "json_schema" in value:
        return value
    fields = {name: item for name, item in value.items() if name != "type"}
    return {"type": "json_schema", "json_schema": fields}


def _flat(value: Any) -> Any:
    """Return a schema with a field of its own for its fields as one with the fields beside the type."""
    if isinstance(value, dict) and isinstance(value.get("json_schema"), dict):
        return {"type": value.get("type"), **value["json_schema"]}
    return value


def moved(body: Any, old: str, config: str) -> Any:
    """Return a body with the form of its answer in `config`, where no other stands, in place of the field `old`."""
    if not isinstance(body, dict) or not isinstance(body.get(old), dict):
        return body
    found = body.get(config) or {}
    if not isinstance(found, dict) or found.get("format") is not None:
        return body
    rest = {name: value for name, value in body.items() if name != old}
    return {**rest, config: {**found, "format": body[old]}}


NESTED_FORMAT = BeforeValidator(_nested)
"""Conversion of the form of an answer to that of Chat Completions."""
FLAT_FORMAT = BeforeValidator(_flat)
"""Conversion of the form of an answer to that of Responses and Messages."""


def function_fields(tool: Any) -> dict[str, Any] | None:
    """Return name, description, parameters and strictness of a function in the form of any protocol; None for another tool."""
    if not isinstance(tool, dict) or tool.get("type") not in (None, "function", "custom"):
        return None
    inner = tool.get("function")
    fields = inner if isinstance(inner, dict) else tool
    parameters = fields.get("parameters", fields.get("input_schema"))
    if "name" not in fields or (tool.get("type") == "custom" and "input_schema" not in fields):
        return None
    return {
        "name": fields["name"],
        "description": fields.get("description"),
        "parameters": parameters,
        "strict": fields.get("strict"),
    }


def choice_form(named: Callable[[str], dict[str, Any]], words: bool) -> BeforeValidator:
    """Make the conversion of a choice of tools in the form of another protocol.

    named: makes the choice of one tool here. words: choices without a tool are single words here, not objects with a type.
    """

    def convert(value: Any) -> Any:
        given = {"type": value} if isinstance(value, str) else value
        if not isinstance(given, dict):
            return value
        match given:
            case {"type": "function" | "tool", "name": str() as name}:
                return {**_without(given, "function"), **named(name)}
            case {"type": "function" | "tool", "function": {"name": str() as name}}:
                return {**_without(given, "function"), **named(name)}
            case {"type": "any" | "required"}:
                return "required" if words else {**given, "type": "any"}
            case {"type": ("auto" | "none") as word}:
                return word if words else given
            case {"type": ""}:
                return None
        return value

    return BeforeValidator(convert)


def _without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the fields that are not a name of the tool."""
    return {key: value for key, value in given.items() if key not in ("name", *names)}
