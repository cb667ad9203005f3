"""What a page needs to draw its form: what can be asked here, within which limits, and what holds where nothing is said."""

from __future__ import annotations

from typing import Any, get_args

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest

import musespark
from musespark.config import Config
from musespark.content import MAX_IMAGE_BYTES, MAX_IMAGES, MAX_QUESTION, MAX_THREADS, THREADS, Mode
from musespark.reasoning.team import MAX_AGENTS, MAX_ROUNDS, Team
from musespark.server.body import MAX_BYTES
from musespark.server.models import NATIVE
from musespark.server.openapi import ERRORS
from musespark.server.options import Aggregate, ToolName
from musespark.server.shared import Server

LIMITS = {"question": MAX_QUESTION, "images": MAX_IMAGES, "image_bytes": MAX_IMAGE_BYTES, "videos": 1, "body_bytes": MAX_BYTES,
          "agents": MAX_AGENTS, "rounds": MAX_ROUNDS, "threads": MAX_THREADS}


def add_routes(app: FastAPI, server: Server) -> None:
    """Add them to the application."""

    @app.get("/v1/page", responses=ERRORS)
    async def page_offer(http: HttpRequest) -> dict[str, Any]:
        """What can be asked here: models, tools, limits and defaults, for a form."""
        await server.callers(http)
        return {
            "version": musespark.__version__,
            "modes": [mode.value for mode in (Mode.INSTANT, Mode.THINKING, Mode.CONTEMPLATING)],
            "models": [{"id": name, **await server.models.about(name)} for name in server.models.names],
            "tools": list(get_args(ToolName)),
            "aggregates": list(get_args(Aggregate)),
            "limits": {**LIMITS, "runs": server.settings.most_runs},
            "defaults": defaults(server.models.config),
            "auth": getattr(server.callers, "required", False),
        }


def defaults(config: Config) -> dict[str, Any]:
    """What holds where a question does not say otherwise."""
    team, roles = config.team, config.roles
    budget = {"seconds": team.deadline, "usd": team.max_usd, "tokens": team.max_tokens}
    return {"mode": Mode.CONTEMPLATING.value, "models": list(roles.explorer or (NATIVE,)), "agents": team.agents or Team.agents,
            "first": team.first or Team.first, "rounds": Team.rounds if team.rounds is None else team.rounds,
            "aggregate": team.aggregate or "auto", "judge": roles.judge, "refiner": roles.refiner, "merger": roles.merger,
            "threads": THREADS, "tools": [], "budget": {name: value for name, value in budget.items() if value is not None}}
