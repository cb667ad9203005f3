"""What comes one by one, handed on in bursts: all that has come since the last, so that what costs the same for one as for many
(a transaction) is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

_Item = TypeVar("_Item")

AHEAD = 256
"""Items that may wait for whoever reads; then the source waits too."""


async def bursts(source: AsyncGenerator[_Item, None]) -> AsyncGenerator[list[_Item], None]:
    """The items in their order, none of the lists empty; what the source raises comes after all that it gave.

    The source is read and closed in a task of its own, which is gone when this generator is closed.
    """
    waiting: list[_Item] = []
    news, room = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        try:
            async with aclosing(source):
                async for item in source:
                    waiting.append(item)
                    news.set()
                    if len(waiting) >= AHEAD:
                        room.clear()
                        await room.wait()
        finally:
            news.set()

    reading = asyncio.create_task(read())
    try:
        while True:
            await news.wait()
            news.clear()
            if waiting:
                burst = waiting.copy()
                waiting.clear()
                room.set()
                yield burst
            if reading.done() and not waiting:
                reading.result()
                return
            if waiting or reading.done():
                news.set()
    finally:
        reading.cancel()
        while not reading.done():
            await asyncio.wait([reading])
