"""Asking from Python: `ask`, `stream` and `ask_sync`. `stream` is the one way through; the others collect it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import replace
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

from musespark.answer import Answer, collect
from musespark.budget import Budget, Limits
from musespark.config import Config
from musespark.content import THREADS, Mode, Request, Video
from musespark.errors import BadOption
from musespark.events import Event
from musespark.models.model import Model
from musespark.models.registry import model_named
from musespark.pictures import ImageLike, as_image
from musespark.reasoning.agent.task import ToolFactory
from musespark.reasoning.agent.vision_tools import VisionToolFactory
from musespark.reasoning.modes import run
from musespark.reasoning.parallel.spawn import SpawnAgents
from musespark.reasoning.team.history import load_panel, load_strategy, vote_recorder
from musespark.reasoning.team.team import Aggregator, Team
from musespark.tools.registry import tools_named
from musespark.tools.tool import Tool
from musespark.trace import traced
from musespark.vision.toolset import is_look, looks_named

if TYPE_CHECKING:
    from musespark.vision.video import VideoLike

_Result = TypeVar("_Result")
_CONFIG_KEYS = {"first_wave": "first"}
"""Keys in a configuration that differ from the option."""


class Options(TypedDict, total=False):
    """How to answer."""

    images: Iterable[ImageLike]
    """Paths, bytes, PIL images or arrays."""
    video: VideoLike | Iterable[VideoLike]
    """A path or a file's bytes, or several. Models that take no videos get a contact sheet, and the tool `watch`."""
    mode: str
    """`instant`, `thinking` or `contemplating` (the default)."""
    threads: int
    """At most so many agents are spawned, 1 to 64; 12 by default."""
    seed: int
    """The same seed gives the same answer; 0 by default."""
    temperature: float
    """0 is greedy; by default what the model thinks best, and some variety among a team's explorers."""
    effort: str
    """How long a model may reason: none, minimal, low, medium, high or max; by default the model's own."""
    max_tokens: int
    """That each agent may write in a reply; by default what the model allows. What all may use is the budget's."""
    model: str | Model | Sequence[str | Model]
    """A name or a model; several are the mix of a team. By default the configured explorer, or `nano`."""
    budget: Budget | Limits
    """What the answer may cost; no limit by default."""
    agents: int
    """Explorers of a team, 1 to 64; 8 by default."""
    first_wave: int
    """Explorers that start at once; the others follow while there is doubt. 2 by default."""
    rounds: int
    """Rounds of refinement, where they disagree; by default none, unless they have helped in calibration."""
    approach: str
    """Approach of the explorers: `plain` (the default: all alike), `varied`, `answer only`, `answer line` or `step by step`."""
    aggregate: str | Aggregator
    """`auto` (the default), `vote`, `weigh`, `judge` or `merge`, or a function of one's own."""
    refiner: str | Model
    judge: str | Model
    merger: str | Model
    """Who plays these roles; by default the explorers."""
    tools: Iterable[str | Tool]
    """What agents may use: `python`, `spawn`, `look` or one of the tools that look (`musespark.vision`), or tools of one's own."""
    task_kind: str
    """What kind of question it is, in a word: models are chosen and their votes weighed by how they did on such questions
    (`muse calibrate` teaches that), and who answers what now is kept."""
    store: str | Path
    """The file that votes are kept in, instead of `votes.db` in the user's data directory."""
    team: Team
    """A team of one's own making, instead of all that."""
    config: Config
    """Names for models, roles and a team's defaults, as `musespark.config.load_config` reads them."""
    trace: str | Path
    """A directory to keep every event and picture in."""


async def stream(question: str, **options: Unpack[Options]) -> AsyncGenerator[Event, None]:
    """Answer a question, as a stream of events. Close it (`contextlib.aclosing`) to stop early.

    Raises the kinds of `BadInput` before the first event, except what only the model can tell, and what
    `musespark.reasoning.modes.run` raises.
    """
    _require_known(options)
    options["tools"] = tuple(options.get("tools", ()))
    looks = any(isinstance(tool, str) and is_look(tool) for tool in options["tools"])
    images = [as_image(source, strict=not looks) for source in options.get("images", ())]
    videos = await _seen(options["video"]) if "video" in options else ()
    request = Request.of(question, images, videos, mode=options.get("mode", Mode.CONTEMPLATING),
                         threads=options.get("threads", THREADS), seed=options.get("seed"),
                         max_tokens=options.get("max_tokens"), temperature=options.get("temperature"),
                         effort=options.get("effort"))
    _require_a_team(options, request.mode)
    budget = options.get("budget")
    team = with_video_tool(build_team(options), videos)
    events = run(team, request, Budget(budget) if isinstance(budget, Limits) else budget)
    if "trace" in options:
        events = traced(events, options["trace"])
    async with aclosing(events):
        async for event in events:
            yield event


