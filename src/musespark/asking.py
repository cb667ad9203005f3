"""Asking from Python: `ask`, `stream` and `ask_sync`. `stream` is the one way through; the others collect it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack

from musespark.answer import Answer, collect
from musespark.budget import Budget, Limits
from musespark.content import Mode, Request
from musespark.events import Event
from musespark.models.model import Model
from musespark.models.registry import model_named
from musespark.pictures import ImageLike, as_image
from musespark.reasoning.modes import run
from musespark.trace import traced

_Result = TypeVar("_Result")


class Options(TypedDict, total=False):
    """How to answer."""

    images: Iterable[ImageLike]
    """Paths, bytes, PIL images or arrays."""
    mode: str
    """`instant`, `thinking` or `contemplating` (the default)."""
    threads: int
    """At most so many agents are spawned, 1 to 64; 10 by default."""
    seed: int
    """The same seed gives the same answer; 0 by default."""
    temperature: float
    """0, the default, is greedy."""
    max_tokens: int
    """Of all agents together; by default what the model and the budget allow."""
    model: str | Model
    """A registered name or a model; `nano` by default."""
    budget: Budget | Limits
    """What the answer may cost; no limit by default."""
    trace: str | Path
    """A directory to keep every event and picture in."""


async def stream(question: str, **options: Unpack[Options]) -> AsyncGenerator[Event, None]:
    """Answer a question, as a stream of events. Close it (`contextlib.aclosing`) to stop early.

    Raises the kinds of `BadInput` before the first event, except what only the model can tell, and what
    `musespark.reasoning.modes.run` raises.
    """
    images = [as_image(source) for source in options.get("images", ())]
    request = Request.of(question, images, mode=options.get("mode", Mode.CONTEMPLATING),
                         threads=options.get("threads", 10), seed=options.get("seed"),
                         max_tokens=options.get("max_tokens"), temperature=options.get("temperature"))
    named = options.get("model", "nano")
    model = model_named(named) if isinstance(named, str) else named
    budget = options.get("budget")
    events = run(model, request, Budget(budget) if isinstance(budget, Limits) else budget)
    if "trace" in options:
        events = traced(events, options["trace"])
    async with aclosing(events):
        async for event in events:
            yield event


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
