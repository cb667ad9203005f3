"""The routes of the server, from a request to what answers it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
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
from musespark.models.model import Model, held_open
from musespark.server import routes_models
from musespark.server.errors import ErrorReply, RequestRefused, error_reply
from musespark.server.http.body import BodyMemory, parse_header, parsed, read_body
from musespark.server.http.remote_images import fetched
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
from musespark.server.runs.live_runs import LiveRuns
from musespark.server.runs.run_store import MemoryRunStore, RunStore
from musespark.server.runs.session import RunResponse, RunSession, retry_headers
from musespark.server.state import Authenticator, Caller, ServerSettings, ServerState
from musespark.store.text import dumped

DIALECTS: tuple[Dialect[Any], ...] = (Chat(), Responses(), Messages())


def make_app(config: Config | None = None, *, models: Mapping[str, Model] | None = None, runs: RunStore | None = None,
             callers: Authenticator = allow_anyone, settings: ServerSettings | None = None) -> FastAPI:
    """The server as an ASGI application.

    models: ready models by name, beside those of the configuration. runs: where runs are kept; by default in memory.
    callers: who is behind a request.
    """
    server = ServerState(models=ModelCatalog(config, models), runs=LiveRuns(runs or MemoryRunStore()), callers=callers,
                    settings=settings or ServerSettings())

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        async with held_open(server.runs), held_open(server.callers):
            warming = asyncio.create_task(server.models.warm())
            yield
            warming.cancel()
            told = getattr(app.state, "told_to_stop", time.monotonic())
            await routes_runs.drain_background_runs(server, told + server.settings.grace - time.monotonic())
            with suppress(TimeoutError):
                async with asyncio.timeout(server.settings.cleanup_timeout):
                    await server.idle.wait()
            await server.models.aclose()

    app = FastAPI(title="Muse Spark, open", version=musespark.__version__, lifespan=life, docs_url=None, redoc_url=None)
    app.state.intake = BodyMemory()
    asking = {dialect.path: ProtocolEndpoint(server, dialect) for dialect in DIALECTS}
    for path, endpoint in asking.items():
        app.router.routes.append(Route(path, endpoint, methods=["POST"], include_in_schema=False))
    routes_models.add_routes(app, server.models, server.runs, server.callers, server.metrics)
    stored_responses.add_routes(app, server.runs, server.callers)
    count_tokens.add_routes(app, server.models, server.callers)
    page = PageFiles()
    page_info.add_routes(app, server)
    routes_runs.add_routes(app, server, page)
    static.add_routes(app, page)
    app.add_exception_handler(MuseError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_bad_address)
    app.add_exception_handler(Exception, _on_crash)
    app.openapi = lambda: document(app, DIALECTS)  # type: ignore[method-assign]
    app.add_middleware(Straight, asking=asking)
    if server.settings.hosts is not None:
        app.add_middleware(AllowedHosts, hosts=server.settings.hosts)
    return app


class ProtocolEndpoint:
    """The endpoint of one protocol, as a small ASGI application."""

    def __init__(self, server: ServerState, dialect: Dialect[Any]) -> None:
        self._server, self._dialect = server, dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        send = self._server.metrics.answered(self._dialect.name, send)
        http = HttpRequest(scope, receive, send)
        try:
            session = await self._session(http)
        except MuseError as error:
            await error_response(self._dialect, error_reply(error))(scope, receive, send)
            return
        with self._server.counted(session):
            await RunResponse(self._dialect, session)(scope, http.receive, send)

    async def _session(self, http: HttpRequest) -> RunSession:
        """Everything that a request needs before anybody thinks. Raises the kinds of `MuseError`."""
        server, dialect = self._server, self._dialect
        caller = await server.callers(http)
        server.require_capacity()
        body = parsed(dialect.body, await read_body(http))
        header = http.headers.get("x-muse")
        around = RequestContext(
            team=parse_header(TeamOptions, "x-muse", header) if header else None,
            earlier=await self._earlier(dialect.follows(body), caller),
            pictures=await fetched(dialect.remote_image_urls(body), server.settings.allow_remote_images, server.lookups))
        asked = dialect.read(body, around)
        _require_schemas(asked)
        return await server.session(asked, caller)

    async def _earlier(self, follows: str | None, caller: Caller) -> tuple[Any, ...]:
        if follows is None:
            return ()
        kept = await self._server.runs.get(follows.removeprefix(self._dialect.prefix))
        if kept is None or kept.begun.caller != caller.name:
            raise RequestRefused(f"There is no response {follows[:80]!r}; it was not stored, or is no longer kept.",
                          code="previous_response_not_found", param="previous_response_id")
        return kept.turn


def _require_schemas(asked: ParsedRequest) -> None:
    """Raise `RequestRefused` for a schema that nothing could be held to, before anybody is asked."""
    given = {} if asked.request.schema is None else {"schema": asked.request.schema}
    require_schemas(given | {f"the parameters of {tool.name}": tool.parameters for tool in asked.request.tools
                             if tool.name in asked.strict})


def error_response(dialect: Dialect[Any], failure: ErrorReply) -> Response:
    """An error in a protocol's own shape."""
    id = uuid.uuid4().hex
    headers = {name.decode(): value.decode() for name, value in retry_headers(failure)} | {"x-request-id": id, "request-id": id}
    return Response(dumped(dialect.error(failure, id)), failure.status, headers, "application/json")


