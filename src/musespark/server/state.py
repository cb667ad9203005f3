"""State that the routes share: authentication, settings, the run store, and the runs in progress."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from starlette.requests import Request as HttpRequest

from musespark.budget import Budget
from musespark.config import Config
from musespark.errors import MuseError
from musespark.reasoning.call_policy import CallPolicy
from musespark.server.disclosure import Redactor
from musespark.server.errors import ErrorReply, RequestRefused, error_reply
from musespark.server.http.event_stream import StreamTiming
from musespark.server.http.remote_images import ImageFetcher
from musespark.server.metrics import Metrics
from musespark.server.resolve.key_scope import KeyScope
from musespark.server.resolve.model_catalog import ModelCatalog, require_prices
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.server.resolve.resolve import resolve
from musespark.server.runs.live_runs import LiveRuns, WatchSettings
from musespark.server.runs.session import RunSession
from musespark.telemetry import start_recorder

BUSY_RETRY = 1.0
"""Seconds after which a request that found no room may be sent again."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated sender of a request."""

    name: str = ""
    budget: Budget | None = None
    """Remaining allowance that the caller's runs draw from."""
    admit: Callable[[], Awaitable[Budget | None]] | None = None
    """Counts a request that is about to start a run, and returns its allowance in place of `budget`. Raises what refuses it."""
    pays: bool = False
    """True if the allowance is in dollars."""
    scope: KeyScope = field(default_factory=KeyScope)
    """Models and modes that may be asked."""

    @property
    def is_outsider(self) -> bool:
        """True for a caller with a key, who need not be the operator."""
        return bool(self.name)


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
    origins: tuple[str, ...] = ()
    """Origins of other sites' pages that a browser lets use the protocols; `*` for any."""
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
    authenticator: Authenticator
    settings: ServerSettings
    metrics: Metrics = field(init=False)
    images: ImageFetcher = field(default_factory=ImageFetcher)
    background_runs: set[asyncio.Task[None]] = field(default_factory=set)
    """Runs without a connection of their own, such as those the page starts."""
    sessions: set[RunSession] = field(default_factory=set)
    """Runs in progress."""
    watchers: Counter[str] = field(default_factory=Counter)
    """Connections that watch runs, by caller."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no run is in progress."""

    _closing: asyncio.Task[None] | None = None
    """Task that closes the models before the last reload."""

    def __post_init__(self) -> None:
        self.idle.set()
        self.metrics = Metrics(self.runs)
        self.redactor = Redactor(self.models.config)
        self.runs.on_stop = self._stop_for_other_server

    async def authenticate(self, http: HttpRequest) -> Caller:
        """Find the caller of a request. Raises `RequestRefused` and `StoreUnusable`."""
        caller = await self.authenticator(http)
        http.scope["muse.caller"] = caller
        return caller

    def reload(self, config: Config) -> None:
        """Use another configuration for the requests that come from now on; runs in progress end as they began."""
        self.models.reload(config)
        self.redactor = Redactor(config)
        before = set(self.sessions)
        if self._closing is not None:
            self._closing.cancel()
        self._closing = asyncio.create_task(self._close_replaced(before))

    async def _close_replaced(self, before: set[RunSession]) -> None:
        """Close what a reload replaced once no run uses it any more."""
        while before & self.sessions:  # noqa: ASYNC110 - rare, and nothing waits for it
            await asyncio.sleep(1)
        await self.models.close_replaced()

    def reply(self, error: MuseError, caller: Caller | None) -> ErrorReply:
        """The reply to an error. What only the operator is to know goes to the log, if the caller has a key."""
        if caller is None or not caller.is_outsider:
            return error_reply(error)
        found = self.redactor.reply(error)
        if found.message != str(error):
            _LOG.warning("A client with the key %s got an error: %s", caller.name, error)
        return found

    def stop(self, id: str, caller: str | None = None) -> bool:
        """Stop a run of this server; false if there is none, or it is another caller's."""
        for session in self.sessions:
            if session.id == id and caller in (None, session.caller):
                session.budget.stop()
                return True
        return False

    def _stop_for_other_server(self, id: str) -> None:
        self.stop(id)

    def require_capacity(self, caller: Caller) -> None:
        """Raise `RequestRefused` if the maximum number of runs is in progress, or the caller has its share of them.

        A caller with a key may have as many runs in progress as there is still room for: one alone gets half, two a third each,
        and there is always room for one more.
        """
        own = sum(session.caller == caller.name for session in self.sessions) if caller.name else 0
        self._require_share(own, len(self.sessions), "runs")

    def require_watch_capacity(self, caller: Caller) -> None:
        """Raise `RequestRefused` if as many connections watch runs as there may be runs, or the caller has its share of them."""
        own = self.watchers[caller.name] if caller.name else 0
        self._require_share(own, self.watchers.total(), "watchers")

    def _require_share(self, own: int, used: int, what: str) -> None:
        free = self.settings.max_runs - used
        if free <= 0 or (own and own >= free):
            whose = "The server is at its" if free <= 0 else "This key is at its share of the"
            raise RequestRefused(
                f"{whose} limit of concurrent {what}; retry in a moment.",
                status=429,
                code="busy",
                retry_after=BUSY_RETRY,
            )

    async def count_watcher(
        self, caller: Caller, frames: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """Pass on what a watcher of a run gets, and count the watcher meanwhile."""
        self.watchers[caller.name] += 1
        try:
            async with aclosing(frames):
                async for frame in frames:
                    yield frame
        finally:
            self.watchers[caller.name] -= 1
            self.watchers += Counter()  # forgets those that have none

    async def open_session(self, parsed: ParsedRequest, caller: Caller) -> RunSession:
        """Resolve a request to a run that is ready to start. Raises subclasses of `MuseError`."""
        caller.scope.require(self.models, parsed)
        resolved = await resolve(parsed, self.models)
        team = replace(resolved.team, call_policy=self.settings.call_policy)
        resolved = replace(resolved, team=team)
        if caller.pays:
            require_prices(resolved.team.models)
        self.require_capacity(caller)
        if parsed.store:
            self.runs.require_writable()
        allowance = caller.budget if caller.admit is None else await caller.admit()
        self.require_capacity(caller)  # others may have begun while this one waited for its budget
        budget = allowance.child(resolved.limits) if allowance else Budget(resolved.limits)
        if caller.is_outsider:
            shown = self.redactor.text
            notes = tuple(map(shown, resolved.notes))
            resolved = replace(resolved, headline=shown(resolved.headline), notes=notes)
        return RunSession(
            resolved=resolved,
            runs=self.runs if resolved.parsed.store else None,
            budget=budget,
            caller=caller.name,
            metrics=self.metrics,
            redact=self.redactor.event if caller.is_outsider else None,
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
