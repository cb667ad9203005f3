"""HTTP methods that every page has: HEAD as GET without its body, and OPTIONS, which names the methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Match, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class StandardMethods:
    """Middleware that answers HEAD and OPTIONS for the pages of an application."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        if scope["type"] != "http" or method not in ("HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        methods = self._methods(scope)
        if method == "OPTIONS" and methods:
            allow = ", ".join(
                sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])})
            )
            await Response(status_code=204, headers={"allow": allow})(scope, receive, send)
        elif method == "HEAD" and "HEAD" not in methods and "GET" in methods:
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            await self._app(scope, receive, send)

    def _methods(self, scope: Scope) -> set[str]:
        """Return the methods of the page at a path."""
        return {
            method
            for route in self._routes
            if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE
            for method in route.methods or ()
        }


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