def _spoken(http: HttpRequest) -> Dialect[Any]:
    """The protocol of a request that is none of theirs, by its address and its headers."""
    anthropic = http.url.path.startswith("/v1/messages") or "anthropic-version" in http.headers
    return next((dialect for dialect in DIALECTS if (dialect.name == "messages") == anthropic), DIALECTS[0])


async def _on_error(http: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, MuseError)
    return error_response(_spoken(http), error_reply(error))


async def _on_http_error(http: HttpRequest, error: Exception) -> Response:
    """A page that does not exist, or a method that it does not have."""
    assert isinstance(error, HTTPException)
    said = {404: f"There is no page {http.url.path[:120]!r} here{_nearby(http.url.path)}.",
            405: f"{http.method} is not a method of this page."}
    code = {404: "no_such_page", 405: "no_such_method"}.get(error.status_code, "invalid_request")
    failure = ErrorReply(status=error.status_code, code=code, message=said.get(error.status_code, str(error.detail)))
    response = error_response(_spoken(http), failure)
    response.headers.update(error.headers or {})
    return response


def _nearby(path: str) -> str:
    """What a client with a base URL that lacks its `/v1`, or has one too many, may have meant."""
    found = next((dialect.path for dialect in DIALECTS if path.rstrip("/").endswith(dialect.path.removeprefix("/v1"))), None)
    return f", but {found}; look at the base URL" if found else ""


async def _on_bad_address(http: HttpRequest, error: Exception) -> Response:
    """A part of an address that is not what it has to be."""
    assert isinstance(error, RequestValidationError)
    problem = error.errors()[0]
    name = str(problem["loc"][-1])
    said = f"{name}: {str(problem['msg']).rstrip('.')}."
    return error_response(_spoken(http), ErrorReply(status=400, code="invalid_request", message=said, param=name))


async def _on_crash(http: HttpRequest, crash: Exception) -> Response:
    """A bug: uvicorn logs it, the client learns that it was none of its doing."""
    failure = ErrorReply(status=500, code="internal", message=f"The server has a fault ({type(crash).__name__}); its log says more.")
    return error_response(_spoken(http), failure)


class Straight:
    """Questions go straight to their endpoint, which needs nothing of what is between; that takes as long as reading them."""

    def __init__(self, app: Any, asking: Mapping[str, ProtocolEndpoint]) -> None:
        self._app, self._asking = app, asking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asks = scope["type"] == "http" and scope["method"] == "POST"
        await (self._asking.get(scope["path"], self._app) if asks else self._app)(scope, receive, send)


class AllowedHosts:
    """Refuses requests that are addressed to another name."""

    def __init__(self, app: Any, hosts: tuple[str, ...]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            if len(named) != 1 or _without_port(named[0]) not in self._hosts:
                failure = ErrorReply(status=421, code="other_host", message="This server answers requests for its own name only: "
                                  f"{', '.join(self._hosts)}.")
                await error_response(_spoken(HttpRequest(scope)), failure)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
