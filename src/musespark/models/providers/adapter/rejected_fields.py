"""Fields of Chat Completions that a server rejects although the question can be asked without them, or under another name.

A team chooses a temperature for its explorers, so that of a model which knows only its own is left out. Other options that a person
may have chosen are not: that they are rejected stays an error.
"""

from __future__ import annotations

import json
import logging
import re
from typing import Any

_LOG = logging.getLogger(__name__)
_STATUSES = (400, 422)
_LIMITS = ("max_tokens", "max_completion_tokens")
"""Old and new name of the most tokens of a reply."""
_UNKNOWN = re.compile(
    r"unsupported|not supported|unrecognized|unknown|not permitted|extra|unexpected|not allowed|invalid param",
    re.IGNORECASE,
)
_FIXED_TEMPERATURE = re.compile(
    r"(?:unsupported|not support|unrecognized|unknown|deprecated|not permitted|extra_forbidden)[^.]*\btemperature\b|"
    r"\btemperature\b[^.]*(?:unsupported|not support|only (?:the default|1\b)|deprecated|not permitted|extra_forbidden)",
    re.IGNORECASE,
)
"""Words for a temperature that cannot be chosen, in contrast to one out of range."""
_NO_SYSTEM = re.compile(
    r"system (?:role|messages?|prompts?)\W+(?:\w+ ){0,2}(?:not supported|unsupported|not allowed)|"
    r"(?:not|n't) support\w* (?:the )?['\"]?system|developer instruction is not enabled",
    re.IGNORECASE,
)
"""Words of servers and templates that know no system message."""


def without_rejected(body: bytes, status: int, reply: bytes) -> bytes | None:
    """The body to send instead after a server has rejected one; None if there is none."""
    if status not in _STATUSES:
        return None
    try:
        fields: Any = json.loads(body)
    except ValueError:
        return None
    said = reply[:10_000].decode("utf-8", "replace")
    changed = _change(fields, said) if isinstance(fields, dict) else None
    return None if changed is None else json.dumps(changed, separators=(",", ":")).encode()


def _change(fields: dict[str, Any], said: str) -> dict[str, Any] | None:
    if "stream_options" in fields and "stream_options" in said:
        return {name: value for name, value in fields.items() if name != "stream_options"}
    if "temperature" in fields and _FIXED_TEMPERATURE.search(said):
        _LOG.warning(
            "%s knows only its own temperature; that of a request is left out", fields.get("model")
        )
        return {name: value for name, value in fields.items() if name != "temperature"}
    if fields.get("tool_choice") == "auto" and "tool_choice" in said:  # the default
        return {name: value for name, value in fields.items() if name != "tool_choice"}
    old, new = _LIMITS
    if _UNKNOWN.search(said) and re.search(rf"\b{new}\b", said):
        here, there = (new, old) if new in fields else (old, new)
        if here in fields and re.search(rf"\b{here}\b", said):
            rest = {name: value for name, value in fields.items() if name != here}
            return {**rest, there: fields[here]}
    if _NO_SYSTEM.search(said):
        return _with_system_in_question(fields)
    return None


def _with_system_in_question(fields: dict[str, Any]) -> dict[str, Any] | None:
    """The fields with a system message before the first question instead; None if that cannot be."""
    match fields.get("messages"):
        case [
            {"role": "system", "content": str() as told},
            {"role": "user", "content": str() | list() as asked} as first,
            *rest,
        ]:
            both = (
                f"{told}\n\n{asked}"
                if isinstance(asked, str)
                else [{"type": "text", "text": told}, *asked]
            )
            return {**fields, "messages": [{**first, "content": both}, *rest]}
    return None
