"""Whether an answer has the form that was asked for.

The schema and the answer both come from outside: patterns are matched in linear time, and no reference is ever fetched.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from musespark.errors import NotInstalled
from musespark.server.failures import Refused, SchemaNotMet

_MOST = 200
"""Characters of a reason that are passed on."""


def require_schema(schema: str, param: str) -> None:
    """Raise `Refused` where it is no JSON schema."""
    _validator(schema, param)


def require_fit(answer: str, schema: str, model: str) -> None:
    """Raise `SchemaNotMet` where the answer is not JSON, or not what the schema says."""
    import jsonschema_rs

    try:
        value = json.loads(answer)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        raise SchemaNotMet(model, "it is not JSON") from None
    try:
        _validator(schema, "schema").validate(value)
    except jsonschema_rs.ValidationError as error:
        raise SchemaNotMet(model, error.message[:_MOST].rstrip(".")) from None
    except ValueError as error:
        raise SchemaNotMet(model, str(error)[:_MOST].rstrip(".")) from None


def _no_reference(address: str) -> Any:
    raise ValueError(f"{address[:80]} is elsewhere, and nothing is fetched")


@functools.lru_cache(maxsize=64)
def _validator(schema: str, param: str) -> Any:
    try:
        import jsonschema_rs
    except ImportError:
        raise NotInstalled("An answer in a given form", "jsonschema-rs", "serve") from None
    try:
        return jsonschema_rs.validator_for(json.loads(schema), retriever=_no_reference,
                                           pattern_options=jsonschema_rs.RegexOptions(size_limit=1_000_000))
    except (ValueError, RecursionError) as error:
        said = str(error).splitlines()[0] if str(error) else "it cannot be read"
        raise Refused(f"The schema cannot be used: {said[:_MOST].rstrip('.')}.", code="bad_schema", param=param) from None
