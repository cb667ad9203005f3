"""Errors as an HTTP status and a code; each protocol writes them in its own shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from musespark.errors import (
    AllFailed,
    BadInput,
    BudgetExhausted,
    BudgetReserved,
    ContentFiltered,
    ContextExceeded,
    EmptyReply,
    MissingKey,
    ModelFailed,
    MuseError,
    NotInstalled,
    RateLimited,
    StoreUnusable,
    UnknownModel,
    WeightsDamaged,
    WeightsMissing,
)
from musespark.store.database.faults import CLIENT_SENTENCES

STORE_RETRY = 5.0
"""Seconds after which a request that the store refused may be sent again."""
PASSES_SOON = frozenset({"locked", "unreachable", "replaced"})
"""Faults of a store that often end by themselves."""


class RequestRefused(BadInput):
    """A request that is rejected before any model is called."""

    def __init__(
        self,
        sentence: str,
        *,
        status: int = 400,
        code: str = "",
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """param: path of the field to change, as in `messages[0].content`. retry_after: seconds."""
        self.status, self.code, self.param, self.retry_after = status, code, param, retry_after
        super().__init__(sentence)


class SchemaNotMet(ModelFailed):
    """The answer does not match the requested JSON schema."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(
            model,
            f"its answer does not fit the schema ({reason}); ask again, or choose another model",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReply:
    """An error as it is sent to a client, before a protocol gives it its shape."""

    status: int
    code: str
    """Stable identifier that a program can compare."""
    message: str
    param: str | None = None
    retry_after: float | None = None
    """Seconds."""
    retry: bool = False
    """True if the same request may succeed later; the SDKs then retry by themselves."""


def error_reply(error: MuseError) -> ErrorReply:
    """Map an error of the package to the reply a client gets."""
    message = str(error)
    match error:
        case RequestRefused():
            code = error.code or "invalid_request"
            return ErrorReply(
                status=error.status,
                code=code,
                message=message,
                param=error.param,
                retry_after=error.retry_after,
                retry=error.status == 429,
            )
        case UnknownModel():
            return ErrorReply(status=404, code="model_not_found", message=message, param="model")
        case MissingKey() | NotInstalled() | WeightsMissing() | WeightsDamaged():
            return ErrorReply(status=503, code="not_set_up", message=message)
        case StoreUnusable():
            return ErrorReply(
                status=503,
                code="cannot_be_kept",
                message=f"The run cannot be stored: {CLIENT_SENTENCES.get(error.fault, CLIENT_SENTENCES['other'])}; ask with "
                '{"muse": {"store": false}}, or tell the operator of this server.',
                retry_after=STORE_RETRY,
                retry=error.fault in PASSES_SOON,
            )
        case BadInput():
            return ErrorReply(status=400, code="invalid_request", message=message)
        case BudgetExhausted(resource="seconds"):
            return ErrorReply(status=504, code="deadline", message=message)
        case BudgetReserved():
            return ErrorReply(
                status=429,
                code="budget_reserved",
                message=message,
                retry_after=error.retry_after,
                retry=True,
            )
        case BudgetExhausted():
            return ErrorReply(status=429, code="budget_exhausted", message=message)
        case AllFailed(errors=(_, *_) as errors):
            return _reply_of_all(errors, message)
        case ModelFailed():
            return _reply_of_model(error)
        case AllFailed():
            return ErrorReply(status=502, code="model_failed", message=message)
        case _:
            return ErrorReply(status=500, code="internal", message=message)


_STATUS_OF = {400: 400, 401: 401, 402: 402, 403: 403, 404: 404, 408: 504, 413: 413}
_STATUS_OF |= {422: 400, 429: 429, 500: 500, 502: 502, 503: 503, 504: 504, 529: 503}
"""Statuses of ours for those of models, which say the same wherever the same can be said."""
_CODE_OF = {400: "model_rejected", 422: "model_rejected", 413: "model_rejected"}
_CODE_OF |= {401: "model_unauthorized", 402: "model_quota", 403: "model_forbidden"}
_CODE_OF |= {404: "model_not_found", 503: "overloaded", 529: "overloaded"}


def _reply_of_model(error: ModelFailed) -> ErrorReply:
    """Map a failure of a model to the reply a client gets: what its server said is said again."""
    message = str(error)
    match error:
        case RateLimited():
            is_busy = error.status in (503, 529)
            return ErrorReply(
                status=503 if is_busy else 429,
                code="overloaded" if is_busy else "rate_limited",
                message=message,
                retry_after=error.retry_after,
                retry=True,
            )
        case SchemaNotMet():
            return ErrorReply(status=502, code="schema_not_met", message=message)
        case EmptyReply():
            return ErrorReply(status=502, code="empty_reply", message=message)
        case ContentFiltered():
            return ErrorReply(status=400, code="content_filter", message=message)
        case ContextExceeded():
            code = "context_length_exceeded"
            return ErrorReply(status=400, code=code, message=message, param="messages")
    status = error.status or 502
    return ErrorReply(
        status=_STATUS_OF.get(status, 400 if _is_refusal(error) else 502),
        code=_CODE_OF.get(status, "model_failed"),
        message=message,
    )


def _is_refusal(error: ModelFailed) -> bool:
    """Return True for a status that says that the request is at fault."""
    return error.status is not None and 400 <= error.status < 500


def _reply_of_all(errors: Sequence[MuseError], message: str) -> ErrorReply:
    """Return the reply of a team whose agents all failed: if for one reason, that reason, told once."""
    replies = {(reply.status, reply.code): reply for reply in map(error_reply, errors)}
    if len(replies) > 1:
        return ErrorReply(status=502, code="model_failed", message=message)
    sentences = dict.fromkeys(map(str, errors))
    return replace(error_reply(errors[0]), message=" ".join(sentences))


STATUSES = {
    400: "The request is invalid or asks for something unsupported.",
    401: "An API key is missing, unknown or revoked, here or at the model's server.",
    402: "The account at the model's server has no credit left.",
    403: "The request comes from a page of another origin, or the model's server forbids it.",
    404: "There is no such model, run or page.",
    405: "The page does not support this method.",
    408: "The body did not arrive in time.",
    409: "The run has already ended, or is still running.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    421: "This server does not answer for the requested host.",
    429: "A budget is exhausted, or a rate limit is reached.",
    500: "An internal error of this server.",
    502: "A model failed, or its answer does not fit the schema.",
    503: "The server lacks what this model needs (a key, a library, weights), or cannot keep the run.",
    504: "The deadline passed before there was any answer.",
}
"""Every error status, for the OpenAPI document."""
