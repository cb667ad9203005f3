"""Errors as an HTTP status and a code; each protocol writes them in its own shape."""

from __future__ import annotations

from dataclasses import dataclass, replace

from musespark.errors import (
    AllFailed,
    BadInput,
    BudgetExhausted,
    BudgetReserved,
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
        case RateLimited():
            return ErrorReply(
                status=429,
                code="rate_limited",
                message=message,
                retry_after=error.retry_after,
                retry=True,
            )
        case SchemaNotMet():
            return ErrorReply(status=502, code="schema_not_met", message=message)
        case AllFailed(errors=(first, *others)) if all(
            type(other) is type(first) for other in others
        ):
            return replace(error_reply(first), message=message)
        case ModelFailed() | AllFailed():
            return ErrorReply(status=502, code="model_failed", message=message)
        case _:
            return ErrorReply(status=500, code="internal", message=message)


STATUSES = {
    400: "The request is invalid or asks for something unsupported.",
    401: "An API key is missing, unknown or revoked.",
    403: "The request comes from a page of another origin.",
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
