"""math-verify behind a wall: in a process of its own, which is ended when it takes too long or too much memory.

math-verify's own limits are signals, which work on a program's first thread alone, and SymPy's memory has no limit at all.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from threading import Timer

from musespark.errors import NotInstalled

SECONDS = 3.0
"""The longest that one comparison may take; one that takes longer found nothing the same."""
STARTING = 30.0
"""The longest that the process may take to be ready: it imports SymPy."""


class Prover:
    """Compares expressions, one pair at a time, in a process that is started at the first one and again where it was ended."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Raises `NotInstalled`."""
        if find_spec("math_verify") is None:
            raise NotInstalled("Comparing mathematics", "math-verify", "math")
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        # One thread: pairs wait for each other here and not in the process, so that each has its own time.
        self._thread = ThreadPoolExecutor(1, "prover")

    async def same(self, left: str, right: str) -> bool:
        """Whether the two expressions are equal, either way round."""
        return await asyncio.wrap_future(self._thread.submit(self._same, left, right))

    def close(self) -> None:
        """End the process; a later comparison starts another."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def _same(self, left: str, right: str) -> bool:
        for _ in range(2):
            process = self._running()
            answer = self._exchange(process, json.dumps([left, right]), self._seconds)
            if answer is not None:
                return answer == "true"
            timed_out = process.returncode is not None and process.returncode < 0
            self.close()
            if timed_out:
                return False
        return False

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "musespark.reasoning.equivalence.proving"], text=True, encoding="utf-8",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            weakref.finalize(self, _end, self._process)
            self._exchange(self._process, "[]", STARTING)
        return self._process

    def _exchange(self, process: subprocess.Popen[str], line: str, seconds: float) -> str | None:
        """Send a line and read one; None where the process ended, or was ended because it took too long."""
        assert process.stdin is not None and process.stdout is not None
        alarm = Timer(seconds, process.kill)
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


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                continue  # a line that the process did not live to read


@cache
def shared_prover() -> Prover:
    """The one process of this program that all comparisons go to: each would cost a second and 100 MB."""
    return Prover()
