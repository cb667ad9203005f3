"""A clock that jumps: code that waits for hours runs in milliseconds, with every wait as long as it asked for.

    seconds = run(contemplates())            like asyncio.run, but nothing really waits

For measuring rules that go by time. What happens in threads, other processes or sockets takes real time, and is not waited for.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar
from unittest.mock import patch

_Result = TypeVar("_Result")


class _JumpingSelector(selectors.SelectSelector):
    """A selector that lets the clock jump instead of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout is not None:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock moves only when there is nothing to do, and then to the next timer at once."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds since the loop began."""
        return self._jumping.now


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """The result of a coroutine, in virtual time; `time.monotonic` is the loop's clock meanwhile."""
    loop = VirtualTimeLoop()
    with patch("time.monotonic", loop.time), asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(work)
