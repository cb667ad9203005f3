"""Everything the page needs to draw its form: models, tools, limits and defaults."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, get_args

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest

import musespark
from musespark.config import Config
from musespark.content import MAX_IMAGE_BYTES, MAX_IMAGES, MAX_QUESTION, MAX_THREADS, THREADS, Mode
from musespark.errors import NotInstalled
from musespark.reasoning.team.team import MAX_AGENTS, MAX_ROUNDS, Team
from musespark.server.http.body import MAX_BYTES
from musespark.server.openapi import ERRORS
from musespark.server.resolve.model_catalog import NATIVE
from musespark.server.resolve.options import MAX_MODELS, TEAM_BY_EFFORT, Aggregate, ToolName
from musespark.server.state import ServerState
from musespark.tools.registry import expand_vision_tools, is_vision_tool

LIMITS = {
    "question": MAX_QUESTION,
    "images": MAX_IMAGES,
    "image_bytes": MAX_IMAGE_BYTES,
    "body_bytes": MAX_BYTES,
    "models": MAX_MODELS,
    "agents": MAX_AGENTS,
    "rounds": MAX_ROUNDS,
    "threads": MAX_THREADS,
}


def add_routes(app: FastAPI, server: ServerState) -> None:
    """Add the route to the application."""

    @app.get("/v1/page", responses=ERRORS)
    async def page_info(http: HttpRequest) -> dict[str, Any]:
        """Return models, tools, limits and defaults, for a form."""
        caller = await server.authenticate(http)
        shown = server.redactor.text if caller.is_outsider else str
        return {
            "version": musespark.__version__,
            "modes": [
                mode.value
                for mode in (Mode.INSTANT, Mode.THINKING, Mode.CONTEMPLATING)
                if caller.scope.allows_mode(mode)
            ],
            "models": [
                {"id": name, **described, "why": shown(described["why"])}
                for name in server.models.names
                if caller.scope.allows_model(name)
                for described in [await server.models.describe(name)]
            ],
            "tools": [describe_tool(name) for name in get_args(ToolName)],
            "aggregates": list(get_args(Aggregate)),
            "efforts": [{"id": effort.value, **team} for effort, team in TEAM_BY_EFFORT.items()],
            "roles": ["refiner", "judge", "merger"],
            "limits": {
                **LIMITS,
                "videos": int(find_spec("av") is not None),
                "runs": server.settings.max_runs,
            },
            "defaults": defaults(server.models.config),
            "auth": getattr(server.authenticator, "required", False),
        }


def describe_tool(name: str) -> dict[str, Any]:
    """Describe a tool that agents may use; `ready` is false, with a sentence in `why`, if its library is not installed."""
    try:
        expand_vision_tools([name] if is_vision_tool(name) else [])
    except NotInstalled as error:
        return {"id": name, "ready": False, "why": str(error)}
    return {"id": name, "ready": True, "why": ""}


def defaults(config: Config) -> dict[str, Any]:
    """Return the values that hold for options which a request leaves out."""
    team, roles = config.team, config.roles
    is_configured = any(
        value is not None
        for value in (
            team.agents,
            team.first,
            team.rounds,
            team.aggregate,
            roles.refiner,
            roles.judge,
            roles.merger,
        )
    )
    budget = {"seconds": team.deadline, "usd": team.max_usd, "tokens": team.max_tokens}
    return {
        "mode": Mode.CONTEMPLATING.value,
        "models": list(roles.explorer or (NATIVE,)),
        "agents": team.agents or Team.agents,
        "first": team.first or Team.first_wave,
        "rounds": Team.rounds if team.rounds is None else team.rounds,
        "aggregate": team.aggregate or "auto",
        "judge": roles.judge,
        "refiner": roles.refiner,
        "merger": roles.merger,
        "threads": THREADS,
        "tools": [],
        "team": is_configured,
        "budget": {name: value for name, value in budget.items() if value is not None},
    }
