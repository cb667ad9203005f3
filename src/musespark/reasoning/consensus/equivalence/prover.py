"""SymPy behind a wall: in processes of its own, which are ended when they take too long or too much memory.

Several of them, so that no comparison waits for a slow one of another run; SymPy has no limits of its own that work here.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cache
from importlib.util import find_spec
from queue import SimpleQueue
from threading import Timer
from typing import Any

from musespark.errors import NotInstalled
from musespark.reasoning.consensus.equivalence import prover_process
from musespark.reasoning.consensus.equivalence.reading.trees import Tree

SECONDS = 3.0
"""Processor time that one proof may take; one that takes longer has proved nothing."""
WALL = 2
"""A proof may take so many times as long by the clock, for on a busy machine its process waits for its turn."""
STARTING = 30.0
"""The longest that a process may take to be ready: it imports SymPy."""
PROCESSES = 3
"""The most that run at a time; each takes some 60 MB, and starts when the others are busy."""


class Prover:
    """Proves that formulas are equal, in processes that are started when they are needed and again where they were ended."""

    def __init__(self, seconds: float = SECONDS, processes: int = PROCESSES) -> None:
        """Raises `NotInstalled`."""
        if find_spec("sympy") is None:
            raise NotInstalled("Comparing mathematics", "math-verify", "math")
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(processes, "prover")
        # The process that was used last is taken first, so that a second one starts only where the first is busy.
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        self._all: list[_Process] = []

    async def prove(self, left: Tree, right: Tree, asked: str = "equal") -> bool | None:
        """True if the formulas are equal ("equal"), or one a constant ("ratio") or positive constant ("positive") times the other.

        None if it was neither shown nor refuted in time.
        """
        line = json.dumps([_plain(left), _plain(right), asked, self._seconds])
        return await asyncio.wrap_future(self._threads.submit(self._proved, line))

    async def start(self) -> None:
        """Have a process ready, so that no proof waits for the import of SymPy."""
        if not self._all:
            await asyncio.wrap_future(self._threads.submit(self._proved, "[]"))

    @property
    def running(self) -> int:
        """Processes that have been started and not been closed."""
        return len(self._all)

    def close(self) -> None:
        """End all processes; a later proof starts others."""
        while self._all:
            self._all.pop().close()
        self._idle = SimpleQueue()

    def _proved(self, line: str) -> bool | None:
        process = self._idle.get_nowait() if not self._idle.empty() else self._another()
        try:
            return process.ask(line, self._seconds)
        finally:
            self._idle.put(process)

    def _another(self) -> _Process:
        process = _Process()
        self._all.append(process)
        weakref.finalize(self, process.close)
        return process


class _Process:
    """One process that answers a line with a line."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def ask(self, line: str, seconds: float) -> bool | None:
        """Answer of the process; None if it has ended, or was ended because it took too long."""
        for _ in range(2):
            process, fresh = self._running()
            answer = self._exchange(process, line, seconds)
            if answer is not None:
                found: bool | None = json.loads(answer)
                return found
            self.close()
            if fresh or (process.returncode is not None and process.returncode < 0):
                return None
        return None

    def close(self) -> None:
        """End it; a later question starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # a line that the process did not live to read

    def _running(self) -> tuple[subprocess.Popen[str], bool]:
        """The process, and whether it has just been started."""
        if self._process is not None and self._process.poll() is None:
            return self._process, False
        self.close()
        self._process = subprocess.Popen(
            [sys.executable, "-P", prover_process.__file__],
            text=True,
            encoding="utf-8",  # as a file: it needs nothing else of the package
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._exchange(self._process, "[]", STARTING)
        return self._process, True

    def _exchange(self, process: subprocess.Popen[str], line: str, seconds: float) -> str | None:
        """Send a line and read one; None if the process ended, or was ended because it took too long."""
        assert process.stdin is not None and process.stdout is not None
        alarm = Timer(WALL * seconds, process.kill)
        alarm.start()
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answer = process.stdout.readline().strip()
        except (OSError, ValueError):
            answer = ""
        finally:
            alarm.cancel()
        if not answer:
            process.wait()
        return answer or None


def _plain(tree: Any) -> Any:
    """A tree as JSON has it."""
    if isinstance(tree, Fraction):
        return str(tree)
    return [_plain(item) for item in tree] if isinstance(tree, tuple) else tree


@cache
def shared_prover() -> Prover:
    """The processes of this program that all comparisons go to: each would cost a second and memory."""
    return Prover()
