"""Checks that an answer matches a client's JSON schema.

The schema and the answer both come from outside: patterns are matched in linear time, and no reference is ever fetched.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from musespark.errors import NotInstalled
from musespark.server.errors import RequestRefused, SchemaNotMet
from musespark.server.http.schema_cost import MAX_CHECKS, SchemaCost, require_affordable

ASSUMED_DEPTH = 16
"""Levels of an answer for which a schema's cost is checked before a model is called."""
MAX_PATTERNS = 500
"""Patterns in all schemas of a request: each becomes an automaton that has to be built."""
_MAX_REASON = 200
"""Characters of a reason that are passed on."""


def require_schemas(schemas: Mapping[str, str]) -> None:
    """Raise `RequestRefused` if one is no valid JSON schema, or all have too many patterns. The keys name them in errors."""
    if sum(schema.count('"pattern') for schema in schemas.values()) > MAX_PATTERNS:
        raise RequestRefused(
            f"The schemas hold more than {MAX_PATTERNS} patterns.",
            code="bad_schema",
            param=next(iter(schemas)),
        )
    for param, schema in schemas.items():
        _validator(schema, param)


def require_match(answer: str, schema: str, model: str) -> None:
    """Raise `SchemaNotMet` if the answer is not JSON, or does not match the schema."""
    if reason := find_mismatch(answer, schema):
        raise SchemaNotMet(model, reason)


def find_mismatch(answer: str, schema: str) -> str:
    """Return the reason why an answer does not match the schema; empty if it does."""
    import jsonschema_rs

    try:
        value = json.loads(answer)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return "it is not JSON"
    try:
        require_affordable(schema, value)
        _validator(schema, "schema").validate(value)
    except jsonschema_rs.ValidationError as error:
        return str(error.message[:_MAX_REASON].rstrip(".")) or "it does not match"
    except ValueError as error:
        return str(error)[:_MAX_REASON].rstrip(".") or "it does not match"
    return ""


def _refuse_reference(address: str) -> Any:
    raise ValueError(f"{address[:80]} is elsewhere, and nothing is fetched")


@functools.lru_cache(maxsize=64)
def _validator(schema: str, param: str) -> Any:
    try:
        import jsonschema_rs
    except ImportError:
        raise NotInstalled("Structured output", "jsonschema-rs", "serve") from None
    try:
        value = json.loads(schema)
        if SchemaCost(value).checks_per_value(ASSUMED_DEPTH) > MAX_CHECKS:
            raise ValueError("checking an answer against it would take too long")
        return jsonschema_rs.validator_for(
            value,
            retriever=_refuse_reference,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=1_000_000),
        )
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it cannot be read"
        raise RequestRefused(
            f"The schema cannot be used: {reason[:_MAX_REASON].rstrip('.')}.",
            code="bad_schema",
            param=param,
        ) from None
