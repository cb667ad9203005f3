"""Whether an answer has the form that was asked for.

The schema and the answer both come from outside: patterns are matched in linear time, and no reference is ever fetched.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from musespark.errors import NotInstalled
from musespark.server.errors import RequestRefused, SchemaNotMet
from musespark.server.http.schema_cost import LOOKS, SchemaCost, require_affordable

SHALLOW = 16
"""Levels of an answer for which a schema is looked through before anybody is asked."""
PATTERNS = 500
"""In all schemas of a request: each is a machine that has to be built."""
_MOST = 200
"""Characters of a reason that are passed on."""


def require_schemas(schemas: Mapping[str, str]) -> None:
    """Raise `RequestRefused` where one is no JSON schema, or all together hold too many patterns. The keys say what each is."""
    if sum(schema.count('"pattern') for schema in schemas.values()) > PATTERNS:
        raise RequestRefused(f"The schemas hold more than {PATTERNS} patterns.", code="bad_schema", param=next(iter(schemas)))
    for param, schema in schemas.items():
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
        require_affordable(schema, value)
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
        read = json.loads(schema)
        if SchemaCost(read).looks(SHALLOW) > LOOKS:
            raise ValueError("to check an answer against it would take too long")
        return jsonschema_rs.validator_for(read, retriever=_no_reference,
                                           pattern_options=jsonschema_rs.RegexOptions(size_limit=1_000_000))
    except (ValueError, RecursionError) as error:
        said = str(error).splitlines()[0] if str(error) else "it cannot be read"
        raise RequestRefused(f"The schema cannot be used: {said[:_MOST].rstrip('.')}.", code="bad_schema", param=param) from None
