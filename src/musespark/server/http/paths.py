"""Paths of the protocols with a slash at their end, as some clients join them: a redirection would cost them the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class WithoutTrailingSlash:
    """Middleware that answers `/v1/models/` as `/v1/models`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith("/v1/") and path.endswith("/") and path.strip("/") != "v1":
            scope = {**scope, "path": path.rstrip("/")}
        await self._app(scope, receive, send)
