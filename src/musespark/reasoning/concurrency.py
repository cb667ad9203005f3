"""Structured concurrency: tasks side by side that all end before their block does, and cancellation told from its imitations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

_Result = TypeVar("_Result")


@asynccontextmanager
async def task_group() -> AsyncGenerator[asyncio.TaskGroup]:
    """Tasks that have all ended when the block is left; where one raises, the others are cancelled, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except ExceptionGroup as raised:
        raise raised.exceptions[0] from None


async def gather(*work: Coroutine[Any, Any, _Result]) -> list[_Result]:
    async with task_group() as tasks:
        found = [tasks.create_task(each) for each in work]
    return [task.result() for task in found]


def is_being_cancelled() -> bool:
    """Whether somebody has cancelled the task that asks: a `CancelledError` without that is a fault of whoever raised it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def wait_cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Wait until these have ended, also where the one who waits is cancelled meanwhile; that passes on after."""
    cancelled: asyncio.CancelledError | None = None
    left = {task for task in tasks if not task.done()}
    while left:
        try:
            _, left = await asyncio.wait(left)
        except asyncio.CancelledError as error:
            cancelled = error
            left = {task for task in left if not task.done()}
    if cancelled is not None:
        raise cancelled
