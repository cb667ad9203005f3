"""Translation of the libraries' errors into ours: one sentence that says what to do, without the key."""

from __future__ import annotations

import json
import re
from typing import Any

from musespark.errors import BeyondModel, ModelFailed, MuseError, RateLimited

MAX_SHOWN = 200
"""Characters of a provider's own message that are passed on."""
_BROKEN = (
    "RemoteProtocolError",
    "ReadError",
    "StreamClosed",
    "ClientPayloadError",
    "ClientOSError",
    "ServerDisconnectedError",
)
"""Errors of the HTTP libraries for a connection that was lost."""
RETRYABLE = frozenset({429, 503, 529})
"""HTTP statuses after which a later request may succeed."""


def to_muse_error(
    error: Exception, name: str, model: str, address: str, variable: str, key: str
) -> MuseError:
    """The error to raise in place of a library's; it holds nothing of the key.

    variable: environment variable of the key. key: empty if there is none.
    """
    from pydantic_ai.exceptions import (
        ModelConnectionError,
        ModelHTTPError,
        ModelQuotaExceededError,
        ModelTimeoutError,
        UserError,
    )

    if isinstance(error, UserError):
        return BeyondModel(
            name, f"do that ({_short(str(error), key)})", "ask differently, or choose another model"
        )
    if isinstance(error, ModelQuotaExceededError):
        status = getattr(error, "status_code", None)
        return ModelFailed(
            name,
            f"the account of {variable} has no credit left; add some, or choose another model",
            status,
        )
    if isinstance(error, ModelHTTPError):
        return _from_status(error, name, model, address, variable, key)
    if isinstance(error, ModelTimeoutError) or "Timeout" in type(error).__name__:
        return ModelFailed(
            name,
            f"{address} did not answer in time; ask again, or raise the timeout in the configuration",
        )
    if isinstance(error, ModelConnectionError) or _is_connection(error):
        return ModelFailed(
            name,
            f"{address} cannot be reached ({_cause(error, key)}); check that it runs and the address is right",
        )
    return ModelFailed(
        name,
        f"{address} sent no valid answer ({_cause(error, key)}); check the address, or ask again",
    )


def _from_status(
    error: Any, name: str, model: str, address: str, variable: str, key: str
) -> MuseError:
    status: int = error.status_code
    message = _quote_message(error.body, key)
    if status in RETRYABLE:
        reason = "it accepts no more requests for now" if status == 429 else "it is overloaded"
        return RateLimited(name, f"{reason}{message}", error.retry_after, status)
    if status in (401, 403):
        refused = f"the key in {variable}" if key else "a request without a key"
        return ModelFailed(
            name,
            f"{address} refused {refused}{message}; set {variable} to one that may use this model",
            status,
        )
    if status == 404:
        return ModelFailed(
            name,
            f"{address} has no model {model!r}, or nothing at this path{message}; check both",
            status,
        )
    if status >= 500:
        return ModelFailed(
            name, f"{address} had an internal error{message}; ask again later", status
        )
    return ModelFailed(
        name, f"{address} rejected the request{message}; change what it names", status
    )


def _is_connection(error: BaseException) -> bool:
    """True for a transport error that the SDK passed on unchanged; by class name, so that no library is imported."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(
        names
        & {
            "TransportError",
            "StreamError",
            "ConnectionError",
            "ClientConnectionError",
            "ClientPayloadError",
        }
    )


def is_broken_off(error: BaseException) -> bool:
    """True if a stream ended early: the connection was lost, or the provider closed it without a finish reason."""
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__name__ in _BROKEN or "without a `finish_reason`" in str(seen):
            return True
        seen = seen.__cause__
    return False


def _cause(error: BaseException, key: str) -> str:
    """Message of an error's first cause, shortened."""
    while error.__cause__ is not None:
        error = error.__cause__
    return _short(str(error) or type(error).__name__, key)


def _quote_message(body: object, key: str) -> str:
    """The provider's message as ` (...)`; empty for a web page."""
    message = _find_message(body)
    return f" ({_short(message, key)})" if message and "<" not in message[:20] else ""


def _find_message(body: object) -> str:
    """The message inside an error's body, in any of the providers' wrappings."""
    if isinstance(body, str):
        try:
            return _find_message(json.loads(body))
        except ValueError:
            return body
    if isinstance(body, list):
        return _find_message(body[0]) if body else ""
    if isinstance(body, dict):
        inner = next(
            (body[field] for field in ("error", "message", "detail", "msg") if body.get(field)), ""
        )
        return _find_message(inner)
    return ""


def _short(text: str, key: str) -> str:
    """Shorten to one line, without the key or anything like one, and without a full stop."""
    line = " ".join(text.split())
    if key:
        line = line.replace(key, "[key]")
    line = re.sub(
        r"\s*(body:\s*)?<(!doctype|html).*", "", line, flags=re.IGNORECASE
    )  # a web page is no explanation
    # OpenAI repeats a wrong key with stars in the middle; its beginning and end are secret as well.
    line = re.sub(r"\S*\*{3,}\S*", "[key]", line)
    return (line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]}...").rstrip(".")
