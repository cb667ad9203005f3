"""Routes of runs: start, list, read, watch, stop, delete and export them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import FastAPI, Header, Path, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from musespark.events import Pictured
from musespark.server.errors import RequestRefused
from musespark.server.http.body import parse_body, read_body
from musespark.server.http.hosts import require_same_origin
from musespark.server.openapi import ERRORS
from musespark.server.page.run_body import RunBody, decode_video, merge_rerun, parse_run
from musespark.server.page.static import PageFiles
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.server.runs.background import start_in_background
from musespark.server.runs.export import export_html
from musespark.server.runs.images import image_response
from musespark.server.runs.live_runs import WatchResponse, event_json
from musespark.server.runs.run_store import numbered_event_json
from musespark.server.runs.summary import shorten, summary
from musespark.server.state import Caller, ServerState
from musespark.store.json_text import to_json_bytes
from musespark.store.runs.record import StoredRun

_Id = Annotated[str, Path(min_length=1, max_length=80, pattern="^[A-Za-z0-9_-]+$")]
_Number = Annotated[int, Path(ge=1, le=1_000_000)]
_MAX_SEQ = 2**53
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/page-body"}}},
    }
}
_TEXT = {"schema": {"type": "string"}}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events.", "content": {"text/event-stream": _TEXT}}
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "A document.", "content": {"text/html": _TEXT}}
}
_IMAGE: dict[int | str, dict[str, Any]] = {
    200: {"description": "An image.", "content": {"image/*": _TEXT}}
}


def add_routes(app: FastAPI, server: ServerState, page: PageFiles) -> None:
    """Add the routes to the application. page: the page's files, for runs that are exported as one of them."""
    _add_start_route(app, server)
    _add_end_routes(app, server)
    _add_list_routes(app, server)
    _add_image_routes(app, server)
    _add_watch_routes(app, server, page)


def _add_start_route(app: FastAPI, server: ServerState) -> None:
    """Add the route that starts a run."""

    @app.post(
        "/v1/runs",
        status_code=201,
        responses={**ERRORS, 201: {"description": "The run continues without a connection."}},
        openapi_extra=_BODY,
    )
    async def start_run(http: HttpRequest) -> Response:
        """Start a run in the background."""
        require_same_origin(http)
        caller = await server.authenticate(http)
        server.require_capacity(caller)
        parsed = await _parse(server, caller, parse_body(RunBody, await read_body(http)))
        session = await server.open_session(parsed, caller)
        await start_in_background(server, session)
        return Response(
            to_json_bytes({"id": session.id}),
            201,
            {"location": f"/v1/runs/{session.id}"},
            "application/json",
        )


def _add_end_routes(app: FastAPI, server: ServerState) -> None:
    """Add the routes that stop and delete runs."""

    @app.post(
        "/v1/runs/{id}/stop",
        status_code=202,
        responses={**ERRORS, 202: {"description": "The run ends with its best answer so far."}},
    )
    async def stop_run(http: HttpRequest, id: _Id) -> Response:
        """End a run and keep its best answer so far."""
        require_same_origin(http)
        await _require_no_form(http)
        caller = await server.authenticate(http)
        if not server.stop(id, caller.name):
            kept = await find_run(server, http, id)
            # Another server runs it, and is told through the store.
            if kept.status != "running" or not await server.runs.request_stop(id):
                raise RequestRefused(
                    f"The run {id!r} has already ended.", status=409, code="not_running"
                )
        return Response(
            to_json_bytes({"id": id, "status": "stopping"}), 202, media_type="application/json"
        )

    @app.delete(
        "/v1/runs/{id}",
        status_code=204,
        responses={**ERRORS, 204: {"description": "The run is deleted."}},
    )
    async def delete_run(http: HttpRequest, id: _Id) -> Response:
        """Delete a run that has ended, with its images."""
        require_same_origin(http)
        kept = await find_run(server, http, id)
        if kept.status == "running" or not await server.runs.delete(id):
            raise RequestRefused(
                f"The run {id!r} is still running; stop it first.", status=409, code="running"
            )
        return Response(status_code=204)


def _add_list_routes(app: FastAPI, server: ServerState) -> None:
    """Add the routes that list runs and show one."""

    @app.get("/v1/runs", responses=ERRORS)
    async def list_runs(
        http: HttpRequest,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        before: Annotated[str | None, Query(max_length=80)] = None,
    ) -> Response:
        """List the newest runs, without their events."""
        caller = await server.authenticate(http)
        found = await server.runs.latest(limit, before, caller.name)
        return _json(
            {
                "object": "list",
                "data": [{**row, "answer": shorten(row["answer"])} for row in map(summary, found)],
            }
        )

    @app.get("/v1/runs/{id}", responses=ERRORS)
    async def get_run(http: HttpRequest, id: _Id) -> Response:
        """Return a run with all its events; images are links, and signatures of providers are left out."""
        kept = await _find_owned(server, await server.authenticate(http), id, whole=True)
        return _json({**summary(kept), "events": list(_events(kept))})


