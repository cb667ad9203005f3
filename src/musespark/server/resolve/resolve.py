"""Resolution of a parsed request: a model name, an effort and options become the model or team that solves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from musespark.api import Options, build_team, with_video_tool
from musespark.budget import Limits
from musespark.config import Config, TeamConfig
from musespark.content import Effort, Mode, Request
from musespark.errors import BadOption
from musespark.models.capabilities import require_supported
from musespark.models.model import Model
from musespark.reasoning.agent.vision_tools import DESCRIBING_TOOLS, VisionToolFactory
from musespark.reasoning.modes import ignored_models
from musespark.reasoning.team.team import Team
from musespark.server.errors import RequestRefused
from musespark.server.http.schema import find_mismatch
from musespark.server.resolve.fitting import with_effort, with_sampling
from musespark.server.resolve.model_catalog import NATIVE, ModelCatalog
from musespark.server.resolve.options import TEAM_BY_EFFORT, RunOptions, TeamOptions
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.server.resolve.stop_limits import StopLimitedModel
from musespark.store.runs.record import question_images
from musespark.tools.registry import LOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedRequest:
    """A parsed request with the model or team that solves it."""

    parsed: ParsedRequest
    request: Request
    """Request as the solver gets it."""
    team: Team
    limits: Limits | None
    headline: str
    """First line of the progress: the size of the team and its models."""
    notes: tuple[str, ...]
    """Sentences about what was done otherwise than a client may expect."""
    warnings: tuple[str, ...] = ()
    """Fields of the request that have no effect, and what else was done otherwise: for a header and the log."""
    show_progress: bool
    """True if events are shown before the answer."""


async def resolve(parsed: ParsedRequest, models: ModelCatalog) -> ResolvedRequest:
    """Choose the solver of a request. Raises `UnknownModel`, `BeyondModel`, `BadOption` and `RequestRefused`."""
    mode, name = models.split_mode(parsed.model)
    config, options = models.config, parsed.options
    contemplating = mode is Mode.CONTEMPLATING
    if not contemplating and options.team_only:
        raise RequestRefused(
            f"{', '.join(options.team_only)}: only a team has this; ask contemplating/{name or 'MODEL'}.",
            param="muse",
        )
    request = replace(
        parsed.request,
        mode=mode or Mode.THINKING,
        threads=options.threads or parsed.request.threads,
    )
    if parsed.effort is Effort.NONE and contemplating and not options.team_only:
        request, contemplating = replace(request, mode=Mode.INSTANT), False
    named = options.models or ([name] if name else list(config.roles.explorer or (NATIVE,)))
    explorers = [await models.named(each) for each in (named if contemplating else named[:1])]
    request, effort_notes = with_effort(request, parsed.effort, explorers, contemplating)
    notes = (
        *_unused_models_note(request, named, contemplating),
        *_ignored_history_notes(request, explorers),
        *effort_notes,
    )
    request, sampling_notes = with_sampling(request, explorers)
    warnings = (*parsed.warnings, *effort_notes, *sampling_notes)
    explorers, request = _wrap_stop_limits(explorers, request)
    has_describing_tools = bool({LOOK, *DESCRIBING_TOOLS} & set(options.tools or ()))
    for explorer in explorers:
        require_supported(explorer, request, images_as_text=has_describing_tools)
    team = with_video_tool(
        build_team(await _options(parsed, models, explorers, contemplating)), request.videos
    )
    if request.schema is not None:
        team = replace(team, fits=partial(find_mismatch, schema=request.schema))
    _require_distinct_tool_names(team, request)
    show_progress = contemplating and options.progress is not False
    return ResolvedRequest(
        parsed=parsed,
        request=request,
        team=team,
        notes=notes,
        warnings=warnings,
        limits=_limits(options, config, contemplating),
        show_progress=show_progress,
        headline=_headline(team, request) if contemplating else "",
    )


def _unused_models_note(request: Request, named: list[str], contemplating: bool) -> Iterator[str]:
    """Note that of several configured models only one is used."""
    if not contemplating and (told := ignored_models(named, request.mode)):
        yield told


def _ignored_history_notes(request: Request, explorers: list[Model]) -> Iterator[str]:
    """Note which models ignore the conversation before the last question."""
    before = sum(message is not request.messages[-1] for message in request.messages)
    for explorer in explorers:
        if before and not explorer.abilities.conversation:
            yield f"{explorer.name} reads the last question only; what comes before it is not read."


_OPTION_NAMES = {"first": "first_wave"}
"""Options of `musespark.stream` whose names differ from those in bodies."""


async def _options(
    parsed: ParsedRequest, models: ModelCatalog, explorers: list[Model], contemplating: bool
) -> Options:
    """Build the options of `musespark.stream`, with models in place of names."""
    options, config = parsed.options, models.config
    chosen: dict[str, Any] = {"model": explorers, "tools": options.tools or [], "config": Config()}
    if contemplating:
        chosen["config"] = Config(team=config.team)
        if parsed.effort is not None and not options.team_only:
            chosen |= _team_of_effort(parsed.effort, config.team)
        chosen |= {
            _OPTION_NAMES.get(name, name): value
            for name in ("agents", "first", "rounds", "aggregate")
            if (value := getattr(options, name)) is not None
        }
        for role in ("refiner", "judge", "merger"):
            player = getattr(options, role) or getattr(config.roles, role)
            if player is not None:
                chosen[role] = await models.named(player)
        if "agents" in chosen:  # the default first wave gives way to the number of agents requested
            chosen["first_wave"] = min(
                chosen.get("first_wave", config.team.first or 2), chosen["agents"]
            )
    return chosen  # type: ignore[return-value]


def _team_of_effort(effort: Effort, configured: TeamConfig) -> dict[str, int]:
    """Return a team's size by effort. Clients send efforts unasked: a configured team may become smaller by one, never larger."""
    size = TEAM_BY_EFFORT[effort]
    found = {}
    for name, value in size.items():
        own = getattr(configured, name)
        found[_OPTION_NAMES.get(name, name)] = value if own is None else min(own, value)
    if configured.agents is not None:
        found["first_wave"] = min(found["first_wave"], configured.first or 2)
    return found


