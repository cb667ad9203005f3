"""Checks of the `Host` and `Origin` headers: protection from DNS rebinding and from requests of other sites' pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware

from musespark.server.errors import ErrorReply, RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class AllowedHosts:
    """Middleware that refuses requests addressed to another host, with a 421 in the client's protocol.

    Starlette's `TrustedHostMiddleware` decides. It reads the first of several `Host` headers, so more than one is refused before.
    """

    def __init__(
        self, app: ASGIApp, hosts: tuple[str, ...], respond: Callable[[Scope, ErrorReply], ASGIApp]
    ) -> None:
        """respond: makes the response of an error."""
        self._app, self._hosts, self._respond = app, hosts, respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or await self._is_allowed(scope, receive):
            await self._app(scope, receive, send)
            return
        message = (
            f"This server answers requests to its own host names only: {', '.join(self._hosts)}."
        )
        reply = ErrorReply(status=421, code="other_host", message=message)
        http = {**scope, "type": "http", "method": scope.get("method", "GET")}
        await self._respond(http, reply)(scope, receive, send)

    async def _is_allowed(self, scope: Scope, receive: Receive) -> bool:
        hosts = len(Headers(scope=scope).getlist("host"))
        if hosts == 0 and scope.get("http_version") == "1.0":
            return True  # a probe: no browser sends such a request
        if hosts != 1:
            return False
        allowed = False

        async def accept(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal allowed
            allowed = True

        async def discard(message: Message) -> None:
            """Drop Starlette's own refusal, which is plain text."""

        await TrustedHostMiddleware(accept, self._hosts, www_redirect=False)(
            scope, receive, discard
        )
        return allowed


def require_same_origin(http: HttpRequest) -> None:
    """Raise `RequestRefused` (403) if a browser sends the request for a page of another origin.

    Programs other than browsers send no `Origin`. A page whose name was rebound to this address sends that name as `Host`, too:
    `AllowedHosts` refuses it on loopback, and elsewhere it has no key.
    """
    origin = http.headers.get("origin")
    if origin is None:
        return
    try:
        host = urlsplit(origin).netloc.lower()
    except ValueError:
        host = ""
    if not host or host != http.headers.get("host", "").lower():
        raise RequestRefused(
            "The request comes from a page of another origin; open the page of this server itself.",
            status=403,
            code="other_origin",
        )