def _add_image_routes(app: FastAPI, server: ServerState) -> None:
    """Add the routes of a run's images."""

    @app.get(
        "/v1/runs/{id}/pictures/{number}", responses={**ERRORS, **_IMAGE}, response_class=Response
    )
    async def get_image(http: HttpRequest, id: _Id, number: _Number) -> Response:
        """Return an image of a run's trace."""
        await _find_owned(server, await server.authenticate(http), id)
        found = await server.runs.image(id, number)
        if found is None:
            raise RequestRefused(
                f"The run has no image {number}.", status=404, code="no_such_picture"
            )
        return image_response(found)

    @app.get(
        "/v1/runs/{id}/asked/{number}", responses={**ERRORS, **_IMAGE}, response_class=Response
    )
    async def get_question_image(http: HttpRequest, id: _Id, number: _Number) -> Response:
        """Return an image of a run's question."""
        await find_run(server, http, id)
        found = await server.runs.question_image(id, number)
        if found is None:
            raise RequestRefused(
                f"The question has no image {number}.", status=404, code="no_such_picture"
            )
        return image_response(found)


def _add_watch_routes(app: FastAPI, server: ServerState, page: PageFiles) -> None:
    """Add the routes that show a run live, and as one file."""

    @app.get("/v1/runs/{id}/events", responses={**ERRORS, **_STREAM}, response_class=Response)
    async def watch_run(
        http: HttpRequest,
        id: _Id,
        after: Annotated[int, Query(ge=-1, le=_MAX_SEQ)] = -1,
        last_event_id: Annotated[str | None, Header(max_length=40)] = None,
    ) -> Response:
        """Stream a run's events, from its start or from the event after the given one, until its end."""
        caller = await server.authenticate(http)
        await _find_owned(server, caller, id)
        server.require_watch_capacity(caller)
        seen = after if last_event_id is None else _parse_seq(last_event_id)
        frames = server.count_watcher(caller, server.runs.watch(id, seen))
        return WatchResponse(frames, server.settings.stream)

    @app.get("/v1/runs/{id}/export", responses={**ERRORS, **_FILE}, response_class=Response)
    async def export_run(http: HttpRequest, id: _Id) -> Response:
        """Return a run as one HTML file that any browser shows without a server."""
        kept = await _find_owned(server, await server.authenticate(http), id, whole=True)
        document = export_html(await page.replay(), summary(kept), kept)
        return Response(
            document,
            media_type="text/html",
            headers={
                "content-disposition": f'attachment; filename="muse-{id}.html"',
                "x-content-type-options": "nosniff",
                "content-security-policy": "default-src 'none'; sandbox",
            },
        )


async def find_run(server: ServerState, http: HttpRequest, id: str) -> StoredRun:
    """Return a run of the caller, without its conversation and events. Raises `RequestRefused` if the caller has no such run."""
    caller = await server.authenticate(http)
    return await _find_owned(server, caller, id)


async def _find_owned(
    server: ServerState, caller: Caller, id: str, whole: bool = False
) -> StoredRun:
    kept = await (server.runs.get(id) if whole else server.runs.head(id))
    if kept is None or kept.header.caller != caller.name:
        raise RequestRefused(
            f"There is no run {id[:80]!r}; it was not stored, or was deleted.",
            status=404,
            code="no_such_run",
        )
    return kept


async def _require_no_form(http: HttpRequest) -> None:
    """Raise `RequestRefused` for a body that another site's page could send without a preflight request."""
    if http.headers.get("content-length", "0") != "0" or "transfer-encoding" in http.headers:
        await read_body(http)


def _parse_seq(text: str) -> int:
    """Parse the number of the last event that a browser has seen, as it repeats it."""
    if not text:
        return -1
    if not (text.isascii() and text.isdigit() and int(text) <= _MAX_SEQ):
        raise RequestRefused(
            "Last-Event-ID must be the id of an event of this run: a whole number.",
            param="last-event-id",
        )
    return int(text)


async def _parse(server: ServerState, caller: Caller, body: RunBody) -> ParsedRequest:
    """Parse a body with the runs it refers to. Raises subclasses of `BadInput`."""
    before = await _find_owned(server, caller, body.again, whole=True) if body.again else None
    earlier = (
        (await _find_owned(server, caller, body.follows, whole=True)).turn if body.follows else ()
    )
    if body.question is None and before is None:
        raise RequestRefused("question: it is missing.", param="question")
    return parse_run(merge_rerun(body, before), earlier, before, await decode_video(body))


def _json(value: object) -> Response:
    """Encode JSON that may hold lone surrogates, which a model can write and FastAPI cannot encode."""
    return Response(to_json_bytes(value), media_type="application/json")


def _events(kept: StoredRun) -> Iterator[dict[str, Any]]:
    number = 0
    for event in kept.events:
        number += isinstance(event, Pictured)
        yield event_json(kept.header.id, numbered_event_json(event, number))
