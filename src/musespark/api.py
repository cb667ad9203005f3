"""The Python API: `stream` answers a question as events; `ask` and `ask_sync` collect them to an answer."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, cast

from musespark.answer import Answer, fold
from musespark.api_options import checked_options
from musespark.budget import Budget, Limits
from musespark.config import Config
from musespark.content import THREADS, Mode, Request, Video
from musespark.errors import BadOption, TraceUnwritable
from musespark.events import Event, RunEnded
from musespark.images import ImageLike, load_images
from musespark.models.model import Model
from musespark.models.registry import create_model
from musespark.reasoning.agent.task import ToolFactory
from musespark.reasoning.agent.vision_tools import VisionToolFactory
from musespark.reasoning.modes import run
from musespark.reasoning.parallel.spawn import SpawnAgents
from musespark.reasoning.team.history import load_panel, load_strategy, vote_recorder
from musespark.reasoning.team.team import Aggregator, Team
from musespark.telemetry import start_recorder, with_spans
from musespark.tools.registry import expand_vision_tools, is_vision_tool, make_tools
from musespark.tools.tool import Tool
from musespark.trace import traced

if TYPE_CHECKING:
    from musespark.vision.video.load import VideoLike

_Result = TypeVar("_Result")
_CONFIG_KEYS = {"first_wave": "first"}
"""Keys in a configuration that differ from the option."""
_EARLIER_NAMES = {"first": "first_wave", "kind": "task_kind"}
"""Options of version 0.1, which are still read."""


class Options(TypedDict, total=False):
    """Options of `ask`, `stream` and `ask_sync`."""

    images: Iterable[ImageLike]
    """Paths, bytes, PIL images or arrays."""
    video: VideoLike | Iterable[VideoLike]
    """A path or a file's bytes, or several. Models that take no videos get a contact sheet, and the tool `watch`."""
    mode: str
    """`instant`, `thinking` or `contemplating` (the default)."""
    threads: int
    """Most agents that are spawned, 1 to 64; 12 by default."""
    seed: int
    """The same seed gives the same answer; 0 by default."""
    temperature: float
    """0 is greedy; by default what the model thinks best, and some variety among a team's explorers."""
    effort: str
    """Effort of the model's reasoning: none, minimal, low, medium, high or max; by default the model's own."""
    max_tokens: int
    """Most tokens of each reply; by default what the model allows. The budget limits all replies together."""
    model: str | Model | Sequence[str | Model]
    """A name or a model; several are the mix of a team. By default the configured explorer, or `nano`."""
    budget: Budget | Limits
    """Limits on the cost of the answer; none by default."""
    agents: int
    """Explorers of a team, 1 to 64; 8 by default."""
    first_wave: int
    """Explorers that start at once; the others follow while the winner is in doubt. 2 by default."""
    rounds: int
    """Most rounds of refinement, if answers differ; none by default, unless calibration found that they help."""
    approach: str
    """Approach of the explorers: `plain` (the default: all alike), `varied`, `answer only`, `answer line` or `step by step`."""
    aggregate: str | Aggregator
    """`auto` (the default), `vote`, `weigh`, `judge` or `merge`, or a function of one's own."""
    refiner: str | Model
    judge: str | Model
    merger: str | Model
    """Models of these roles; by default the explorers."""
    tools: Iterable[str | Tool]
    """Tools of the agents: `python`, `spawn`, `look` or a single tool of `musespark.vision`, or `Tool` objects."""
    task_kind: str
    """Kind of question, in a word: models are chosen and their votes weighed by their record on such questions, as measured by
    `muse calibrate`, and the answers of this run are added to it."""
    store: str | Path
    """File of the votes; by default `votes.db` in the user's data directory."""
    team: Team
    """A ready team; replaces the options above."""
    config: Config
    """Model names, roles and defaults of a team, as `musespark.config.load_config` reads them."""
    trace: str | Path
    """A directory for all events and images of the run. If it fills up on the way, `stream` raises `TraceUnwritable` after the last
    event, and `ask` returns the answer with a warning."""


async def stream(question: str, **options: Unpack[Options]) -> AsyncGenerator[Event, None]:
    """Answer a question, as a stream of events. Close it (`contextlib.aclosing`) to stop early.

    Raises kinds of `BadInput` before the first event, unless only the model can find the mistake, and the errors of
    `musespark.reasoning.modes.run`.
    """
    options = cast(
        Options,
        checked_options(question, _with_new_names(options), Options.__annotations__),
    )
    looks = any(isinstance(tool, str) and is_vision_tool(tool) for tool in options["tools"])
    images = await load_images(options.get("images", ()), strict=not looks)
    videos = await _seen(options["video"]) if "video" in options else ()
    request = Request.of(
        question,
        images,
        videos,
        mode=options.get("mode", Mode.CONTEMPLATING),
        threads=options.get("threads", THREADS),
        seed=options.get("seed"),
        max_tokens=options.get("max_tokens"),
        temperature=options.get("temperature"),
        effort=options.get("effort"),
    )
    async with aclosing(stream_request(request, options)) as events:
        async for event in events:
            yield event