def _limits(options: TeamOptions, config: Config, contemplating: bool) -> Limits | None:
    given = options.budget
    usd, seconds, tokens = (given.usd, given.seconds, given.tokens) if given else (None, None, None)
    if contemplating:
        usd, seconds, tokens = (
            usd or config.team.max_usd,
            seconds or config.team.deadline,
            tokens or config.team.max_tokens,
        )
    calls = given.calls if given else None
    return (
        None
        if (usd, seconds, tokens, calls) == (None,) * 4
        else Limits(usd=usd, seconds=seconds, tokens=tokens, calls=calls)
    )


def _require_distinct_tool_names(team: Team, request: Request) -> None:
    taken: set[str] = set()
    for own in team.tools:
        taken |= (
            set(own.names)
            if isinstance(own, VisionToolFactory)
            else {"spawn_agents" if callable(own) else own.spec.name}
        )
    for tool in request.tools:
        if tool.name in taken:
            raise BadOption(
                "tools",
                tool.name,
                "named differently from the agents' own tools",
            )


def _headline(team: Team, request: Request) -> str:
    if team.solo:
        return f"{team.name} thinks, in up to {request.threads} threads of its own."
    agents = team.agents
    return f"Up to {agents} agent{'s' if agents > 1 else ''} of {team.name} think{'' if agents > 1 else 's'} about it."


def _wrap_stop_limits(explorers: list[Model], request: Request) -> tuple[list[Model], Request]:
    """Limit the answer of a single native model from outside: its own limit would count the tokens of every thread."""
    if (
        len(explorers) > 1
        or not explorers[0].abilities.native_spawn
        or (request.max_tokens is None and not request.stop)
    ):
        return explorers, request
    return [StopLimitedModel(explorers[0], request.max_tokens, request.stop)], replace(
        request, max_tokens=None, stop=()
    )


def stored_options(resolved: ResolvedRequest) -> dict[str, Any]:
    """Return how a run was requested, so that it can be repeated: fields of the page's body, whichever protocol it came by.

    With them stand the number of the question's images (`pictures`) and the limits that hold, from wherever they come (`limits`).
    """
    parsed, limits = resolved.parsed, resolved.limits
    options = parsed.options.model_dump(exclude_none=True, include=set(RunOptions.model_fields))
    mode, _, name = parsed.model.partition("/")
    if mode not in list(Mode):
        mode, name = Mode.THINKING.value, parsed.model
    if name:
        options.setdefault("models", [name])
    fields = {
        "mode": mode,
        "effort": parsed.effort and parsed.effort.value,
        "seed": parsed.request.seed,
        "pictures": len(question_images(parsed.conversation)),
        "follows": parsed.previous_run,
        "limits": limits and _without_none(asdict(limits)),
    }
    return {**options, **_without_none(fields)}


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
