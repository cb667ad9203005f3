"""Routes of the server itself: its health, its metrics and its models."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import FastAPI, Path
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from musespark.errors import UnknownModel
from musespark.server.openapi import ERRORS
from musespark.server.state import Caller, ServerState
from musespark.store.database.faults import CLIENT_SENTENCES
from musespark.store.json_text import to_json_bytes

_STARTED = int(time.time())


def _not_ready(code: str, reason: str) -> Response:
    body = {"status": "unready", "code": code, "reason": f"{reason[:1].upper()}{reason[1:]}."}
    return Response(to_json_bytes(body), 503, {"retry-after": "5"}, "application/json")


def add_routes(app: FastAPI, server: ServerState) -> None:
    """Add the routes to the application."""
    _add_health_routes(app, server)
    _add_model_routes(app, server)


def _add_health_routes(app: FastAPI, server: ServerState) -> None:
    @app.get("/health", responses=ERRORS)
    @app.head("/health", include_in_schema=False)
    async def health() -> dict[str, str]:
        """Say that the server answers, and if its store is degraded; the status is 200 all the same."""
        fault = server.runs.fault
        return {"status": "ok"} if fault is None else {"status": "degraded", "store": fault.fault}

    @app.get("/health/live", responses=ERRORS)
    @app.head("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        """Say that the process answers: a server that does not is to be started again."""
        return {"status": "ok"}

    @app.get("/health/ready", responses=ERRORS)
    @app.head("/health/ready", include_in_schema=False)
    async def ready() -> Response:
        """Say that requests can be sent here: 503 while the store takes no writes."""
        fault = server.runs.fault
        if fault is not None:
            return _not_ready(fault.fault, CLIENT_SENTENCES[fault.fault])
        return Response(to_json_bytes({"status": "ok"}), media_type="application/json")

    @app.head("/metrics", include_in_schema=False)
    @app.get(
        "/metrics",
        responses={**ERRORS, 200: {"content": {"text/plain": {}}}},
        response_class=Response,
    )
    async def metrics(http: HttpRequest) -> Response:
        """Return the server's metrics in Prometheus's text format."""
        await server.authenticate(http)
        return server.metrics.render()


def _add_model_routes(app: FastAPI, server: ServerState) -> None:
    models = server.models

    @app.get("/v1/models", responses=ERRORS)
    @app.head("/v1/models", include_in_schema=False)
    async def list_models(http: HttpRequest) -> dict[str, Any]:
        """List the models that can be requested, in OpenAI's and Anthropic's shapes at once."""
        caller = await server.authenticate(http)
        data = [await _model(name, caller) for name in caller.scope.listed(models)]
        return {
            "object": "list",
            "data": data,
            "has_more": False,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
        }

    @app.get("/v1/models/{name:path}", responses=ERRORS)
    async def get_model(
        http: HttpRequest, name: Annotated[str, Path(min_length=1, max_length=256)]
    ) -> dict[str, Any]:
        """Return one model."""
        caller = await server.authenticate(http)
        listed = caller.scope.listed(models)
        if name not in listed:
            raise UnknownModel(name[:80], listed)
        return await _model(name, caller)

    async def _model(name: str, caller: Caller) -> dict[str, Any]:
        described = await models.describe(name)
        if described.get("why") and caller.is_outsider:
            described["why"] = server.redactor.text(described["why"])
        return {
            "id": name,
            "object": "model",
            "created": _STARTED,
            "owned_by": "musespark",
            "type": "model",
            "display_name": name,
            "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_STARTED)),
            "muse": described,
        }
