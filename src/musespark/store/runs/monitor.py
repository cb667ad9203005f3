"""The watch over a server's database: it is written to every moment, so that a fault shows before a request meets it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from musespark.errors import StoreUnusable
from musespark.store.database.database import Database
from musespark.store.database.faults import is_passing

INTERVAL = 0.4
"""Seconds between two looks."""
PATIENCE = 0.9
"""Seconds that a look waits for a lock."""
TIMEOUT = 1.3
"""Seconds after which a look that has not ended is a fault of its own: the disk or the network does not answer."""
HOLD = 5.0
"""Seconds for which a write that failed counts if none succeeds: a look writes little, and finds room where a run does not."""
_LOG = logging.getLogger(__name__)


class StoreMonitor:
    """Looks at a database, and remembers what is wrong with it."""

    def __init__(
        self,
        database: Database,
        look: Callable[[], None],
        *,
        on_fault: Callable[[StoreUnusable], None],
        on_reopened: Callable[[], None],
    ) -> None:
        """look: writes to the database, in a thread. on_fault: called when a fault begins. on_reopened: called in
        a thread when a database was opened in place of the one before, and nothing is written to it yet."""
        self._database, self._look = database, look
        self._on_fault, self._on_reopened = on_fault, on_reopened
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="musespark-store-monitor")
        self._looking: asyncio.Future[None] | None = None
        self._failed_at = self._succeeded_at = float("-inf")
        self.blocking: StoreUnusable | None = None
        """Fault for which the database cannot be written to at all."""
        self.noted: StoreUnusable | None = None
        """Error of the last write that failed."""
        self.failures: Counter[str] = Counter()
        """Numbers of faults that began and of writes that failed, by kind."""

    @property
    def fault(self) -> StoreUnusable | None:
        """Fault of the database; None if it takes writes."""
        return self.blocking or self.noted

    def note(self, error: Exception | None) -> None:
        """Take note of a write: of its error, or that it succeeded."""
        if error is None:
            self._succeeded_at = time.monotonic()
            if self.noted is not None and self.blocking is None:
                _LOG.warning("The store %s takes writes again.", self._database.name)
            self.noted = None
        elif is_passing(error):
            assert isinstance(error, StoreUnusable)
            self.failures[error.fault] += 1
            self._failed_at = time.monotonic()
            if self.fault is None or self.fault.fault != error.fault:
                _LOG.error("%s", error)
            self.noted = error

    async def watch(self) -> None:
        """Look at the database until this is cancelled."""
        try:
            while True:
                self._set(await self._look_once())
                await asyncio.sleep(INTERVAL)
        finally:
            if (
                self._looking is not None
            ):  # or the database would not be closed when the server ends
                await asyncio.wait([self._looking], timeout=TIMEOUT)
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _look_once(self) -> StoreUnusable | None:
        loop = asyncio.get_running_loop()
        began = time.monotonic()
        if self._looking is None:
            self._looking = loop.run_in_executor(self._threads, self._look)
        done, _ = await asyncio.wait([self._looking], timeout=TIMEOUT)
        if not done:
            if self._succeeded_at > began:
                return self.blocking  # it is slow, and works: others were served meanwhile
            return self._database.unusable(f"it did not answer within {TIMEOUT:g} s", "unreachable")
        looked, self._looking = self._looking, None
        error = _error_of(looked, self._database)
        if error is not None and error.fault == "locked" and self._database.is_sqlite:
            error = (
                None if self._succeeded_at > began else error
            )  # there is one lock, and it is busy
        if error is not None and (error.fault == "replaced" or self.blocking is not None):
            error = await self._reopen(error)
        return error

    async def _reopen(self, error: StoreUnusable) -> StoreUnusable | None:
        """Open the database that is there now. Returns the error that remains."""
        if error.fault not in ("replaced", "damaged"):
            return error
        loop = asyncio.get_running_loop()
        self._database.down = error  # nothing is written before it is known which runs are there
        self._looking = loop.run_in_executor(self._threads, self._open_other)
        done, _ = await asyncio.wait([self._looking], timeout=TIMEOUT)
        if not done:
            return error
        looked, self._looking = self._looking, None
        failed = _error_of(looked, self._database)
        if failed is None:
            self.failures[error.fault] += 1
            _LOG.warning("The store %s was replaced; the new one is open.", self._database.name)
        return failed

    def _open_other(self) -> None:
        self._database.reopen()
        self._on_reopened()

    def _set(self, error: StoreUnusable | None) -> None:
        before, self.blocking = self.blocking, error
        is_silent = error is not None and error.fault == "unreachable"
        self._database.down = error if is_silent else None
        if error is not None:
            if before is None or before.fault != error.fault:
                self.failures[error.fault] += 1
                if self.noted is None or self.noted.fault != error.fault:
                    _LOG.error("%s", error)
                self._on_fault(error)
        else:
            if before is not None:
                _LOG.warning("The store %s can be used again.", self._database.name)
            if before is not None or time.monotonic() - self._failed_at > HOLD:
                self.noted = None


def _error_of(done: asyncio.Future[Any], database: Database) -> StoreUnusable | None:
    with suppress(asyncio.CancelledError):
        error = done.exception()
        if error is None or isinstance(error, StoreUnusable):
            return error
        return database.unusable(f"{type(error).__name__}: {error}")
    return database.unusable("it is being closed")
