"""Our own column: a team over the same backend, through its Chat Completions adapter. Runs in this checkout's environment.

One model and one event loop serve all questions, as in a process that lives long.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

from scenarios import QUESTION, Asked, Upstream, measured

from musespark.content import Request
from musespark.errors import MuseError
from musespark.events import Event
from musespark.models.registry import create_model
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team


class Ours:
    """One team, built anew for every question; all its agents start at once except for the vote, which grows in waves."""

    name = "ours"

    def __init__(self, upstream: Upstream) -> None:
        self._loop = asyncio.Runner()
        self._model = create_model(f"openai-compatible:fake@{upstream.url}")

    def close(self) -> None:
        self._loop.close()

    def best(self, n: int) -> Asked:
        return self._loop.run(self._asked(agents=n, first_wave=n, rounds=0, aggregate="judge"))

    def merged(self) -> Asked:
        return self._loop.run(self._asked(agents=8, first_wave=8, rounds=1, aggregate="merge"))

    def vote(self, n: int) -> Asked:
        return self._loop.run(self._asked(agents=n, rounds=0, aggregate="vote"))

    def many(self, n: int) -> Asked:
        return self.best(n)

    def first(self, n: int) -> tuple[float, float]:
        async def first() -> tuple[float, float]:
            began, sign = time.perf_counter(), 0.0
            async with aclosing(
                self._events(agents=n, first_wave=n, rounds=0, aggregate="judge")
            ) as events:
                async for event in events:
                    sign = sign or time.perf_counter() - began
                    if event.kind == "answer_delta":
                        break
                return sign, time.perf_counter() - began

        return self._loop.run(first())

    def leave(self, n: int, under_way: Callable[[], None]) -> float:
        async def leaving() -> float:
            task = asyncio.create_task(
                self._asked(agents=n, first_wave=n, rounds=0, aggregate="judge")
            )
            await asyncio.to_thread(under_way)
            gone = time.monotonic()
            task.cancel()
            await asyncio.wait({task})
            return gone

        return self._loop.run(leaving())

    def _events(self, **options: Any) -> AsyncGenerator[Event, None]:
        return run(
            Team(explorers=(self._model,), **options), Request.of(QUESTION, mode="contemplating")
        )

    async def _asked(self, **options: Any) -> Asked:
        try:
            async with aclosing(self._events(**options)) as events:
                async for event in events:
                    last = event
        except MuseError as error:
            return Asked(None, type(error).__name__)
        return Asked(
            last.answer, "", last.usage.prompt_tokens, last.usage.tokens - last.usage.prompt_tokens
        )


def columns(upstream: Upstream, folder: Path) -> dict[str, object]:
    """Our one column."""
    with contextlib.closing(Ours(upstream)) as ours:
        return {ours.name: measured(ours, upstream)}
