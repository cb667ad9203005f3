"""What the routes share: who may ask, what is allowed, where runs are kept, and who is being answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.requests import Request as HttpRequest

from musespark.budget import Budget
from musespark.reasoning.team import Team
from musespark.server.errors import RequestRefused
from musespark.server.http.remote_images import Lookups
from musespark.server.metrics import Metrics
from musespark.server.resolve.model_catalog import ModelCatalog, require_prices
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.server.resolve.resolve import resolve
from musespark.server.runs.live_runs import LiveRuns
from musespark.server.runs.session import RunSession


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    name: str = ""
    budget: Budget | None = None
    """What they may still spend; their runs draw from it."""


Authenticator: TypeAlias = Callable[[HttpRequest], Awaitable[Caller]]
"""Who is behind a request. Raises `RequestRefused` with status 401 for those who may not ask."""


async def allow_anyone(http: HttpRequest) -> Caller:
    """Everybody may ask: for a server that only this machine can reach."""
    return Caller()


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What a server allows."""

    allow_remote_images: bool = False
    hosts: tuple[str, ...] | None = None
    """Names that a request may be addressed to; None is any. On loopback, this machine's own: a web page whose name points
    here is refused."""
    max_runs: int = 1000
    """Questions that are answered at the same time."""
    grace: float = 0.0
    """Seconds that runs which nobody holds a connection to may go on once the server was told to stop."""
    cleanup_timeout: float = 5.0
    """Seconds that what was cancelled has to clean up when the server stops."""


@dataclass(kw_only=True)
class ServerState:
    """What the routes share."""

    models: ModelCatalog
    runs: LiveRuns
    callers: Authenticator
    settings: ServerSettings
    metrics: Metrics = field(default_factory=Metrics)
    lookups: Lookups = field(default_factory=Lookups)
    background_runs: set[asyncio.Task[None]] = field(default_factory=set)
    """Runs that nobody holds a connection to."""
    running: set[RunSession] = field(default_factory=set)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nobody is answered."""

    def __post_init__(self) -> None:
        self.idle.set()

    def require_capacity(self) -> None:
        """Raise `RequestRefused` where as many questions are answered as may be."""
        if len(self.running) >= self.settings.max_runs:
            raise RequestRefused("The server answers as many questions as it can; ask again in a moment.", status=429, code="busy")

    async def session(self, asked: ParsedRequest, caller: Caller) -> RunSession:
        """The run of a question, ready to begin. Raises the kinds of `MuseError`."""
        resolved = await resolve(asked, self.models)
        if caller.budget is not None and caller.budget.limits.usd is not None:
            require_prices(resolved.solver.models if isinstance(resolved.solver, Team) else (resolved.solver,))
        budget = caller.budget.child(resolved.limits) if caller.budget else Budget(resolved.limits)
        return RunSession(resolved=resolved, runs=self.runs if resolved.parsed.store else None, budget=budget, caller=caller.name,
                        metrics=self.metrics)

    @contextmanager
    def counted(self, session: RunSession) -> Iterator[None]:
        """While this one is answered."""
        self.running.add(session)
        self.idle.clear()
        try:
            yield
        finally:
            self.running.discard(session)
            if not self.running:
                self.idle.set()
