"""The server as an ASGI application: its routes, its middleware and its errors."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

import musespark
from musespark.config import Config
from musespark.errors import MuseError
from musespark.models.model import Model, open_model
from musespark.server import routes_models
from musespark.server.errors import ErrorReply, RequestRefused, error_reply
from musespark.server.http.body import BodyMemory, parse_body, parse_header, read_body
from musespark.server.http.hosts import AllowedHosts
from musespark.server.http.schema import require_schemas
from musespark.server.openapi import document
from musespark.server.page import page_info, static
from musespark.server.page.static import PageFiles
from musespark.server.protocols.base import Dialect, RequestContext
from musespark.server.protocols.chat.dialect import Chat
from musespark.server.protocols.messages import count_tokens
from musespark.server.protocols.messages.dialect import Messages
from musespark.server.protocols.responses import stored_responses
from musespark.server.protocols.responses.dialect import Responses
from musespark.server.resolve.model_catalog import ModelCatalog
from musespark.server.resolve.options import TeamOptions
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.server.runs import routes as routes_runs
from musespark.server.runs.background import drain_background_runs
from musespark.server.runs.live_runs import LiveRuns
from musespark.server.runs.response import RunResponse, retry_headers
from musespark.server.runs.run_store import MemoryRunStore, RunStore
from musespark.server.runs.session import RunSession
from musespark.server.state import Authenticator, ServerSettings, ServerState, allow_anyone
from musespark.store.json_text import to_json_bytes

DIALECTS: tuple[Dialect[Any], ...] = (Chat(), Responses(), Messages())


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
        authenticate=authenticate,
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
    for dialect in DIALECTS:  # the most frequent requests match first
        app.router.routes.append(
            Route(
                dialect.path,
                ProtocolEndpoint(server, dialect),
                methods=["POST"],
                include_in_schema=False,
            )
        )
    routes_models.add_routes(app, server)
    stored_responses.add_routes(app, server)
    count_tokens.add_routes(app, server)
    page = PageFiles(settings.page)
    page_info.add_routes(app, server)
    routes_runs.add_routes(app, server, page)
    static.add_routes(app, page)
    app.add_exception_handler(MuseError, _on_muse_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_parameter)
    app.add_exception_handler(Exception, _on_crash)
    app.openapi = lambda: document(app, DIALECTS)  # type: ignore[method-assign]
    if server.settings.hosts is not None:
        app.add_middleware(AllowedHosts, hosts=server.settings.hosts, respond=_respond)
    return app


def _lifespan(server: ServerState) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Start and end of the application: stores are opened; runs under way get their grace before all is closed."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_model(server.runs), open_model(server.authenticate):
            warming = asyncio.create_task(server.models.warm_up())
            yield
            warming.cancel()
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
            await error_response(self._dialect, error_reply(error))(scope, receive, send)
            return
        with self._server.track(session):
            await RunResponse(self._dialect, session, self._server.settings.stream)(
                scope, http.receive, send
            )

    async def _open_session(self, http: HttpRequest) -> RunSession:
        """Authenticate, read, parse and resolve a request, before any model is called. Raises subclasses of `MuseError`."""
        server, dialect = self._server, self._dialect
        caller = await server.authenticate(http)
        server.require_capacity()
        body = parse_body(dialect.body, await read_body(http))
        header = http.headers.get("x-muse")
        context = RequestContext(
            options=parse_header(TeamOptions, "x-muse", header) if header else None,
            earlier=await self._earlier(dialect.previous_id(body), caller.name),
            images=await server.images.fetch(
                dialect.remote_image_urls(body), server.settings.allow_remote_images
            ),
        )
        parsed = dialect.parse(body, context)
        _require_schemas(parsed)
        return await server.open_session(parsed, caller)

    async def _earlier(self, id: str | None, caller: str) -> tuple[Any, ...]:
        """Return the conversation of the run that a request continues."""
        if id is None:
            return ()
        kept = await self._server.runs.get(id.removeprefix(self._dialect.id_prefix))
        if kept is None or kept.header.caller != caller:
            raise RequestRefused(
                f"There is no response {id[:80]!r}; it was not stored, or was deleted.",
                code="previous_response_not_found",
                param="previous_response_id",
            )
        return kept.turn


def _require_schemas(parsed: ParsedRequest) -> None:
    """Raise `RequestRefused` for an invalid schema, before any model is called."""
    request = parsed.request
    answer = {} if request.schema is None else {"schema": request.schema}
    require_schemas(
        answer
        | {
            f"the parameters of {tool.name}": tool.parameters
            for tool in request.tools
            if tool.name in parsed.strict_tools
        }
    )


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


async def _on_muse_error(http: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, MuseError)
    return error_response(_dialect_of(http), error_reply(error))


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