async def stream_request(request: Request, options: Options) -> AsyncGenerator[Event, None]:
    """Answer a request, which may be a whole conversation; its question, images and sampling options are those of the request.

    Raises what `stream` raises.
    """
    videos = request.videos
    _require_a_team(options, request.mode)
    budget = options.get("budget")
    # What is known of a kind of question is read from a database, which must not hold up other runs.
    team = (
        await asyncio.to_thread(build_team, options)
        if "task_kind" in options
        else build_team(options)
    )
    team = with_video_tool(team, videos)
    events = run(team, request, Budget(budget) if isinstance(budget, Limits) else budget)
    events = with_spans(
        events, start_recorder((options.get("config") or Config()).telemetry.endpoint)
    )
    if "trace" in options:
        events = traced(events, options["trace"])
    async with aclosing(events):
        async for event in events:
            yield event


async def _seen(given: VideoLike | Iterable[VideoLike]) -> tuple[Video, ...]:
    from musespark.vision.video.load import load_video

    one = isinstance(
        given, str | bytes | bytearray | memoryview | PathLike | Video
    ) or not isinstance(given, Iterable)
    sources: Iterable[Any] = (given,) if one else given  # type: ignore[assignment]
    return tuple([await load_video(source) for source in sources])


def with_video_tool(team: Team, videos: Sequence[Video]) -> Team:
    """The team with the tool `watch`, if there is a video and all explorers can use tools."""
    if not videos or not all(model.abilities.tools for model in team.explorers):
        return team
    from musespark.vision.tools.watch import WatchTool

    return replace(team, tools=(*team.tools, WatchTool(tuple(videos))), solo=False)


def _with_new_names(options: Options) -> Options:
    """The options, with those of earlier versions under their names of today."""
    named = {_EARLIER_NAMES.get(name, name): value for name, value in options.items()}
    return cast(Options, named)


def _require_a_team(options: Options, mode: Mode) -> None:
    """Raise `BadOption` for options of a team in a mode without one."""
    for name in ("agents", "first_wave", "rounds", "approach", "aggregate"):
        value = options.get(name)
        if value is not None and mode is not Mode.CONTEMPLATING:
            raise BadOption(name, value, "left out: only contemplating has a team")


def build_team(options: Options) -> Team:
    """The team that the options and the configuration describe. Raises `BadOption`, `UnknownModel` and `StoreUnusable`."""
    if options.get("team") is not None:
        return options["team"]
    config = options.get("config") or Config()
    named = options.get("model", config.roles.explorer or ("nano",))
    several = named if isinstance(named, Sequence) and not isinstance(named, str) else [named]
    explorers = tuple(_model(each, config) for each in several)
    chosen: dict[str, Any] = {
        name: value
        for name in ("agents", "first_wave", "rounds", "approach", "aggregate")
        if (value := options.get(name, getattr(config.team, _CONFIG_KEYS.get(name, name), None)))
        is not None
    }
    for role in ("refiner", "judge", "merger"):
        player = options.get(role, getattr(config.roles, role))
        if player is not None:
            chosen[role] = _model(player, config, role)  # type: ignore[arg-type]
    if tools := _tools(options.get("tools", ())):
        chosen["tools"] = tools
    if task_kind := options.get("task_kind"):
        store = Path(options["store"]) if "store" in options else None
        chosen["panel"], explorers = load_panel(task_kind, store, explorers)
        chosen["remember"] = vote_recorder(task_kind, store)
        if strategy := load_strategy(task_kind, store, explorers):
            chosen = {**strategy.options, **chosen}
        chosen.setdefault("agents", len(explorers) if chosen["panel"] else Team.agents)
    return (
        Team(explorers=explorers, **chosen)
        if chosen or len(explorers) > 1
        else Team.of(explorers[0])
    )


def _model(named: str | Model, config: Config, option: str = "model") -> Model:
    if isinstance(named, str):
        return create_model(named, config)
    if not hasattr(named, "stream"):
        raise BadOption(option, named, "a name or a model")
    return named


def _tools(named: Iterable[str | Tool]) -> tuple[Tool | ToolFactory, ...]:
    """Create the tools. Vision tools share one album, so one factory makes them all."""
    looks: list[str] = []
    tools: list[Tool | ToolFactory] = []
    for tool in named:
        if isinstance(tool, str) and is_vision_tool(tool):
            looks.append(tool)
        elif tool == "spawn":
            tools.append(SpawnAgents)
        else:
            tools.append(make_tools([tool])[0] if isinstance(tool, str) else tool)
    return (
        (*tools, VisionToolFactory(names))
        if (names := expand_vision_tools(looks))
        else tuple(tools)
    )


async def ask(question: str, **options: Unpack[Options]) -> Answer:
    """Answer a question. `str()` of the result is the answer; `.pictures` and `.usage` tell more of the run."""
    seen: list[Event] = []
    async with aclosing(stream(question, **options)) as events:
        try:
            async for event in events:
                seen.append(event)
        except TraceUnwritable as error:
            if not seen or not isinstance(seen[-1], RunEnded):
                raise
            warnings.warn(str(error), RuntimeWarning, stacklevel=2)  # the answer is there
    return fold(seen)


def ask_sync(question: str, **options: Unpack[Options]) -> Answer:
    """`ask` for scripts and notebooks; works even if an event loop is already running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(ask(question, **options))
    return _in_own_loop(ask(question, **options))


def _in_own_loop(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run to the end in a thread with its own event loop; an interrupt of the caller cancels the work and is raised again."""
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
