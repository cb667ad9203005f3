"""One exchange, from its question to its end: its events are shown, and Ctrl-C stops it, but not the program."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager, nullcontext, suppress
from types import FrameType

from musespark.budget import Limits
from musespark.cli.view.board import Board
from musespark.cli.view.chat_views import ChatView
from musespark.cli.view.run_views import BETWEEN_FRAMES
from musespark.events import Event

_TURN = 0.02
"""Seconds after which other tasks, and a Ctrl-C, get their turn even while events come without a pause."""


class ExchangeFollower:
    """Follows the events of one exchange."""

    def __init__(self, view: ChatView, limits: Limits) -> None:
        self._view = view
        self.board = Board(limits=limits)
        self._heard = time.monotonic()

    def run(self, events: AsyncGenerator[Event, None], stoppable: bool) -> Board:
        """Show the exchange; returns its last state. Raises what the events raise.

        stoppable: Ctrl-C stops the exchange alone, and a second one what does not stop; otherwise it is raised as usual.
        """
        try:
            asyncio.run(self._follow(events, stoppable))
        except asyncio.CancelledError:
            pass
        except BaseException:
            self._view.broken()
            raise
        if not self.board.over:
            self.board = self.board.broken_off(
                self.board.at + time.monotonic() - self._heard, "the run was stopped"
            )
        self._view.ended(self.board)
        return self.board

    async def _follow(self, events: AsyncGenerator[Event, None], stoppable: bool) -> None:
        task = asyncio.current_task()
        assert task is not None
        pulse = asyncio.create_task(self._pulse())
        turn = time.monotonic()
        try:
            with _stopping(task) if stoppable else nullcontext():
                async with aclosing(events):
                    async for event in events:
                        self.board, self._heard = self.board.after(event), time.monotonic()
                        self._view.happened(self.board, event)
                        if time.monotonic() - turn > _TURN:
                            await asyncio.sleep(0)
                            turn = time.monotonic()
        finally:
            pulse.cancel()

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(BETWEEN_FRAMES)
            with suppress(OSError):  # the next event meets the same error, and ends the exchange
                self._view.pulse()


@contextmanager
def _stopping(task: asyncio.Task[None]) -> Iterator[None]:
    """Cancel the task on Ctrl-C; a second one is raised where the program is, for the task may not stop."""
    loop = task.get_loop()

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        loop.call_soon_threadsafe(task.cancel)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
