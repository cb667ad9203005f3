"""An event loop with a virtual clock: waits take no real time, and every wait has its exact length.

seconds = run(contemplates())            like asyncio.run, without real waiting

For measuring rules that depend on time. Threads, other processes and sockets take real time, which is not waited for.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar
from unittest.mock import patch

_Result = TypeVar("_Result")


class _JumpingSelector(selectors.SelectSelector):
    """A selector that advances the clock instead of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout is not None:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock moves only if there is nothing to do, and then directly to the next timer."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual seconds since the loop began."""
        return self._jumping.now


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine in virtual time and return its result; `time.monotonic` is the loop's clock meanwhile."""
    loop = VirtualTimeLoop()
    with patch("time.monotonic", loop.time), asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(work)
