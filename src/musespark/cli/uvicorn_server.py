"""The one file of the command line that touches uvicorn's internals: a server that says where it listens, and stops quietly.

Relied on: `Server.startup`, `Server.shutdown`, `Server.capture_signals`, `Server.should_exit`, `Server.force_exit` and
`Server.server_state.tasks`.
`tests/cli/test_uvicorn_server.py` fails if a version of uvicorn lacks one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from types import FrameType
from typing import Any

import uvicorn

from musespark.errors import MuseError


class AnnouncedServer(uvicorn.Server):
    """Announces itself once it listens, and ends without raising the signals again that ended it."""

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        reload: Callable[[], None] = lambda: None,
    ) -> None:
        """announce: called once the server listens. reload: called on the event loop when a SIGHUP comes."""
        super().__init__(config)
        self._announce, self._reload = announce, reload
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_hurried = False
        """True once it was told a second time to stop: nothing is waited for any more."""
        self._failures = record_startup_failures(config.app)
        logging.getLogger("uvicorn.error").addFilter(self._is_worth_logging)

    def _is_worth_logging(self, record: logging.LogRecord) -> bool:
        """False for answers that are cancelled when the time is up, and for failures that are raised as errors."""
        cancelled = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
        return not (self._failures or cancelled)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell the application since when it stops, and stop."""
        self.config.app.state.told_to_stop = time.monotonic()  # type: ignore[union-attr]
        hurrying = asyncio.create_task(self._cancel_once_hurried())
        try:
            await super().shutdown(sockets=sockets)
        finally:
            hurrying.cancel()

    async def _cancel_once_hurried(self) -> None:
        while True:
            if self._is_hurried:
                self.config.app.state.told_to_stop = -math.inf  # type: ignore[union-attr]
                for task in self.server_state.tasks:
                    task.cancel()
            await asyncio.sleep(0.1)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and announce it. Raises the `MuseError` that keeps the application from starting."""
        try:
            await super().startup(sockets=sockets)
        except SystemExit:
            if not self._failures:
                raise  # the log says why
            raise self._failures.pop() from None
        self._loop = asyncio.get_running_loop()
        self._announce()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on Ctrl-C and SIGTERM, which uvicorn would raise again at its end; read the configuration again on SIGHUP.

        A second signal to stop ends the wait for answers under way, a third everything.
        """

        def stop(number: int, frame: FrameType | None) -> None:
            self.force_exit = self._is_hurried
            self._is_hurried = self.should_exit
            self.should_exit = True

        def reload(number: int, frame: FrameType | None) -> None:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._reload)

        before: dict[int, Any] = {
            number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
        if hasattr(signal, "SIGHUP"):
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, reload)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def record_startup_failures(app: Any) -> list[MuseError]:
    """A list to which an application adds the error that keeps it from starting."""
    found: list[MuseError] = []
    inner = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[Any]:
        async with contextlib.AsyncExitStack() as stack:
            try:
                state = await stack.enter_async_context(inner(app))
            except MuseError as error:
                found.append(error)
                raise
            yield state

    app.router.lifespan_context = lifespan
    return found
