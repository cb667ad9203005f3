"""Stored responses, as OpenAI's Responses has them: read again, and deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from musespark.content import Mode
from musespark.events import RunFailed, RunStarted
from musespark.server.dialect import Chunk
from musespark.server.failures import Failure, Refused
from musespark.server.openapi import ERRORS
from musespark.server.responses import UNSAID, Responses
from musespark.server.responses_events import ResponseChunks
from musespark.server.runs import Kept, Runs
from musespark.server.telling import Telling, settled
from musespark.store.text import dumped

_Id = Annotated[str, Path(min_length=1, max_length=128, pattern="^[A-Za-z0-9_-]+$")]
_PAGE = "/v1/responses/{id}"


def add_routes(app: FastAPI, runs: Runs, callers: Callable[[HttpRequest], Awaitable[Any]]) -> None:
    """Add them to the application."""

    @app.get(_PAGE, responses=ERRORS)
    async def one_response(http: HttpRequest, id: _Id, stream: Annotated[bool, Query()] = False) -> Response:
        """A response as far as it has come; what its request said beside the conversation is not stored."""
        if stream:
            raise Refused("A stored response comes whole; leave stream out.", code="unsupported", param="stream")
        return Response(dumped(response_of(await _kept(http, id))), media_type="application/json")

    @app.delete(_PAGE, responses=ERRORS)
    async def delete_response(http: HttpRequest, id: _Id) -> dict[str, Any]:
        """Delete a response with its run: every event, and its pictures."""
        kept = await _kept(http, id)
        if not await runs.forget(kept.begun.id):
            raise Refused(f"The response {id!r} is still being answered; delete it once it has ended.", code="still_running")
        return {"id": id, "object": "response", "deleted": True}

    async def _kept(http: HttpRequest, id: str) -> Kept:
        caller = await callers(http)
        kept = await runs.get(id.removeprefix(Responses.prefix))
        if kept is None or kept.begun.caller != caller.name or kept.begun.protocol != Responses.name:
            raise Refused(f"There is no response {id[:80]!r}; it was not stored, or is no longer kept.", status=404,
                          code="no_such_response", param="id")
        return kept


def response_of(kept: Kept) -> Chunk:
    """The response that a run's events add up to, whether it has ended or not."""
    lines = any(isinstance(event, RunStarted) and event.mode is Mode.CONTEMPLATING for event in kept.events)
    telling = Telling(lines=lines, links=f"/v1/runs/{kept.begun.id}/pictures/")
    chunks = ResponseChunks(kept.begun.id, Responses.prefix, {
        "created_at": int(kept.begun.created), "model": kept.begun.model, "store": True, **UNSAID}, seals=True)
    made = chunks.begin()
    for event in settled(kept.events):
        made += [chunk for piece in telling.tell(event) for chunk in chunks.tell(piece)]
    if kept.status == "running":
        return chunks.so_far("in_progress")
    if kept.status == "cancelled":
        return chunks.so_far("cancelled")
    if kept.status != "finished":
        why = "The server had to stop." if kept.status == "interrupted" else "Its answer is not what was asked for."
        said = next((event.message for event in kept.events if isinstance(event, RunFailed)), why)
        made += chunks.failed(Failure(status=502, code="model_failed", message=said))
    found: Chunk = made[-1]["response"]
    return found
