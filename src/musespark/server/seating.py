"""Who answers: the name of a model, an effort and options become a model or a team, and the request as it will be answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from musespark.api import Options, build_team, with_video_tool
from musespark.budget import Limits
from musespark.config import Config
from musespark.content import Effort, Mode, Request
from musespark.errors import BadOption, BeyondModel
from musespark.models.model import Abilities, Model
from musespark.reasoning.agent.vision_tools import DESCRIBING_TOOLS, VisionToolFactory
from musespark.reasoning.modes import ignored_models
from musespark.reasoning.team.team import Team
from musespark.server.asked import Asked
from musespark.server.brief import Brief
from musespark.server.failures import Refused
from musespark.server.models import NATIVE, Models
from musespark.server.options import TEAMS, TeamOptions
from musespark.vision.toolset import LOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """An asked question with everyone who will think about it."""

    asked: Asked
    request: Request
    team: Team
    limits: Limits | None
    head: str
    """What is said first."""
    notes: tuple[str, ...]
    """What was done otherwise than a client might think."""
    lines: bool
    """Whether events are told before the answer."""


async def seat(asked: Asked, models: Models) -> Seated:
    """Raises `UnknownModel`, `BeyondModel`, `BadOption` and `Refused`."""
    mode, name = mode_and_name(asked.model)
    config, options = models.config, asked.team
    contemplates = mode is Mode.CONTEMPLATING
    if not contemplates and options.of_a_team:
        raise Refused(f"{', '.join(options.of_a_team)}: only a team has this; ask contemplating/{name or 'MODEL'}.", param="muse")
    request = replace(asked.request, mode=mode or Mode.THINKING, threads=options.threads or asked.request.threads)
    if asked.effort is Effort.NONE and contemplates and not options.of_a_team:
        request, contemplates = replace(request, mode=Mode.INSTANT), False
    named = options.models or ([name] if name else list(config.roles.explorer or (NATIVE,)))
    explorers = [await models.named(each) for each in (named if contemplates else named[:1])]
    notes = (*_unasked(request, named, contemplates), *_unread(request, explorers))
    request = _with_effort(request, asked.effort, explorers, contemplates)
    explorers, request = _held(explorers, request)
    read_to = bool({LOOK, *DESCRIBING_TOOLS} & set(options.tools or ()))
    for explorer in explorers:
        _require(explorer, request, read_to)
    who = with_video_tool(build_team(await _options(asked, models, explorers, contemplates)), request.videos)
    _require_names_apart(who, request)
    tells = contemplates and options.progress is not False
    return Seated(asked=asked, request=request, team=who, limits=_limits(options, config, contemplates), notes=notes, lines=tells,
                  head=_head(who, request) if contemplates else "")


def mode_and_name(name: str) -> tuple[Mode | None, str]:
    """What comes before the slash is a mode; a model's own name may have slashes, too."""
    before, _, after = name.partition("/")
    if before in list(Mode):
        return Mode(before), after
    return None, name


def _unasked(request: Request, named: list[str], contemplates: bool) -> Iterator[str]:
    """That of several configured models one is asked."""
    if not contemplates and (told := ignored_models(named, request.mode)):
        yield told


def _unread(request: Request, explorers: list[Model]) -> Iterator[str]:
    """What models will not read, said rather than dropped in silence."""
    before = sum(message is not request.messages[-1] for message in request.messages)
    for explorer in explorers:
        if before and not explorer.abilities.conversation:
            yield f"{explorer.name} reads the last question only; what comes before it is not read."


def _with_effort(request: Request, effort: Effort | None, explorers: list[Model], contemplates: bool) -> Request:
    """The request with the effort, where it is the models' own; a team's effort is its size, for models that have none."""
    able = all(explorer.abilities.effort for explorer in explorers)
    if effort is None or (not able and (contemplates or effort is Effort.NONE)):
        return request  # whoever cannot reason at length does not
    return replace(request, effort=effort)


