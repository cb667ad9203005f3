"""Runs as a page has them: started for nobody in particular, watched, stopped with the best so far, and deleted."""

from __future__ import annotations

import asyncio
import base64
import binascii
from contextlib import aclosing, suppress
from typing import Annotated, Any

from fastapi import FastAPI, Header, Path, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from musespark.content import Video
from musespark.errors import MuseError, StoreUnusable
from musespark.server.answering import Thinking
from musespark.server.asked import Asked
from musespark.server.body import bytes_of, parsed
from musespark.server.export import exported
from musespark.server.failures import Refused
from musespark.server.listing import summary
from musespark.server.openapi import ERRORS
from musespark.server.origin import require_own_origin
from musespark.server.page_body import RunBody, merged, options_of, read
from musespark.server.pictures import picture_response
from musespark.server.runs import Begun, Kept
from musespark.server.shared import Caller, Server
from musespark.server.static import Page
from musespark.server.watching import EventStream
from musespark.store.text import dumped
from musespark.vision.video import seen

PROTOCOL = "page"
_Id = Annotated[str, Path(min_length=1, max_length=80, pattern="^[A-Za-z0-9_-]+$")]
_Number = Annotated[int, Path(ge=1, le=1_000_000)]
_MOST_SEQ = 2**53
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/page-body"}}}}}
_TEXT = {"schema": {"type": "string"}}
_STREAM: dict[int | str, dict[str, Any]] = {200: {"description": "Server-sent events.", "content": {"text/event-stream": _TEXT}}}
_FILE: dict[int | str, dict[str, Any]] = {200: {"description": "A document.", "content": {"text/html": _TEXT}}}
_PICTURE: dict[int | str, dict[str, Any]] = {200: {"description": "A picture.", "content": {"image/*": _TEXT}}}


def add_routes(app: FastAPI, server: Server, page: Page) -> None:
    """Add them to the application. page: the files of the page, for a run that is exported as one of them."""

    @app.post("/v1/runs", status_code=201, responses={**ERRORS, 201: {"description": "It goes on, whoever watches."}},
              openapi_extra=_BODY)
    async def start_run(http: HttpRequest) -> Response:
        """Ask a question, and leave it to itself."""
        require_own_origin(http)
        caller = await server.callers(http)
        server.require_room()
        asked = await _asked(server, caller, parsed(RunBody, await bytes_of(http)))
        thinking = await server.thinking(asked, caller)
        await _begun(server, thinking)
        return Response(dumped({"id": thinking.id}), 201, {"location": f"/v1/runs/{thinking.id}"}, "application/json")

    @app.get("/v1/runs/{id}/events", responses={**ERRORS, **_STREAM}, response_class=Response)
    async def watch_run(http: HttpRequest, id: _Id, after: Annotated[int, Query(ge=-1, le=_MOST_SEQ)] = -1,
                        last_event_id: Annotated[str | None, Header(max_length=40)] = None) -> Response:
        """Everything that happens in a run, from its beginning or from the event after that one, until its end."""
        await kept_of(server, http, id)
        return EventStream(server.runs.watch(id, after if last_event_id is None else _seq(last_event_id)))

    @app.post("/v1/runs/{id}/stop", status_code=202, responses={**ERRORS, 202: {"description": "It ends with the best so far."}})
    async def stop_run(http: HttpRequest, id: _Id) -> Response:
        """End a run, and keep the best answer so far."""
        require_own_origin(http)
        await _require_no_form(http)
        caller = await server.callers(_as_reader(http))
        thinking = next((each for each in server.running if each.id == id and each.caller == caller.name), None)
        if thinking is None:
            kept = await kept_of(server, http, id)
            where = "goes on in another server; stop it there" if kept.status == "running" else "has ended already"
            raise Refused(f"The run {id!r} {where}.", status=409, code="not_running")
        thinking.budget.stop()
        return Response(dumped({"id": id, "status": "stopping"}), 202, media_type="application/json")

    @app.delete("/v1/runs/{id}", status_code=204, responses={**ERRORS, 204: {"description": "It is gone."}})
    async def delete_run(http: HttpRequest, id: _Id) -> Response:
        """Forget a run that has ended, with its pictures."""
        require_own_origin(http)
        kept = await kept_of(server, http, id)
        if kept.status == "running" or not await server.runs.forget(id):
            raise Refused(f"The run {id!r} goes on; stop it first.", status=409, code="running")
        return Response(status_code=204)

    @app.get("/v1/runs/{id}/asked/{number}", responses={**ERRORS, **_PICTURE}, response_class=Response)
    async def asked_picture(http: HttpRequest, id: _Id, number: _Number) -> Response:
        """A picture of the question."""
        await kept_of(server, http, id)
        found = await server.runs.asked(id, number)
        if found is None:
            raise Refused(f"The question has no picture {number}.", status=404, code="no_such_picture")
        return picture_response(found)

    @app.get("/v1/runs/{id}/export", responses={**ERRORS, **_FILE}, response_class=Response)
    async def export_run(http: HttpRequest, id: _Id) -> Response:
        """A run as one file that shows itself in any browser, without a server."""
        kept = await _owned(server, await server.callers(http), id, whole=True)
        document = exported(await page.replay(), summary(kept), kept)
        return Response(document, media_type="text/html", headers={
            "content-disposition": f'attachment; filename="muse-{id}.html"', "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; sandbox"})


