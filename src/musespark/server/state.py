"""State that the routes share: authentication, settings, the run store, and the runs in progress."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from starlette.requests import Request as HttpRequest

from musespark.budget import Budget
from musespark.reasoning.call_policy import CallPolicy
from musespark.server.errors import RequestRefused
from musespark.server.http.event_stream import StreamTiming
from musespark.server.http.remote_images import ImageFetcher
from musespark.server.metrics import Metrics
from musespark.server.resolve.model_catalog import ModelCatalog, require_prices
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.server.resolve.resolve import resolve
from musespark.server.runs.live_runs import LiveRuns, WatchSettings
from musespark.server.runs.session import RunSession
from musespark.telemetry import start_recorder


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated sender of a request."""

    name: str = ""
    budget: Budget | None = None
    """Remaining allowance that the caller's runs draw from."""


Authenticator: TypeAlias = Callable[[HttpRequest], Awaitable[Caller]]
"""Function from a request to its caller. Raises `RequestRefused` with status 401 if the request has no valid key."""


async def allow_anyone(http: HttpRequest) -> Caller:
    """Accept every request: for a server that only this machine can reach."""
    return Caller()


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Limits and permissions of a server."""

    allow_remote_images: bool = False
    """True if images may be fetched from public web addresses."""
    hosts: tuple[str, ...] | None = None
    """Host names that the server answers to; None for any. On loopback these are this machine's own names, so that a web page
    whose name was rebound to this address is refused."""
    max_runs: int = 1000
    """Runs in progress at the same time."""
    grace: float = 0.0
    """Seconds that background runs may continue after the server was told to stop."""
    cleanup_timeout: float = 5.0
    """Seconds that cancelled runs have to clean up when the server stops."""
    stream: StreamTiming = field(default_factory=StreamTiming)
    watch: WatchSettings = field(default_factory=WatchSettings)
    call_policy: CallPolicy = field(default_factory=CallPolicy)
    page: Path | None = None
    """Directory of the built page; None for the one that the package has."""


@dataclass(kw_only=True)
class ServerState:
    """Everything the routes share."""

    models: ModelCatalog
    runs: LiveRuns
    authenticate: Authenticator
    settings: ServerSettings
    metrics: Metrics = field(default_factory=Metrics)
    images: ImageFetcher = field(default_factory=ImageFetcher)
    background_runs: set[asyncio.Task[None]] = field(default_factory=set)
    """Runs without a connection of their own, such as those the page starts."""
    sessions: set[RunSession] = field(default_factory=set)
    """Runs in progress."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no run is in progress."""

    def __post_init__(self) -> None:
        self.idle.set()

    def require_capacity(self) -> None:
        """Raise `RequestRefused` if the maximum number of runs is in progress."""
        if len(self.sessions) >= self.settings.max_runs:
            raise RequestRefused(
                "The server is at its limit of concurrent runs; retry in a moment.",
                status=429,
                code="busy",
            )

    async def open_session(self, parsed: ParsedRequest, caller: Caller) -> RunSession:
        """Resolve a request to a run that is ready to start. Raises subclasses of `MuseError`."""
        resolved = await resolve(parsed, self.models)
        team = replace(resolved.team, call_policy=self.settings.call_policy)
        resolved = replace(resolved, team=team)
        if caller.budget is not None and caller.budget.limits.usd is not None:
            require_prices(resolved.team.models)
        budget = caller.budget.child(resolved.limits) if caller.budget else Budget(resolved.limits)
        return RunSession(
            resolved=resolved,
            runs=self.runs if resolved.parsed.store else None,
            budget=budget,
            caller=caller.name,
            metrics=self.metrics,
            spans=start_recorder(self.models.config.telemetry.endpoint),
        )

    @contextmanager
    def track(self, session: RunSession) -> Iterator[None]:
        """Count a run as in progress within the `with` block."""
        self.sessions.add(session)
        self.idle.clear()
        try:
            yield
        finally:
            self.sessions.discard(session)
            if not self.sessions:
                self.idle.set()
