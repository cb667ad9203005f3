"""The one file of the command line that touches uvicorn's internals: a server that says where it listens, and stops quietly.

Relied on: `Server.startup`, `Server.shutdown`, `Server.handle_exit`, `Server.capture_signals` and `Server._captured_signals`.
`tests/cli/test_uvicorn_server.py` fails if a version of uvicorn lacks one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
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

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        """announce: called once the server listens."""
        super().__init__(config)
        self._announce = announce
        self._failures = record_startup_failures(config.app)
        logging.getLogger("uvicorn.error").addFilter(self._is_worth_logging)

    def _is_worth_logging(self, record: logging.LogRecord) -> bool:
        """False for answers that are cancelled when the time is up, and for failures that are raised as errors."""
        cancelled = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
        return not (self._failures or cancelled)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell the application since when it stops, and stop."""
        self.config.app.state.told_to_stop = time.monotonic()  # type: ignore[union-attr]
        await super().shutdown(sockets=sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and announce it. Raises the `MuseError` that keeps the application from starting."""
        try:
            await super().startup(sockets=sockets)
        except SystemExit:
            if not self._failures:
                raise  # the log says why
            raise self._failures.pop() from None
        self._announce()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on Ctrl-C and SIGTERM, which uvicorn would raise again at its end."""

        def stop(number: int, frame: FrameType | None) -> None:
            self.handle_exit(number, frame)
            self._captured_signals.clear()

        before: dict[int, Any] = {
            number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
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
