"""The OpenAPI document: FastAPI's own, completed by the endpoints and bodies of the protocols."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from musespark.server.errors import STATUSES
from musespark.server.http.body import StrictModel
from musespark.server.page.run_body import RunBody
from musespark.server.resolve.options import TeamOptions

if TYPE_CHECKING:
    from fastapi import FastAPI

    from musespark.server.protocols.base import Dialect

_OBJECT = {"application/json": {"schema": {"type": "object"}}}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": said, "content": _OBJECT} for status, said in STATUSES.items()
}
"""Error responses that any route may have."""


def document(app: FastAPI, dialects: Iterable[Dialect[Any]]) -> dict[str, Any]:
    """Build the document, once."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    from fastapi.openapi.utils import get_openapi

    found = get_openapi(title=app.title, version=app.version, routes=app.routes)
    schemas: dict[str, Any] = found.setdefault("components", {}).setdefault("schemas", {})
    for page in found["paths"].values():
        for operation in page.values():
            operation["responses"].pop("422", None)  # invalid input is a 400 here
    schemas |= _schemas("page", RunBody)
    for dialect in dialects:
        schemas |= _schemas(dialect.name, dialect.body)
        found["paths"][dialect.path] = {"post": _operation(dialect)}
    app.openapi_schema = found
    return found


def _schemas(name: str, body: type[StrictModel]) -> dict[str, Any]:
    """Return the schema of a body as `NAME-body`, and of its parts."""
    schema = body.model_json_schema(ref_template="#/components/schemas/" + name + "-{model}")
    parts = {f"{name}-{part}": value for part, value in schema.pop("$defs", {}).items()}
    return {**parts, f"{name}-body": schema}


def _operation(dialect: Dialect[Any]) -> dict[str, Any]:
    answer = {
        "description": "The answer, whole or as a stream of events.",
        "content": {**_OBJECT, "text/event-stream": {"schema": {"type": "string"}}},
    }
    return {
        "operationId": dialect.name,
        "summary": (dialect.body.__doc__ or "").strip(),
        "parameters": [
            {
                "name": "x-muse",
                "in": "header",
                "required": False,
                "description": "Options of the team, as JSON.",
                "content": {"application/json": {"schema": TeamOptions.model_json_schema()}},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": f"#/components/schemas/{dialect.name}-body"}
                }
            },
        },
        "responses": {"200": answer, **{str(status): value for status, value in ERRORS.items()}},
    }
