"""Routes of stored responses, as OpenAI's Responses has them: read, list what they were given, delete."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from musespark.content import Mode
from musespark.events import RunFailed, RunStarted
from musespark.server.errors import ErrorReply, RequestRefused
from musespark.server.openapi import ERRORS
from musespark.server.protocols.base import Chunk
from musespark.server.protocols.encoder import ReplyEncoder, without_dropped_text
from musespark.server.protocols.responses.dialect import DEFAULTS, Responses
from musespark.server.protocols.responses.events import ResponsesEventEncoder
from musespark.server.protocols.responses.stored_items import input_items
from musespark.server.state import ServerState
from musespark.store.json_text import to_json_bytes
from musespark.store.runs.record import StoredRun

_Id = Annotated[str, Path(min_length=1, max_length=128, pattern="^[A-Za-z0-9_-]+$")]
_PATH = "/v1/responses/{id}"


def add_routes(app: FastAPI, server: ServerState) -> None:
    """Add the routes to the application."""

    @app.get(_PATH, responses=ERRORS)
    async def get_response(
        http: HttpRequest, id: _Id, stream: Annotated[bool, Query()] = False
    ) -> Response:
        """Return a response as far as it has come. The parameters of its request, apart from the conversation, are not stored."""
        if stream:
            raise RequestRefused(
                "A stored response cannot be streamed; leave stream out.",
                code="unsupported",
                param="stream",
            )
        return Response(
            to_json_bytes(response_of(await _find(http, id))), media_type="application/json"
        )

    @app.delete(_PATH, responses=ERRORS)
    async def delete_response(http: HttpRequest, id: _Id) -> dict[str, Any]:
        """Delete a response with its run: all events and images."""
        kept = await _find(http, id)
        if not await server.runs.delete(kept.header.id):
            raise RequestRefused(
                f"The response {id!r} is still in progress; delete it once it has ended.",
                code="still_running",
            )
        return {"id": id, "object": "response", "deleted": True}

    @app.get(f"{_PATH}/input_items", responses=ERRORS)
    async def list_input_items(
        http: HttpRequest,
        id: _Id,
        after: Annotated[str | None, Query(max_length=128)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        order: Annotated[Literal["asc", "desc"], Query()] = "desc",
    ) -> dict[str, Any]:
        """List the items that a response was given, with those that it goes on from; the newest first unless `order` is asc."""
        kept = await _find(http, id)
        items = input_items(kept.header.id, kept.header.conversation)
        if order == "desc":
            items.reverse()
        return _page(items, after, limit)

    async def _find(http: HttpRequest, id: str) -> StoredRun:
        caller = await server.authenticate(http)
        kept = await server.runs.get(id.removeprefix(Responses.id_prefix))
        if (
            kept is None
            or kept.header.caller != caller.name
            or kept.header.protocol not in (Responses.name, "compaction")
        ):
            raise RequestRefused(
                f"There is no response {id[:80]!r}; it was not stored, or was deleted.",
                status=404,
                code="no_such_response",
                param="id",
            )
        return kept


def _page(items: list[Chunk], after: str | None, limit: int) -> dict[str, Any]:
    """Return some of the items, as OpenAI's lists have them. Raises `RequestRefused` if `after` is none of them."""
    start = next((at for at, item in enumerate(items, 1) if item["id"] == after), None)
    if after is not None and start is None:
        raise RequestRefused(f"after: there is no item {after!r} here.", param="after")
    page = items[start or 0 :][:limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": bool(page) and page[-1] is not items[-1],
    }


def response_of(kept: StoredRun) -> Chunk:
    """Build the response that a run's events add up to, also before the run has ended."""
    is_team = any(
        isinstance(event, RunStarted) and event.mode is Mode.CONTEMPLATING for event in kept.events
    )
    reply = ReplyEncoder(show_progress=is_team, links=f"/v1/runs/{kept.header.id}/pictures/")
    encoder = ResponsesEventEncoder(
        kept.header.id,
        Responses.id_prefix,
        {
            "created_at": int(kept.header.created),
            "model": kept.header.model,
            "store": True,
            **DEFAULTS,
        },
        include_signatures=True,
    )
    chunks = encoder.start()
    for event in without_dropped_text(kept.events):
        chunks += [chunk for piece in reply.encode(event) for chunk in encoder.encode(piece)]
    if kept.status == "running":
        return encoder.snapshot("in_progress")
    if kept.status == "cancelled":
        return encoder.snapshot("cancelled")
    if kept.status != "finished":
        reason = (
            "The server had to stop."
            if kept.status == "interrupted"
            else "Its answer does not match the request."
        )
        message = next(
            (event.message for event in kept.events if isinstance(event, RunFailed)), reason
        )
        chunks += encoder.encode_error(ErrorReply(status=502, code="model_failed", message=message))
    found: Chunk = chunks[-1]["response"]
    return found
