"""Translation of the libraries' errors into ours: one sentence that says what to do, without the key."""

from __future__ import annotations

import json
import re
from typing import Any

from musespark.errors import BeyondModel, ConnectionLost, ModelFailed, MuseError, RateLimited
from musespark.models.providers.adapter.redirects import RedirectRefused

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
_OVERLOADED = re.compile(
    r"overload|(?:at|over|exceeded) (?:\w+ )?capacity|(?:server|model|engine|service)(?: is)?(?: \w+)? busy|too many requests|"
    r"rate.?limit|temporarily unavailable|service.?unavailable|currently unavailable|high (?:demand|load|traffic)|heavy load|"
    r"resource.?exhausted|throttl|loading model|model is (?:currently )?loading|(?:try|retry) again (?:later|in a)|"
    r"please retry|queue is full|no available (?:slot|server|worker|instance)|try again shortly",
    re.IGNORECASE,
)
"""Words of a provider that is too busy for now, whatever the status that it sends them with."""
_LASTING = re.compile(
    r"quota|billing|credit|balance|insufficient_funds|context.?length|context.?window|maximum context|too (?:long|large)|"
    r"(?:max|maximum)\w* (?:prompt|input|tokens)|invalid|unsupported",
    re.IGNORECASE,
)
"""Words of an error that stays as it is, although others in it sound like a passing one."""
_ANY_REASON = (400, 408, 409, 422, 425)
"""HTTP statuses that some servers give for being busy, too."""
_INTERNAL = re.compile(r"server.?error|internal|api.?error|timeout|engine", re.IGNORECASE)
"""Kinds of errors inside a reply that may pass."""


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
        return _without_credit(name, variable, getattr(error, "status_code", None))
    if getattr(error, "in_stream", False):
        return _from_stream(error, name, model, address, variable, key)
    if isinstance(error, ModelHTTPError):
        return _from_status(
            error.status_code, error.body, error.retry_after, name, model, address, variable, key
        )
    if (refused := _find_cause(error, RedirectRefused)) is not None:
        return ModelFailed(
            name, f"{address} {refused}; set the address where the model is, if you trust it"
        )
    if isinstance(error, ModelTimeoutError) or "Timeout" in type(error).__name__:
        return ModelFailed(
            name,
            f"{address} did not answer in time; ask again, or raise the timeout in the configuration",
        )
    if is_broken_off(error):
        return ConnectionLost(
            name,
            f"{address} closed the connection before its reply was whole ({_cause(error, key)}); ask again",
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


def _from_stream(
    error: Any, name: str, model: str, address: str, variable: str, key: str
) -> MuseError:
    """The error for one that a provider sent inside its reply, after a status of 200."""
    body = error.body
    kind, said = _kind(body), _find_message(body) or str(error)
    if "quota" in kind or "billing" in kind:
        return _without_credit(name, variable, None)
    code = str(body.get("code")) if isinstance(body, dict) else ""
    status = int(code) if code.isdigit() and 400 <= int(code) < 600 else None
    if status is None and _is_overloaded(f"{kind} {said}"):
        return RateLimited(name, f"it is overloaded ({_short(said, key)})", error.retry_after, None)
    if status is None and not _INTERNAL.search(kind):
        return ModelFailed(
            name, f"{address} broke its reply off with an error ({_short(said, key)}); ask again"
        )
    return _from_status(status or 500, body, error.retry_after, name, model, address, variable, key)


def _from_status(
    status: int,
    body: object,
    retry_after: float | None,
    name: str,
    model: str,
    address: str,
    variable: str,
    key: str,
) -> MuseError:
    message = _quote_message(body, key)
    is_busy = status in _ANY_REASON and _is_overloaded(f"{_kind(body)} {_find_message(body)}")
    if status in RETRYABLE or is_busy or (status >= 500 and retry_after is not None):
        reason = "it accepts no more requests for now" if status == 429 else "it is overloaded"
        return RateLimited(name, f"{reason}{message}", retry_after, status)
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


def _without_credit(name: str, variable: str, status: int | None) -> ModelFailed:
    return ModelFailed(
        name,
        f"the account of {variable} has no credit left; add some, or choose another model",
        status,
    )


def _is_overloaded(said: str) -> bool:
    return bool(_OVERLOADED.search(said)) and not _LASTING.search(said)


def _kind(body: object) -> str:
    """The codes and types of an error, in lower case."""
    inner = body.get("error") if isinstance(body, dict) else None
    fields = inner if isinstance(inner, dict) else body
    if not isinstance(fields, dict):
        return ""
    return " ".join(str(fields.get(field) or "") for field in ("type", "code", "status")).lower()


def _find_cause(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """The first error of a kind among an error and its causes."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, kind):
        seen = seen.__cause__ or seen.__context__
    return seen


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