_ABILITIES = {"top_p": "be given a top_p", "seed": "be given a seed", "temperature": "be given a temperature",
              "stop": "be given texts to stop at", "schema": "be held to a schema", "effort": "be told how long to reason"}


def _require(model: Model, request: Request, read_to: bool) -> None:
    """Raise `BeyondModel` for the first thing that the model cannot do.

    read_to: whether tools tell a model that sees nothing what is in a picture.
    """
    can: Abilities = model.abilities
    for option, lacking in _ABILITIES.items():
        if getattr(request, option) not in (None, ()) and not getattr(can, option):
            raise BeyondModel(model.name, lacking, "leave it out, or choose another model")
    if request.tools and not can.tools:
        raise BeyondModel(model.name, "use tools", "ask without them or choose another model")
    if request.images and not can.pictures_in and not (read_to and can.tools):
        raise BeyondModel(model.name, "read pictures", "ask without one or choose another model")
    if request.tools and request.tool_choice not in ("auto", "none") and not can.tool_choice:
        raise BeyondModel(model.name, f"be told to choose tools by {request.tool_choice!r}", "ask with auto")


_OPTIONS = {"first": "first_wave"}
"""Options of `musespark.stream` that a body names otherwise."""


async def _options(asked: Asked, models: Models, explorers: list[Model], contemplates: bool) -> Options:
    """The options of `musespark.stream`, every name in them made a model."""
    options, config = asked.team, models.config
    chosen: dict[str, Any] = {"model": explorers, "tools": options.tools or [], "config": Config()}
    if contemplates:
        chosen["config"] = Config(team=config.team)
        if asked.effort is not None and not options.of_a_team:
            chosen |= {_OPTIONS.get(name, name): value for name, value in TEAMS[asked.effort].items()}
        chosen |= {_OPTIONS.get(name, name): value for name in ("agents", "first", "rounds", "aggregate")
                   if (value := getattr(options, name)) is not None}
        for role in ("refiner", "judge", "merger"):
            player = getattr(options, role) or getattr(config.roles, role)
            if player is not None:
                chosen[role] = await models.named(player)
        if "agents" in chosen:  # a first wave that was not asked for gives way to the number that was
            chosen["first_wave"] = min(chosen.get("first_wave", config.team.first or 2), chosen["agents"])
    return chosen  # type: ignore[return-value]


def _limits(options: TeamOptions, config: Config, contemplates: bool) -> Limits | None:
    given = options.budget
    usd, seconds, tokens = (given.usd, given.seconds, given.tokens) if given else (None, None, None)
    if contemplates:
        usd, seconds, tokens = usd or config.team.max_usd, seconds or config.team.deadline, tokens or config.team.max_tokens
    calls = given.calls if given else None
    return None if (usd, seconds, tokens, calls) == (None,) * 4 else Limits(usd=usd, seconds=seconds, tokens=tokens, calls=calls)


def _require_names_apart(team: Team, request: Request) -> None:
    held: set[str] = set()
    for tool in team.tools:
        held |= set(tool.names) if isinstance(tool, VisionToolFactory) else {"spawn_agents" if callable(tool) else tool.spec.name}
    for asked in request.tools:
        if asked.name in held:
            raise BadOption("tools", asked.name, "of another name than the tools that the agents use by themselves")


def _head(team: Team, request: Request) -> str:
    if team.solo:
        return f"{team.name} thinks, in up to {request.threads} threads of its own."
    agents = team.agents
    return f"Up to {agents} agent{'s' if agents > 1 else ''} of {team.name} think{'' if agents > 1 else 's'} about it."


def _held(explorers: list[Model], request: Request) -> tuple[list[Model], Request]:
    """A native model that answers alone is held to the answer's limits from outside: its own would count every thread's tokens."""
    if len(explorers) > 1 or not explorers[0].abilities.native_spawn or (request.max_tokens is None and not request.stop):
        return explorers, request
    return [Brief(explorers[0], request.max_tokens, request.stop)], replace(request, max_tokens=None, stop=())