async def _seen(given: VideoLike | Iterable[VideoLike]) -> tuple[Video, ...]:
    from musespark.vision.video import seen

    one = isinstance(given, str | bytes | bytearray | memoryview | PathLike | Video) or not isinstance(given, Iterable)
    sources: Iterable[Any] = (given,) if one else given  # type: ignore[assignment]
    return tuple([await seen(source) for source in sources])


def with_video_tool(team: Team, videos: Sequence[Video]) -> Team:
    """The team with the tool `watch`, if there is a video and all explorers can use tools."""
    if not videos or not all(model.abilities.tools for model in team.explorers):
        return team
    from musespark.vision.watch import Watch

    return replace(team, tools=(*team.tools, Watch(tuple(videos))), solo=False)


def _require_known(options: Options) -> None:
    """Raises `BadOption` for a name that is none, which a type checker would have found."""
    for name in options:
        if name not in Options.__annotations__:
            close = get_close_matches(name, Options.__annotations__, 1)
            raise BadOption("option", name, f"{close[0]!r}, perhaps" if close else f"one of {', '.join(Options.__annotations__)}")


def _require_a_team(options: Options, mode: Mode) -> None:
    """Raises `BadOption` for what only a team has, where there is none."""
    for name in ("agents", "first_wave", "rounds", "approach", "aggregate"):
        value = options.get(name)
        if value is not None and mode is not Mode.CONTEMPLATING:
            raise BadOption(name, value, "left out: only contemplating has a team")


def build_team(options: Options) -> Team:
    """Who answers: a model, or a team where the options or the configuration ask for more than one model's own way."""
    if options.get("team") is not None:
        return options["team"]
    config = options.get("config") or Config()
    named = options.get("model") or config.roles.explorer or ("nano",)
    several = named if isinstance(named, Sequence) and not isinstance(named, str) else [named]
    explorers = tuple(_model(each, config) for each in several)
    chosen: dict[str, Any] = {name: value for name in ("agents", "first_wave", "rounds", "approach", "aggregate")
                              if (value := options.get(name, getattr(config.team, _CONFIG_KEYS.get(name, name), None))) is not None}
    for role in ("refiner", "judge", "merger"):
        player = options.get(role, getattr(config.roles, role))
        if player is not None:
            chosen[role] = _model(player, config)  # type: ignore[arg-type]
    if tools := _tools(options.get("tools", ())):
        chosen["tools"] = tools
    if task_kind := options.get("task_kind"):
        store = Path(options["store"]) if "store" in options else None
        chosen["panel"], explorers = load_panel(task_kind, store, explorers)
        chosen["remember"] = vote_recorder(task_kind, store)
        if strategy := load_strategy(task_kind, store, explorers):
            chosen = {**strategy.options, **chosen}
        chosen.setdefault("agents", len(explorers) if chosen["panel"] else Team.agents)
    return Team(explorers=explorers, **chosen) if chosen or len(explorers) > 1 else Team.of(explorers[0])


def _model(named: str | Model, config: Config) -> Model:
    if isinstance(named, str):
        return model_named(named, config)
    if not hasattr(named, "stream"):
        raise BadOption("model", named, "a name or a model")
    return named


def _tools(named: Iterable[str | Tool]) -> tuple[Tool | ToolFactory, ...]:
    """Those that look share one album, and are made together."""
    looks: list[str] = []
    tools: list[Tool | ToolFactory] = []
    for tool in named:
        if isinstance(tool, str) and is_look(tool):
            looks.append(tool)
        elif tool == "spawn":
            tools.append(SpawnAgents)
        else:
            tools.append(tools_named([tool])[0] if isinstance(tool, str) else tool)
    return (*tools, VisionToolFactory(names)) if (names := looks_named(looks)) else tuple(tools)


async def ask(question: str, **options: Unpack[Options]) -> Answer:
    """Answer a question: `str()` of what comes back is the answer, `.pictures` and `.usage` say how it came about."""
    async with aclosing(stream(question, **options)) as events:
        return await collect(events)


def ask_sync(question: str, **options: Unpack[Options]) -> Answer:
    """`ask` for scripts and notebooks; works where an event loop is already running, too."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(ask(question, **options))
    return _in_own_loop(ask(question, **options))


def _in_own_loop(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run to the end in a thread with a loop of its own; an interrupt of the caller cancels the work, then passes on."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = Future()

    async def announced() -> _Result:
        started.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        return await work

    with ThreadPoolExecutor(1, "musespark-ask") as pool:
        result = pool.submit(asyncio.run, announced())
        try:
            return result.result()
        except KeyboardInterrupt:
            loop, task = started.result()
            with suppress(RuntimeError):  # the loop closed just now: nothing is left to cancel
                if task is not None:
                    loop.call_soon_threadsafe(task.cancel)
            raise
