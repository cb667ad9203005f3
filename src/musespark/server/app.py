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
from musespark.server import answers, counting, listing, offer, static, steering
from musespark.server.answering import Answering, Thinking, headers_of
from musespark.server.asked import Asked
from musespark.server.body import Intake, bytes_of, parsed, parsed_header
from musespark.server.chat import Chat
from musespark.server.dialect import Around, Dialect
from musespark.server.failures import Failure, Refused, failure_of
from musespark.server.messages import Messages
from musespark.server.models import Models
from musespark.server.openapi import document
from musespark.server.options import TeamOptions
from musespark.server.remote_images import fetched
from musespark.server.responses import Responses
from musespark.server.runs import InMemory, Runs
from musespark.server.schema import require_schemas
from musespark.server.shared import Caller, Callers, Server, Settings, anyone
from musespark.server.static import Page
from musespark.server.watching import Watched
from musespark.store.text import dumped

DIALECTS: tuple[Dialect[Any], ...] = (Chat(), Responses(), Messages())


def make_app(config: Config | None = None, *, models: Mapping[str, Model] | None = None, runs: Runs | None = None,
             callers: Callers = anyone, settings: Settings | None = None) -> FastAPI:
    """The server as an ASGI application.

    models: ready models by name, beside those of the configuration. runs: where runs are kept; by default in memory.
    callers: who is behind a request.
    """
    server = Server(models=Models(config, models), runs=Watched(runs or InMemory()), callers=callers,
                    settings=settings or Settings())

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        async with held_open(server.runs), held_open(server.callers):
            warming = asyncio.create_task(server.models.warm())
            yield
            warming.cancel()
            told = getattr(app.state, "told_to_stop", time.monotonic())
            await steering.let_go(server, told + server.settings.grace - time.monotonic())
            with suppress(TimeoutError):
                async with asyncio.timeout(server.settings.farewell):
                    await server.idle.wait()
            await server.models.aclose()

    app = FastAPI(title="Muse Spark, open", version=musespark.__version__, lifespan=life, docs_url=None, redoc_url=None)
    app.state.intake = Intake()
    asking = {dialect.path: Asking(server, dialect) for dialect in DIALECTS}
    for path, endpoint in asking.items():
        app.router.routes.append(Route(path, endpoint, methods=["POST"], include_in_schema=False))
    listing.add_routes(app, server.models, server.runs, server.callers, server.metrics)
    answers.add_routes(app, server.runs, server.callers)
    counting.add_routes(app, server.models, server.callers)
    page = Page()
    offer.add_routes(app, server)
    steering.add_routes(app, server, page)
    static.add_routes(app, page)
    app.add_exception_handler(MuseError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_bad_address)
    app.add_exception_handler(Exception, _on_crash)
    app.openapi = lambda: document(app, DIALECTS)  # type: ignore[method-assign]
    app.add_middleware(Straight, asking=asking)
    if server.settings.hosts is not None:
        app.add_middleware(OnlyHosts, hosts=server.settings.hosts)
    return app


class Asking:
    """The endpoint of one protocol, as a small ASGI application."""

    def __init__(self, server: Server, dialect: Dialect[Any]) -> None:
        self._server, self._dialect = server, dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        send = self._server.metrics.answered(self._dialect.name, send)
        http = HttpRequest(scope, receive, send)
        try:
            thinking = await self._thinking(http)
        except MuseError as error:
            await error_response(self._dialect, failure_of(error))(scope, receive, send)
            return
        with self._server.counted(thinking):
            await Answering(self._dialect, thinking)(scope, http.receive, send)

    async def _thinking(self, http: HttpRequest) -> Thinking:
        """Everything that a request needs before anybody thinks. Raises the kinds of `MuseError`."""
        server, dialect = self._server, self._dialect
        caller = await server.callers(http)
        server.require_room()
        body = parsed(dialect.body, await bytes_of(http))
        header = http.headers.get("x-muse")
        around = Around(
            team=parsed_header(TeamOptions, "x-muse", header) if header else None,
            earlier=await self._earlier(dialect.follows(body), caller),
            images=await fetched(dialect.remote_images(body), server.settings.allow_remote_images, server.lookups))
        asked = dialect.read(body, around)
        _require_schemas(asked)
        return await server.thinking(asked, caller)

    async def _earlier(self, follows: str | None, caller: Caller) -> tuple[Any, ...]:
        if follows is None:
            return ()
        kept = await self._server.runs.get(follows.removeprefix(self._dialect.prefix))
        if kept is None or kept.begun.caller != caller.name:
            raise Refused(f"There is no response {follows[:80]!r}; it was not stored, or is no longer kept.",
                          code="previous_response_not_found", param="previous_response_id")
        return kept.turn


def _require_schemas(asked: Asked) -> None:
    """Raise `Refused` for a schema that nothing could be held to, before anybody is asked."""
    given = {} if asked.request.schema is None else {"schema": asked.request.schema}
    require_schemas(given | {f"the parameters of {tool.name}": tool.parameters for tool in asked.request.tools
                             if tool.name in asked.strict})


def error_response(dialect: Dialect[Any], failure: Failure) -> Response:
    """An error in a protocol's own shape."""
    id = uuid.uuid4().hex
    headers = {name.decode(): value.decode() for name, value in headers_of(failure)} | {"x-request-id": id, "request-id": id}
    return Response(dumped(dialect.error(failure, id)), failure.status, headers, "application/json")


def _spoken(http: HttpRequest) -> Dialect[Any]:
    """The protocol of a request that is none of theirs, by its address and its headers."""
    anthropic = http.url.path.startswith("/v1/messages") or "anthropic-version" in http.headers
    return next((dialect for dialect in DIALECTS if (dialect.name == "messages") == anthropic), DIALECTS[0])


async def _on_error(http: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, MuseError)
    return error_response(_spoken(http), failure_of(error))


async def _on_http_error(http: HttpRequest, error: Exception) -> Response:
    """A page that does not exist, or a method that it does not have."""
    assert isinstance(error, HTTPException)
    said = {404: f"There is no page {http.url.path[:120]!r} here{_nearby(http.url.path)}.",
            405: f"{http.method} is not a method of this page."}
    code = {404: "no_such_page", 405: "no_such_method"}.get(error.status_code, "invalid_request")
    failure = Failure(status=error.status_code, code=code, message=said.get(error.status_code, str(error.detail)))
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
    return error_response(_spoken(http), Failure(status=400, code="invalid_request", message=said, param=name))


async def _on_crash(http: HttpRequest, crash: Exception) -> Response:
    """A bug: uvicorn logs it, the client learns that it was none of its doing."""
    failure = Failure(status=500, code="internal", message=f"The server has a fault ({type(crash).__name__}); its log says more.")
    return error_response(_spoken(http), failure)


class Straight:
    """Questions go straight to their endpoint, which needs nothing of what is between; that takes as long as reading them."""

    def __init__(self, app: Any, asking: Mapping[str, Asking]) -> None:
        self._app, self._asking = app, asking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asks = scope["type"] == "http" and scope["method"] == "POST"
        await (self._asking.get(scope["path"], self._app) if asks else self._app)(scope, receive, send)


class OnlyHosts:
    """Refuses requests that are addressed to another name."""

    def __init__(self, app: Any, hosts: tuple[str, ...]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            if len(named) != 1 or _without_port(named[0]) not in self._hosts:
                failure = Failure(status=421, code="other_host", message="This server answers requests for its own name only: "
                                  f"{', '.join(self._hosts)}.")
                await error_response(_spoken(HttpRequest(scope)), failure)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
