"""Bursts: everything, in order, as soon as may be, and gone when the reader is."""

import asyncio
from contextlib import aclosing

import pytest

from musespark.server.bursts import AHEAD, bursts


async def numbers(count, pause=None, fails=False, log=None):
    try:
        for number in range(count):
            if pause:
                await asyncio.sleep(pause if number % 3 == 0 else 0)
            yield number
        if fails:
            raise ZeroDivisionError
    finally:
        if log is not None:
            log.append("closed")


@pytest.mark.parametrize("count", [0, 1, 5, AHEAD, AHEAD + 1, 3 * AHEAD])
@pytest.mark.parametrize("pause", [None, 0.0])
@pytest.mark.parametrize("lag", [None, 0.001])
async def test_everything_comes_in_order_and_no_burst_is_empty(count, pause, lag):
    found = []
    async for burst in bursts(numbers(count, pause)):
        assert 0 < len(burst) <= AHEAD
        found += burst
        if lag is not None:
            await asyncio.sleep(lag)
    assert found == list(range(count))


async def test_what_comes_while_the_reader_is_busy_comes_at_once():
    sizes = []
    async for burst in bursts(numbers(20, 0.0)):
        sizes.append(len(burst))
        await asyncio.sleep(0.05)
    assert len(sizes) <= 3


async def test_an_error_comes_after_all_that_came_before_it():
    found = []
    with pytest.raises(ZeroDivisionError):
        async for burst in bursts(numbers(5, fails=True)):
            found += burst
    assert found == list(range(5))


async def test_a_reader_that_leaves_or_is_cancelled_closes_the_source():
    log = []
    async with aclosing(bursts(numbers(10**6, 0.0, log=log))) as found:
        async for _ in found:
            break
    assert log == ["closed"]

    async def read():
        async for _ in bursts(numbers(10**6, 10.0, log=log)):
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() and log == ["closed", "closed"] and len(asyncio.all_tasks()) == 1


async def test_a_slow_reader_holds_the_source_back():
    made = []

    async def source():
        for number in range(10 * AHEAD):
            made.append(number)
            yield number

    async with aclosing(bursts(source())) as found:
        await anext(found)
        await asyncio.sleep(0.01)
        assert len(made) <= 2 * AHEAD + 1
