"""Runs in a database: acknowledged means committed, and an image is a row of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from musespark.content import Image
from musespark.errors import StoreUnusable
from musespark.events import Event, Pictured
from musespark.store.database.batch_writer import BatchWriter
from musespark.store.database.database import Database, lock_tables
from musespark.store.json_text import to_json_bytes
from musespark.store.runs import monitor, servers
from musespark.store.runs.conversation import to_json
from musespark.store.runs.monitor import StoreMonitor
from musespark.store.runs.reading import RunReader, without_surrogates
from musespark.store.runs.record import RunCost, RunHeader, RunStatus, StoredRun
from musespark.store.runs.retention import RetentionPolicy, delete_expired, delete_run

_MOST = 2**63 - 1
"""Largest integer of a column; a backend may report any number of tokens."""
_LINGER = 0.05
"""Seconds after which a run flushes: a store that does not keep up slows it down, one that fails ends it."""
_UPKEEP = 60.0
"""Seconds between two deletions of old runs."""
_READ_PATIENCE = 1.0
"""Seconds that a read waits for what this server has still to write."""
_TIDY_INTERVAL = 0.5
"""Seconds between two attempts to overwrite what the files hold of deleted rows."""
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Count:
    """Amounts of a running run."""

    events: int = 0
    images: int = 0
    committed: int = -1
    """Events known to be committed; -1 if not even its own row is."""
    asked: float = field(default_factory=time.monotonic)
    """Monotonic time of the last flush."""


class SqlRunStore:
    """A store of runs in a database. Methods raise `StoreUnusable`.

    Use it within `open`. Several servers may share one database.
    """

    def __init__(self, database: Database, keep: RetentionPolicy | None = None) -> None:
        self.database = database
        self.on_stop: Callable[[str], None] = lambda run: None
        """Called with the id of a run that another server was asked to stop."""
        self._keep = keep or RetentionPolicy()
        self._reader = RunReader(database)
        self._open: tuple[BatchWriter, str] | None = None
        self._counts: dict[str, _Count] = {}
        self._peers = servers.Peers()
        self._deleted = asyncio.Event()
        """Set while the files may hold something of deleted rows."""
        self.monitor = StoreMonitor(
            database, self._look, on_fault=self._refuse, on_reopened=self._find_lost_runs
        )

    @property
    def writer(self) -> BatchWriter:
        """Thread that writes, while the store is open."""
        assert self._open is not None, "use the store within open()"
        return self._open[0]

    @property
    def server(self) -> str:
        """This server's id, while it is open."""
        assert self._open is not None, "use the store within open()"
        return self._open[1]

    @property
    def fault(self) -> StoreUnusable | None:
        """Fault of the database; None if it takes writes."""
        return self.monitor.fault

    @property
    def failures(self) -> Mapping[str, int]:
        """Numbers of faults so far, by kind."""
        return self.monitor.failures

    def require_writable(self) -> None:
        """Raise `StoreUnusable` at once if nothing can be written now."""
        if self.monitor.blocking is not None:
            raise self.monitor.blocking

    async def heartbeat(self) -> None:
        """Record that this server is alive."""
        await self.writer.run(partial(servers.heartbeat, id=self.server, peers=self._peers))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SqlRunStore]:
        """Open the store while this server runs. Unfinished runs of dead servers are marked as interrupted first."""
        writer = BatchWriter(self.database, self.monitor.note)
        self._loop = asyncio.get_running_loop()
        try:
            self._open = writer, await writer.run(partial(servers.register, peers=self._peers))
            upkeep = [
                asyncio.create_task(work())
                for work in (self._upkeep, self.monitor.watch, self._tidy_up)
            ]
            try:
                yield self
            finally:
                for task in upkeep:
                    task.cancel()
                await asyncio.wait(upkeep)
                writer.enqueue(partial(servers.deregister, id=self.server))
        finally:
            await writer.aclose()
            self.database.close()

    async def start(self, header: RunHeader) -> None:
        """Store a run from its start; its row is committed with its first events."""
        conversation, images = to_json(header.conversation)
        self._counts[header.id] = _Count()
        self.writer.add(
            "runs",
            (
                header.id,
                self.server,
                header.protocol,
                without_surrogates(header.model),
                header.caller,
                float(header.created),
                conversation,
                "running",
                0,
                0.0,
                0,
                json.dumps(header.options),
            ),
        )
        for number, image in enumerate(images):
            self.writer.add("pictures", (header.id, "asked", number, image.media_type, image.data))

    async def append_events(self, id: str, events: Sequence[Event]) -> None:
        """Add the next events of a run. They may gather for a moment before they are committed."""
        count = self._counts[id]
        for event in events:
            self.writer.add("events", (id, count.events, event.kind, self._body(id, event, count)))
            count.events += 1
        if time.monotonic() - count.asked > _LINGER:
            await self.flush(id)

    async def flush(self, id: str) -> None:
        """Return when everything added to a run is committed."""
        count = self._counts.get(id)
        if count is not None and count.committed < (given := count.events):
            if count.committed < 0:
                self.require_writable()  # nothing of it is under way that would be lost
            count.asked = time.monotonic()
            await self.writer.flush(id, begins=count.committed < 0)
            count.committed = max(given, count.committed)

    def end(self, id: str, status: RunStatus, cost: RunCost) -> None:
        """End a run. If that cannot be written now it is retried later; nothing waits for it."""
        if self._counts.pop(id, None) is not None:
            self.writer.end_run(status, min(cost.tokens, _MOST), cost.usd, cost.calls, id)

    async def get(self, id: str) -> StoredRun | None:
        """A run; None if there is none of that id."""
        await self._up_to_date()
        return await self.database.in_thread(self._reader.get, id)

    async def head(self, id: str) -> StoredRun | None:
        """A run without its conversation and its events; None if there is none of that id."""
        await self._up_to_date()
        return await self.database.in_thread(self._reader.head, id)

    async def events_json(self, id: str, after: int, limit: int) -> list[dict[str, Any]]:
        """The next events of a run as JSON, from the one after that number; an image is its number in the run, from 1."""
        await self._up_to_date()
        return await self.database.in_thread(self._reader.events_json, id, after, limit)

    async def question_image(self, id: str, number: int) -> Image | None:
        """An image of a run's question by its number, from 1."""
        await self._up_to_date()
        return await self.database.in_thread(self._reader.question_image, id, number)

    async def delete(self, id: str) -> bool:
        """Delete a run that has ended; True if there was one."""
        self.require_writable()
        deleted = await self.writer.run(partial(delete_run, id=id))
        self._deleted.set()
        return deleted

    async def latest(
        self, limit: int, before: str | None = None, caller: str | None = None
    ) -> list[StoredRun]:
        """Runs, newest first; with `before` only those that began before that run, with `caller` only those of that key.

        They come with the events that a summary needs, the beginning of an unfinished text, and the number of their images.
        """
        await self._up_to_date()
        return await self.database.in_thread(self._reader.latest, limit, before, caller)

    async def image(self, id: str, number: int) -> Image | None:
        """A drawn image of a run by its number, from 1."""
        await self._up_to_date()
        return await self.database.in_thread(self._reader.image, id, number)

    async def request_stop(self, id: str) -> bool:
        """Ask the server that runs a run to stop it; false if none does."""
        self.require_writable()
        return await self.writer.run(partial(servers.request_stop, run=id))

    async def _up_to_date(self) -> None:
        """Wait a moment until this server has written what it has; if it cannot, the rest can still be read."""
        if self.monitor.blocking is None:
            with suppress(TimeoutError, StoreUnusable):
                async with asyncio.timeout(_READ_PATIENCE):
                    await self.writer.flush()

    def _look(self) -> None:
        """Write to the database, as the monitor wants it: that this server is alive. Takes requests to stop runs along."""
        server = self.server
        self.database.require_file()
        with self.database.begin_write(monitor.PATIENCE, checked=False) as connection:
            lock_tables(connection)
            known = servers.is_registered(connection, server)
            stopped = servers.take_stops(connection, server) if known else []
        if self.database.file is not None and self.database.file.log_fault() is not None:
            raise self.database.unusable("its log (-wal) was removed", "replaced")
        with suppress(RuntimeError):  # the loop is closed
            if not known:
                self._find_lost_runs()
            for run in stopped:
                self._loop.call_soon_threadsafe(self.on_stop, run)

    def _refuse(self, error: StoreUnusable) -> None:
        if self._open is not None:
            self.writer.refuse_waiting(error)

    def _find_lost_runs(self) -> None:
        """Register again, and end the runs under way of which the database that is there now knows nothing. In a thread."""
        begun = [run for run, count in list(self._counts.items()) if count.committed >= 0]
        with self.database.begin_write(monitor.PATIENCE, checked=False) as connection:
            servers.heartbeat(connection, self.server, self._peers)
            lost = servers.missing_runs(connection, begun)
        error = self.database.unusable("it was replaced", "replaced")
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self.writer.lose, lost, error)

    async def _tidy_up(self) -> None:
        """Overwrite what the files still hold of deleted rows, as soon as no reader needs it any more."""
        while True:
            await self._deleted.wait()
            tidying = asyncio.create_task(asyncio.to_thread(self.database.give_room_back))
            try:
                with suppress(StoreUnusable):
                    if await asyncio.shield(tidying):
                        self._deleted.clear()
            finally:
                await asyncio.wait([tidying], timeout=monitor.TIMEOUT)
            await asyncio.sleep(_TIDY_INTERVAL if self._deleted.is_set() else 0)

    def _body(self, id: str, event: Event, count: _Count) -> str:
        """The event as JSON text; its image becomes a row of its own."""
        if not isinstance(event, Pictured):
            return to_json_bytes(event.to_json()).decode()
        count.images += 1
        self.writer.add("pictures", (id, "drawn", count.images, "image/png", event.image))
        return to_json_bytes(
            {**replace(event, image=b"").to_json(), "picture": count.images}
        ).decode()

    async def _upkeep(self) -> None:
        """Send heartbeats and delete old runs; a failure is retried the next time."""
        forgotten = float("-inf")
        while True:
            try:
                if time.monotonic() - forgotten > _UPKEEP:
                    while await self.writer.run(
                        partial(delete_expired, keep=self._keep, now=time.time())
                    ):
                        self._deleted.set()
                    if self._keep != RetentionPolicy():
                        self._deleted.set()
                    forgotten = time.monotonic()
                await asyncio.sleep(servers.HEARTBEAT_INTERVAL)
                await self.heartbeat()
            except StoreUnusable:
                await asyncio.sleep(servers.HEARTBEAT_INTERVAL)
            except Exception:  # whatever it is, the server must stay alive for the others
                _LOG.exception("The upkeep of the store failed; it is tried again.")
                await asyncio.sleep(servers.HEARTBEAT_INTERVAL)
