"""Routes of the server itself: its health, its metrics and its models."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import FastAPI, Path
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from musespark.errors import UnknownModel
from musespark.server.openapi import ERRORS
from musespark.server.state import ServerState

_STARTED = int(time.time())


def add_routes(app: FastAPI, server: ServerState) -> None:
    """Add the routes to the application."""
    models = server.models

    @app.get("/health", responses=ERRORS)
    async def health() -> dict[str, str]:
        """Say that the server answers."""
        return {"status": "ok"}

    @app.get(
        "/metrics",
        responses={**ERRORS, 200: {"content": {"text/plain": {}}}},
        response_class=Response,
    )
    async def metrics(http: HttpRequest) -> Response:
        """Return the server's metrics in Prometheus's text format."""
        await server.authenticate(http)
        return server.metrics.render()

    @app.get("/v1/models", responses=ERRORS)
    async def list_models(http: HttpRequest) -> dict[str, Any]:
        """List the models that can be requested, in OpenAI's and Anthropic's shapes at once."""
        await server.authenticate(http)
        data = [await _model(name) for name in models.listed]
        return {
            "object": "list",
            "data": data,
            "has_more": False,
            "first_id": data[0]["id"],
            "last_id": data[-1]["id"],
        }

    @app.get("/v1/models/{name:path}", responses=ERRORS)
    async def get_model(
        http: HttpRequest, name: Annotated[str, Path(min_length=1, max_length=256)]
    ) -> dict[str, Any]:
        """Return one model."""
        await server.authenticate(http)
        if name not in models.listed:
            raise UnknownModel(name[:80], models.listed)
        return await _model(name)

    async def _model(name: str) -> dict[str, Any]:
        return {
            "id": name,
            "object": "model",
            "created": _STARTED,
            "owned_by": "musespark",
            "type": "model",
            "display_name": name,
            "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_STARTED)),
            "muse": await models.describe(name),
        }
