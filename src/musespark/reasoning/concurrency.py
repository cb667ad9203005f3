"""Structured concurrency: tasks that all end before their block does, and waiting that survives a cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

_Result = TypeVar("_Result")


@asynccontextmanager
async def task_group() -> AsyncGenerator[asyncio.TaskGroup]:
    """Tasks that have all ended when the block is left. If one raises, the others are cancelled."""
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
    """True if the current task has been cancelled from outside. A `CancelledError` without that is a bug of the code that raised
    it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def wait_cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Wait until these tasks have ended, even if the waiting task is cancelled meanwhile; its cancellation is raised afterwards."""
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
