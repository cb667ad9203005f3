"""What the routes share: who may ask, what is allowed, where runs are kept, and who is being answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.requests import Request as HttpRequest

from musespark.budget import Budget
from musespark.server.answering import Thinking
from musespark.server.asked import Asked
from musespark.server.failures import Refused
from musespark.server.metrics import Metrics
from musespark.server.models import Models, require_prices
from musespark.server.remote_images import Lookups
from musespark.server.seating import seat
from musespark.server.watching import Watched


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    name: str = ""
    budget: Budget | None = None
    """What they may still spend; their runs draw from it."""


Callers: TypeAlias = Callable[[HttpRequest], Awaitable[Caller]]
"""Who is behind a request. Raises `Refused` with status 401 for those who may not ask."""


async def anyone(http: HttpRequest) -> Caller:
    """Everybody may ask: for a server that only this machine can reach."""
    return Caller()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a server allows."""

    allow_remote_images: bool = False
    hosts: tuple[str, ...] | None = None
    """Names that a request may be addressed to; None is any. On loopback, this machine's own: a web page whose name points
    here is refused."""
    most_runs: int = 1000
    """Questions that are answered at the same time."""
    grace: float = 0.0
    """Seconds that runs which nobody holds a connection to may go on once the server was told to stop."""
    farewell: float = 5.0
    """Seconds that what was cancelled has to clean up when the server stops."""


@dataclass(kw_only=True)
class Server:
    """What the routes share."""

    models: Models
    runs: Watched
    callers: Callers
    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    lookups: Lookups = field(default_factory=Lookups)
    carried: set[asyncio.Task[None]] = field(default_factory=set)
    """Runs that nobody holds a connection to."""
    running: set[Thinking] = field(default_factory=set)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nobody is answered."""

    def __post_init__(self) -> None:
        self.idle.set()

    def require_room(self) -> None:
        """Raise `Refused` where as many questions are answered as may be."""
        if len(self.running) >= self.settings.most_runs:
            raise Refused("The server answers as many questions as it can; ask again in a moment.", status=429, code="busy")

    async def thinking(self, asked: Asked, caller: Caller) -> Thinking:
        """The run of a question, ready to begin. Raises the kinds of `MuseError`."""
        seated = await seat(asked, self.models)
        if caller.budget is not None and caller.budget.limits.usd is not None:
            require_prices(seated.team.models)
        budget = caller.budget.child(seated.limits) if caller.budget else Budget(seated.limits)
        return Thinking(seated=seated, runs=self.runs if seated.asked.store else None, budget=budget, caller=caller.name,
                        metrics=self.metrics)

    @contextmanager
    def counted(self, thinking: Thinking) -> Iterator[None]:
        """While this one is answered."""
        self.running.add(thinking)
        self.idle.clear()
        try:
            yield
        finally:
            self.running.discard(thinking)
            if not self.running:
                self.idle.set()
