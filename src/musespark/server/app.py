"""The server as an ASGI application: its routes, its middleware and its errors."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

import musespark
from musespark.config import Config
from musespark.errors import MuseError
from musespark.models.model import Model, open_model
from musespark.server import routes_embeddings, routes_models
from musespark.server.errors import ErrorReply
from musespark.server.http.body import BodyMemory, parse_body, read_body
from musespark.server.http.hosts import AllowedHosts
from musespark.server.http.methods import StandardMethods
from musespark.server.http.paths import WithoutTrailingSlash
from musespark.server.openapi import document
from musespark.server.page import page_info, static
from musespark.server.page.static import PageFiles
from musespark.server.protocols.base import Dialect
from musespark.server.protocols.chat.dialect import Chat
from musespark.server.protocols.completions.dialect import Completions
from musespark.server.protocols.messages import count_tokens
from musespark.server.protocols.messages.dialect import Messages
from musespark.server.protocols.responses import count_input, stored_responses
from musespark.server.protocols.responses.compaction import Compaction
from musespark.server.protocols.responses.dialect import Responses
from musespark.server.request_context import gather_context, require_valid_schemas
from musespark.server.resolve.model_catalog import ModelCatalog
from musespark.server.responses_socket import ResponsesSocket
from musespark.server.runs import routes as routes_runs
from musespark.server.runs.background import drain_background_runs
from musespark.server.runs.live_runs import LiveRuns
from musespark.server.runs.response import RunResponse, retry_headers
from musespark.server.runs.run_store import MemoryRunStore, RunStore
from musespark.server.runs.session import RunSession
from musespark.server.state import Authenticator, ServerSettings, ServerState, allow_anyone
from musespark.store.json_text import to_json_bytes

DIALECTS: tuple[Dialect[Any], ...] = (
    Chat(),
    Responses(),
    Messages(),
    Completions(),
    Compaction(),
)

SHOWN_HEADERS = ("x-muse-run", "x-muse-warning", "x-request-id", "request-id")
SHOWN_HEADERS += ("retry-after", "x-should-retry")
"""Headers that programs within pages of allowed origins can read."""


def make_app(
    config: Config | None = None,
    *,
    models: Mapping[str, Model] | None = None,
    runs: RunStore | None = None,
    authenticate: Authenticator = allow_anyone,
    settings: ServerSettings | None = None,
) -> FastAPI:
    """Build the server's ASGI application.

    models: ready models by name, beside those of the configuration. runs: store of runs; in memory by default.
    authenticate: finds the caller of a request.
    """
    settings = settings or ServerSettings()
    server = ServerState(
        models=ModelCatalog(config, models),
        runs=LiveRuns(runs or MemoryRunStore(), settings.watch),
        authenticator=authenticate,
        settings=settings,
    )

    app = FastAPI(
        title="Muse Spark, open",
        version=musespark.__version__,
        lifespan=_lifespan(server),
        docs_url=None,
        redoc_url=None,
    )
    app.state.body_memory = BodyMemory()
    app.state.server = server
    for dialect in DIALECTS:  # the most frequent requests match first
        app.router.routes.append(
            Route(
                dialect.path,
                ProtocolEndpoint(server, dialect),
                methods=["POST"],
                include_in_schema=False,
            )
        )
    app.router.routes.append(WebSocketRoute(Responses.path, ResponsesSocket(server)))
    routes_models.add_routes(app, server)
    stored_responses.add_routes(app, server)
    count_tokens.add_routes(app, server)
    count_input.add_routes(app, server)
    routes_embeddings.add_routes(app, server)
    page = PageFiles(settings.page)
    page_info.add_routes(app, server)
    routes_runs.add_routes(app, server, page)
    static.add_routes(app, page)
    app.add_exception_handler(MuseError, partial(_on_muse_error, server))
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_parameter)
    app.add_exception_handler(Exception, _on_crash)
    app.openapi = lambda: document(app, DIALECTS)  # type: ignore[method-assign]
    app.add_middleware(StandardMethods, routes=app.router.routes)
    app.add_middleware(WithoutTrailingSlash)
    if server.settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=server.settings.origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=SHOWN_HEADERS,
        )
    if server.settings.hosts is not None:
        app.add_middleware(AllowedHosts, hosts=server.settings.hosts, respond=_respond)
    return app


def _lifespan(server: ServerState) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Start and end of the application: stores are opened; runs under way get their grace before all is closed."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_model(server.runs), open_model(server.authenticator):
            warming = asyncio.create_task(server.models.warm_up())
            yield
            warming.cancel()
            await asyncio.wait([warming])  # it may be loading a file, which it gives back
            told_to_stop = getattr(app.state, "told_to_stop", time.monotonic())
            await drain_background_runs(
                server, told_to_stop + server.settings.grace - time.monotonic()
            )
            with suppress(TimeoutError):
                async with asyncio.timeout(server.settings.cleanup_timeout):
                    await server.idle.wait()
            await server.models.aclose()
            server.images.close()

    return lifespan


class ProtocolEndpoint:
    """Endpoint of one protocol, as a small ASGI application."""

    def __init__(self, server: ServerState, dialect: Dialect[Any]) -> None:
        self._server, self._dialect = server, dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        send = self._server.metrics.count_status(self._dialect.name, send)
        http = HttpRequest(scope, receive, send)
        try:
            session = await self._open_session(http)
        except MuseError as error:
            reply = self._server.reply(error, scope.get("muse.caller"))
            await error_response(self._dialect, reply)(scope, receive, send)
            return
        with self._server.track(session):
            to_reply = partial(self._server.reply, caller=scope.get("muse.caller"))
            await RunResponse(self._dialect, session, to_reply, self._server.settings.stream)(
                scope, http.receive, send
            )

    async def _open_session(self, http: HttpRequest) -> RunSession:
        """Authenticate, read, parse and resolve a request, before any model is called. Raises subclasses of `MuseError`."""
        server, dialect = self._server, self._dialect
        caller = await server.authenticate(http)
        server.require_capacity(caller)
        body = parse_body(dialect.body, await read_body(http))
        body, context = await gather_context(
            server, dialect, body, caller=caller.name, options=http.headers.get("x-muse")
        )
        parsed = dialect.parse(body, context)
        require_valid_schemas(parsed)
        return await server.open_session(parsed, caller)


def error_response(dialect: Dialect[Any], reply: ErrorReply) -> Response:
    """Build the response of an error in a protocol's own shape."""
    id = uuid.uuid4().hex
    headers = {name.decode(): value.decode() for name, value in retry_headers(reply)} | {
        "x-request-id": id,
        "request-id": id,
    }
    return Response(
        to_json_bytes(dialect.error_body(reply, id)), reply.status, headers, "application/json"
    )