async def kept_of(server: Server, http: HttpRequest, id: str) -> Kept:
    """A run of whoever asks, without its conversation and its events. Raises `Refused` where they have none of that id."""
    caller = await server.callers(_as_reader(http))
    return await _owned(server, caller, id)


async def _owned(server: Server, caller: Caller, id: str, whole: bool = False) -> Kept:
    kept = await (server.runs.get(id) if whole else server.runs.head(id))
    if kept is None or kept.begun.caller != caller.name:
        raise Refused(f"There is no run {id[:80]!r}; it was not stored, or is no longer kept.", status=404, code="no_such_run")
    return kept


def _as_reader(http: HttpRequest) -> HttpRequest:
    """The request as one that asks no question: whoever has spent their day's budget may still stop what they have started."""
    return HttpRequest({**http.scope, "method": "GET"})


async def _require_no_form(http: HttpRequest) -> None:
    """Raise `Refused` for a body that a page of another site could send without asking."""
    if http.headers.get("content-length", "0") != "0" or "transfer-encoding" in http.headers:
        await bytes_of(http)


def _seq(text: str) -> int:
    """The number of the last event that a client has seen, as its browser repeats it."""
    if not text:
        return -1
    if not (text.isascii() and text.isdigit() and int(text) <= _MOST_SEQ):
        raise Refused("Last-Event-ID is the id of an event of this run: a whole number.", param="last-event-id")
    return int(text)


async def _asked(server: Server, caller: Caller, body: RunBody) -> Asked:
    """What was asked, with all that the body refers to. Raises the kinds of `BadInput`."""
    before = await _owned(server, caller, body.again, whole=True) if body.again else None
    earlier = (await _owned(server, caller, body.follows, whole=True)).turn if body.follows else ()
    if body.question is None and before is None:
        raise Refused("question: it is missing.", param="question")
    return read(merged(body, before), earlier, before, await _video(body))


async def _video(body: RunBody) -> Video | None:
    if body.video is None:
        return None
    try:
        data = base64.b64decode(body.video.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(f"The video is not base64: {error}.", param="video.data", code="bad_video") from None
    return await seen(data)


async def _begun(server: Server, thinking: Thinking) -> None:
    """Let a run go on by itself; returns once its first event is kept. Raises what kept it from that."""
    asked = thinking.seated.asked
    begun = Begun(id=thinking.id, protocol=PROTOCOL, model=asked.model, conversation=asked.conversation, caller=thinking.caller,
                  options=options_of(thinking.seated))
    first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def carry() -> None:
        try:
            with server.counted(thinking):
                async with aclosing(thinking.bursts(begun)) as bursts:
                    async for _ in bursts:
                        if not first.done():
                            await thinking.kept()
                            first.set_result(None)
        except Exception as error:
            if not first.done():
                # Nothing has happened, and whoever asked is told why: a run without a question would only stand among their others.
                with suppress(StoreUnusable):
                    await server.runs.forget(thinking.id)
                first.set_exception(error)
            elif not isinstance(error, MuseError):  # those are told by the run's events, or by the store to whoever looks
                raise
        finally:
            first.cancel()

    task = asyncio.create_task(carry(), name=f"run-{thinking.id}")
    server.carried.add(task)
    task.add_done_callback(server.carried.discard)
    try:
        await asyncio.shield(first)
    except asyncio.CancelledError:
        if first.cancelled():
            raise Refused("The server is being stopped.", status=503, code="stopping") from None
        raise


async def let_go(server: Server, seconds: float) -> None:
    """When the server stops: runs that nobody holds a connection to have so long to end, then they are cancelled, and stored so."""
    if server.carried:
        await asyncio.wait(server.carried, timeout=max(0.0, seconds))
    for task in list(server.carried):
        task.cancel()
