"""One question from the command's start to its exit code: the stream is followed, shown, and stopped by Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from types import FrameType
from typing import cast

from musespark.api import Options, stream
from musespark.budget import Budget, Limits
from musespark.cli.commands.run_files import RunFiles
from musespark.cli.view import wording
from musespark.cli.view.board import Board
from musespark.cli.view.run_views import BETWEEN_FRAMES, RescueView, RunView
from musespark.errors import MuseError, StoreUnusable
from musespark.events import MAIN, Event, Noted, RunStarted

OK, NO_ANSWER, ABSTAINED, REFUTED, UNSAVED, BY_SIGNAL = 0, 1, 3, 4, 5, 128
_STOPPING = (signal.SIGINT, signal.SIGTERM)
_RECORD = ("kind", "task_kind")
"""Options for which the store of votes is read."""
_TURN = 0.02
"""Seconds after which other tasks, and a Ctrl-C, get their turn even while events come without a pause."""


def answer(question: str, options: Options, show: RunView, files: RunFiles | None = None) -> int:
    """Ask and show; returns the exit code. Raises `MuseError` if the question or the model fails."""
    run = RunFollower(show, files or RunFiles(), _limits(options))
    with run.stop_on_signals():
        try:
            with suppress(asyncio.CancelledError):
                asyncio.run(run.follow(question, options))
        except MuseError:
            run.show_failure()
            raise
        return run.finish()


def _limits(options: Options) -> Limits:
    """Limits of the run, as given on the command line."""
    budget = options.get("budget")
    limits = budget.limits if isinstance(budget, Budget) else budget or Limits()
    most = options.get("max_tokens")
    return limits if most is None or limits.tokens is not None else replace(limits, tokens=most)


class RunFollower:
    """Follows a run: shows its events, keeps what was asked for, and stops it on signals."""

    def __init__(self, show: RunView, files: RunFiles, limits: Limits) -> None:
        self._show, self._files = show, files
        self._board = Board(limits=limits)
        self._heard = time.monotonic()
        self._signal = 0
        self._cancel: Callable[[], object] = lambda: None

    async def follow(self, question: str, options: Options) -> None:
        """Show the events of the run until it ends or a signal stops it."""
        if self._signal:
            return
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        pulse = asyncio.create_task(self._pulse())
        turn = time.monotonic()
        try:
            async with aclosing(self._events(question, options)) as events:
                async for event in events:
                    if isinstance(event, RunStarted):  # the request is valid, and has cost nothing
                        self._files.open()
                    self._board, self._heard = self._board.after(event), time.monotonic()
                    self._happened(event)
                    if self._signal:
                        break
                    if time.monotonic() - turn > _TURN:
                        await asyncio.sleep(0)
                        turn = time.monotonic()
        finally:
            self._cancel = lambda: None
            pulse.cancel()
            self._files.close()

    async def _events(self, question: str, options: Options) -> AsyncGenerator[Event, None]:
        """The run; without the record of such questions if it cannot be read, for an answer does not need it."""
        try:
            async with aclosing(stream(question, **options)) as events:
                async for event in events:
                    yield event
            return
        except StoreUnusable as error:
            if self._board.lanes:
                raise
            self._files.failures.append(str(error))
        rest = {name: value for name, value in options.items() if name not in _RECORD}
        async with aclosing(stream(question, **cast(Options, rest))) as events:
            async for event in events:
                yield event

    def _happened(self, event: Event) -> None:
        """Keep and show an event. A full disk behind the output ends a run that has only begun, and no other."""
        image = self._files.keep(event)
        try:
            self._show.happened(self._board, event, image)
        except BrokenPipeError:
            raise
        except OSError as error:
            if isinstance(event, RunStarted):
                raise
            self._rescue(error)
        self._note_failure(event)

    def _rescue(self, error: OSError) -> None:
        """Show the rest on standard error."""
        self._show = RescueView()
        self._files.failures.append(f"The output cannot be written: {error.strerror or error}.")

    def _note_failure(self, event: Event) -> None:
        """Keep a note that comes after the answer: something about the run could not be stored."""
        if isinstance(event, Noted) and event.agent == MAIN and self._board.decided:
            self._files.failures.append(wording.one_line(event.text).rstrip(".") + ".")

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(BETWEEN_FRAMES)
            with suppress(
                OSError
            ):  # who shows the next event meets the same error, and ends the run with it
                self._show.pulse()

    @contextmanager
    def stop_on_signals(self) -> Iterator[None]:
        """Ctrl-C (or SIGTERM) once: the run stops, and the best answer so far is shown. Twice: the process ends at once."""
        before = {
            number: handler
            for number in _STOPPING
            if (handler := signal.getsignal(number)) is not signal.SIG_IGN
        }

        def stop(number: int, frame: FrameType | None) -> None:
            self._signal = number
            for each in before:
                signal.signal(each, end)
            self._cancel()

        def end(number: int, frame: FrameType | None) -> None:
            self._show.dropped()
            os._exit(BY_SIGNAL + number)

        for number in before:
            signal.signal(number, stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def finish(self) -> int:
        """Show the end and return the exit code."""
        if not self._board.over:
            self._board = self._board.broken_off(self._now(), "the run was stopped")
        board = self._board
        self._files.write_answer(board.answer)
        try:
            self._show.ended(board, self._files.paths)
        except BrokenPipeError:
            raise
        except OSError as error:
            self._rescue(error)
            self._show.ended(board, self._files.paths)
        if not board.answer.strip():
            print(wording.empty(board), file=sys.stderr)
        for failure in self._files.failures:
            print(failure, file=sys.stderr)
        if self._signal:
            return BY_SIGNAL + self._signal
        if not board.answer.strip():
            return NO_ANSWER
        code = {"abstained": ABSTAINED, "refuted": REFUTED}.get(board.status, OK)
        return UNSAVED if code == OK and self._files.failures else code

    def show_failure(self) -> None:
        """Show the state before an error."""
        board = (
            self._board
            if self._board.failed
            else self._board.broken_off(self._now(), "the run failed")
        )
        self._show.ended(replace(board, failed=True), self._files.paths)

    def _now(self) -> float:
        """Seconds since the run started, on the clock of its events."""
        return self._board.at + time.monotonic() - self._heard
