"""Failures as they are told to others: those of a context that is too long by their own type, and none with an address in it."""

from __future__ import annotations

import json
import re

from musespark.errors import ContextExceeded, ModelFailed, MuseError
from musespark.models.providers.adapter.addresses import SERVER, without_addresses

_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|context (?:length|window|size)|maximum (?:context|prompt|input|sequence)|"
    r"prompt is too long|input is too long|too many (?:input )?tokens|input token count|string_above_max_length|"
    r"(?:prompt|input|request|messages?)\b.{0,60}\b(?:exceeds?|longer than|too large|too long)\b"
    r".{0,60}\b(?:tokens?|context|maximum|limit)|reduce the length of the (?:messages|prompt)",
    re.IGNORECASE | re.DOTALL,
)
"""Codes and words of providers for a request that is longer than the model's context."""
_STATUSES = (400, 413, 422, 500)
"""HTTP statuses with which servers say so."""


def with_context_exceeded(failed: MuseError, error: Exception) -> MuseError:
    """Return the failure as `ContextExceeded`, if the library's error says that the request is longer than the model can read."""
    if type(failed) is not ModelFailed or failed.status not in _STATUSES:
        return failed
    body = getattr(error, "body", None)
    said = json.dumps(body, default=str) if isinstance(body, dict | list) else str(body)
    if not _TOO_LONG.search(said[:4000]):
        return failed
    reason = failed.reason.removesuffix("; change what it names").removesuffix("; ask again later")
    reason += "; shorten the conversation, or choose a model that reads more"
    return ContextExceeded(failed.model, reason, failed.status)


def discreet_error(error: MuseError, model: str, address: str, variable: str) -> MuseError:
    """Return the same error for someone who knows a model by its alias: not by its server's name, address or key.

    model: the server's name of it. variable: environment variable of the key.
    """
    if not isinstance(error, ModelFailed):
        return error
    reason = without_addresses(error.reason, address)
    if variable:
        for told, instead in (
            (f"set {variable} to one that may use this model", "tell the operator"),
            (f"the key in {variable}", "the key"),
            (f"the account of {variable}", f"the account at {SERVER}"),
            (variable, "the key"),
        ):
            reason = reason.replace(told, instead)
    if not error.model.endswith(model):
        name = error.model.replace("\\", r"\\")
        reason = re.sub(rf"(?<![\w/.:-]){re.escape(model)}(?![\w/:-])", name, reason)
    return error.with_reason(reason)
