"""What there is to see: models, runs and their pictures, and whether the server is well."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from musespark.answer import fold
from musespark.errors import UnknownModel
from musespark.events import Pictured, RunStarted
from musespark.server.breakdown import amounts
from musespark.server.failures import Refused
from musespark.server.metrics import Metrics
from musespark.server.models import Models
from musespark.server.openapi import ERRORS
from musespark.server.pictures import picture_response
from musespark.server.runs import Kept, Runs, as_told
from musespark.server.watching import shown
from musespark.store.text import dumped

_Id = Annotated[str, Path(min_length=1, max_length=80, pattern="^[A-Za-z0-9_-]+$")]
_STARTED = int(time.time())
SHORT = 280
"""Characters of an answer in a list."""


def add_routes(app: FastAPI, models: Models, runs: Runs, callers: Callable[[HttpRequest], Awaitable[Any]],
               metrics: Metrics) -> None:
    """Add them to the application."""

    @app.get("/health", responses=ERRORS)
    async def health() -> dict[str, str]:
        """Whether the server answers."""
        return {"status": "ok"}

    @app.get("/metrics", responses={**ERRORS, 200: {"content": {"text/plain": {}}}}, response_class=Response)
    async def counted(http: HttpRequest) -> Response:
        """What the server has counted since it was started, for Prometheus."""
        await callers(http)
        return metrics.page()

    @app.get("/v1/models", responses=ERRORS)
    async def all_models(http: HttpRequest) -> dict[str, Any]:
        """The names that can be asked, in the shapes of both houses at once."""
        await callers(http)
        data = [await _model(name) for name in models.listed]
        return {"object": "list", "data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}

    @app.get("/v1/models/{name:path}", responses=ERRORS)
    async def one_model(http: HttpRequest, name: Annotated[str, Path(min_length=1, max_length=256)]) -> dict[str, Any]:
        """One of them."""
        await callers(http)
        if name not in models.listed:
            raise UnknownModel(name[:80], models.listed)
        return await _model(name)

    async def _model(name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": _STARTED, "owned_by": "musespark", "type": "model", "display_name": name,
                "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_STARTED)), "muse": await models.about(name)}

    @app.get("/v1/runs", responses=ERRORS)
    async def latest_runs(http: HttpRequest, limit: Annotated[int, Query(ge=1, le=100)] = 20,
                          before: Annotated[str | None, Query(max_length=80)] = None) -> Response:
        """The newest runs, without their events."""
        caller = await callers(http)
        found = await runs.latest(limit, before, caller.name)
        return _json({"object": "list", "data": [{**row, "answer": short(row["answer"])} for row in map(summary, found)]})

    @app.get("/v1/runs/{id}", responses=ERRORS)
    async def one_run(http: HttpRequest, id: _Id) -> Response:
        """A run with every event; pictures are links, and what a provider signed is left out."""
        kept = await _kept(http, id, whole=True)
        return _json({**summary(kept), "events": list(_events(kept))})

    @app.get("/v1/runs/{id}/pictures/{number}", responses={**ERRORS, 200: {"content": {"image/png": {}}}}, response_class=Response)
    async def one_picture(http: HttpRequest, id: _Id, number: Annotated[int, Path(ge=1, le=1_000_000)]) -> Response:
        """A picture of a run."""
        await _kept(http, id)
        found = await runs.picture(id, number)
        if found is None:
            raise Refused(f"The run has no picture {number}.", status=404, code="no_such_picture")
        return picture_response(found)

    async def _kept(http: HttpRequest, id: str, whole: bool = False) -> Kept:
        caller = await callers(http)
        kept = await (runs.get(id) if whole else runs.head(id))
        if kept is None or kept.begun.caller != caller.name:
            raise Refused(f"There is no run {id!r}; it was not stored, or is no longer kept.", status=404, code="no_such_run")
        return kept


def _json(value: object) -> Response:
    """Written by our own hand: a model may have written half a character, which FastAPI would stumble over."""
    return Response(dumped(value), media_type="application/json")


def summary(kept: Kept) -> dict[str, Any]:
    """A run without its events: what was asked and how, what was answered, what it cost."""
    answer, began = fold(kept.events), kept.begun
    started = next((event for event in kept.events if isinstance(event, RunStarted)), None)
    spent = answer.usage if kept.status == "running" else kept.spent
    used = answer.usage
    if kept.status not in ("running", "finished"):  # what came last, nobody has heard of
        used = replace(used, tokens=spent.tokens, usd=spent.usd, calls=spent.calls)
    options = {"pictures": 0, **began.options}
    limits = options.pop("limits", None)
    return {"id": began.id, "object": "run", "protocol": began.protocol, "model": began.model,
            "created": int(began.created), "began": began.created, "status": kept.status, "how": kept.status,
            "question": kept.question,
            "mode": str(answer.mode), "models": started.model.split(" + ") if started else [], "answer": answer.answer,
            "verified": answer.verified, "answer_status": answer.status, "abstained": answer.abstained or None,
             "why": answer.finish_reason if kept.status == "finished" else None,
            "usage": amounts(used), "seconds": answer.usage.seconds, "tokens": spent.tokens, "usd": round(spent.usd, 9),
            "spent": {"tokens": kept.spent.tokens, "usd": kept.spent.usd, "calls": kept.spent.calls},
            "budget": limits, "follows": options.get("follows"), "asked": {"question": kept.question, **options},
            "thumbnails": kept.picture_count,
            "pictures": [f"/v1/runs/{began.id}/pictures/{number}" for number in range(1, kept.picture_count + 1)]}


def short(answer: str) -> str:
    """An answer as a list shows it."""
    return answer if len(answer) <= SHORT else answer[:SHORT - 1] + "…"


def _events(kept: Kept) -> Iterator[dict[str, Any]]:
    number = 0
    for event in kept.events:
        number += isinstance(event, Pictured)
        yield shown(kept.begun.id, as_told(event, number))
