"""Whatever goes wrong between here and a provider, as one of our errors: one sentence that says what to do, without the key."""

from __future__ import annotations

import json
import re
from typing import Any

from musespark.errors import BeyondModel, ModelFailed, MuseError, RateLimited

MOST_SHOWN = 200
"""Characters of a provider's own words that are passed on."""
_BROKEN = ("Broken", "RemoteProtocolError", "ReadError", "StreamClosed")
WAITING_HELPS = frozenset({429, 503, 529})


def to_muse_error(error: Exception, name: str, model: str, address: str, variable: str, key: str) -> MuseError:
    """The error to raise in place of a library's. Nothing of the key is in what comes back.

    variable: the environment variable that the key is from, or belongs in; key: empty where there is none.
    """
    from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError, ModelQuotaExceededError, ModelTimeoutError, UserError

    if isinstance(error, UserError):
        return BeyondModel(name, f"do that ({_short(str(error), key)})", "ask differently, or choose another model")
    if isinstance(error, ModelQuotaExceededError):
        status = getattr(error, "status_code", None)
        return ModelFailed(name, f"the account of {variable} has no credit left; add some, or choose another model", status)
    if isinstance(error, ModelHTTPError):
        return _by_status(error, name, model, address, variable, key)
    if isinstance(error, ModelTimeoutError) or "Timeout" in type(error).__name__:
        return ModelFailed(name, f"{address} did not answer in time; ask again, or raise the timeout in the configuration")
    if isinstance(error, ModelConnectionError) or _is_connection(error):
        return ModelFailed(name, f"{address} cannot be reached ({_cause(error, key)}); check that it runs and the address is right")
    return ModelFailed(name, f"what {address} sent is no answer ({_cause(error, key)}); check the address, or ask again")


def _by_status(error: Any, name: str, model: str, address: str, variable: str, key: str) -> MuseError:
    status: int = error.status_code
    said = _said(error.body, key)
    if status in WAITING_HELPS:
        reason = "it takes no more requests for now" if status == 429 else "it is overloaded"
        return RateLimited(name, f"{reason}{said}", error.retry_after, status)
    if status in (401, 403):
        which = f"the key in {variable}" if key else "a request without a key"
        return ModelFailed(name, f"{address} refused {which}{said}; set {variable} to one that may use this model", status)
    if status == 404:
        return ModelFailed(name, f"{address} has no model {model!r}, or nothing at this path{said}; check both", status)
    if status >= 500:
        return ModelFailed(name, f"{address} is out of order{said}; ask again later", status)
    return ModelFailed(name, f"{address} rejected the request{said}; change what it names", status)


def _is_connection(error: BaseException) -> bool:
    """Whether a transport failed that the SDK passed on as it was. The SDKs use two libraries with the same names."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"TransportError", "StreamError", "ConnectionError"})


def is_broken_off(error: BaseException) -> bool:
    """Whether a stream ended before its end: the connection fell, or the provider closed it without a word."""
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__name__ in _BROKEN or "without a `finish_reason`" in str(seen):
            return True
        seen = seen.__cause__
    return False


def _cause(error: BaseException, key: str) -> str:
    """What is at the bottom of an error, in a few words."""
    while error.__cause__ is not None:
        error = error.__cause__
    return _short(str(error) or type(error).__name__, key)


def _said(body: object, key: str) -> str:
    """What a provider says about its error, as ` (...)`; nothing for a web page."""
    message = _message(body)
    return f" ({_short(message, key)})" if message and "<" not in message[:20] else ""


def _message(body: object) -> str:
    """The sentence inside an error's body, whatever a provider wraps it in."""
    if isinstance(body, str):
        try:
            return _message(json.loads(body))
        except ValueError:
            return body
    if isinstance(body, list):
        return _message(body[0]) if body else ""
    if isinstance(body, dict):
        inner = next((body[field] for field in ("error", "message", "detail", "msg") if body.get(field)), "")
        return _message(inner)
    return ""


def _short(text: str, key: str) -> str:
    """One line without the key, nor what looks like one, and without a full stop."""
    line = " ".join(text.split())
    if key:
        line = line.replace(key, "[key]")
    line = re.sub(r"\s*(body:\s*)?<(!doctype|html).*", "", line, flags=re.IGNORECASE)  # a web page is no explanation
    # OpenAI repeats a wrong key with stars in the middle: its beginning and end are nobody's business either.
    line = re.sub(r"\S*\*{3,}\S*", "[key]", line)
    return (line if len(line) <= MOST_SHOWN else f"{line[:MOST_SHOWN]}...").rstrip(".")