def _respond(scope: Scope, reply: ErrorReply) -> Response:
    return error_response(_dialect_of(HttpRequest(scope)), reply)


def _dialect_of(http: HttpRequest) -> Dialect[Any]:
    """Guess the protocol of a request to another page from its path and headers."""
    is_anthropic = http.url.path.startswith("/v1/messages") or "anthropic-version" in http.headers
    return next(
        (dialect for dialect in DIALECTS if (dialect.name == "messages") == is_anthropic),
        DIALECTS[0],
    )


async def _on_muse_error(server: ServerState, http: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, MuseError)
    return error_response(_dialect_of(http), server.reply(error, http.scope.get("muse.caller")))


async def _on_http_error(http: HttpRequest, error: Exception) -> Response:
    """Answer requests for pages that do not exist, and for methods that a page does not have."""
    assert isinstance(error, HTTPException)
    path = http.url.path
    sentences = {
        404: f"There is no page {path[:120]!r} here{_suggestion(path)}.",
        405: f"{http.method} is not a method of this page.",
    }
    code = {404: "no_such_page", 405: "no_such_method"}.get(error.status_code, "invalid_request")
    reply = ErrorReply(
        status=error.status_code,
        code=code,
        message=sentences.get(error.status_code, str(error.detail)),
    )
    response = error_response(_dialect_of(http), reply)
    response.headers.update(error.headers or {})
    return response


def _suggestion(path: str) -> str:
    """Name the endpoint that a client meant whose base URL lacks its `/v1`, or has one too many."""
    found = next(
        (
            dialect.path
            for dialect in DIALECTS
            if path.rstrip("/").endswith(dialect.path.removeprefix("/v1"))
        ),
        None,
    )
    return f", but {found}; look at the base URL" if found else ""


async def _on_invalid_parameter(http: HttpRequest, error: Exception) -> Response:
    """Answer requests with an invalid part of the path or the query."""
    assert isinstance(error, RequestValidationError)
    problem = error.errors()[0]
    name = str(problem["loc"][-1])
    message = f"{name}: {str(problem['msg']).rstrip('.')}."
    return error_response(
        _dialect_of(http),
        ErrorReply(status=400, code="invalid_request", message=message, param=name),
    )


async def _on_crash(http: HttpRequest, crash: Exception) -> Response:
    """Answer after a bug, which uvicorn logs: the client learns that its request is not at fault."""
    message = f"The server has a fault ({type(crash).__name__}); its log says more."
    return error_response(
        _dialect_of(http), ErrorReply(status=500, code="internal", message=message)
    )
