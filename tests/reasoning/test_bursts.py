"""Events in bursts: everything, in order, as soon as may be, and gone when the reader is."""

import asyncio
from contextlib import aclosing

import pytest

from musespark.budget import Budget
from musespark.content import Request
from musespark.errors import ModelFailed
from musespark.events import RunFailed, Thought
from musespark.reasoning.run import AHEAD, Run


def new_run():
    return Run(Request.of("q"), Budget(), "m")


async def thinks(run, count, pause=None, fails=False, log=None):
    try:
        for number in range(count):
            if pause is not None:
                await asyncio.sleep(pause if number % 3 == 0 else 0)
            run.emit(Thought("main", str(number)))
            await run.pace()
        if fails:
            raise ZeroDivisionError
    finally:
        if log is not None:
            log.append("closed")


@pytest.mark.parametrize("count", [0, 1, 5, AHEAD, 3 * AHEAD])
@pytest.mark.parametrize("pause", [None, 0.0])
@pytest.mark.parametrize("lag", [None, 0.001])
async def test_everything_comes_in_order_and_no_burst_is_empty(count, pause, lag):
    run = new_run()
    found = []
    async for burst in run.bursts(thinks(run, count, pause)):
        assert 0 < len(burst) <= AHEAD + 4
        found += burst
        if lag is not None:
            await asyncio.sleep(lag)
    assert [event.seq for event in found] == list(range(len(found)))
    assert [event.text for event in found if isinstance(event, Thought)] == list(map(str, range(count)))


async def test_what_comes_while_the_reader_is_busy_comes_at_once():
    run = new_run()
    sizes = []
    async for burst in run.bursts(thinks(run, 20, 0.0)):
        sizes.append(len(burst))
        await asyncio.sleep(0.05)
    assert len(sizes) <= 3


async def test_an_error_comes_after_all_that_came_before_it():
    run = new_run()
    found = []
    with pytest.raises(ModelFailed):
        async for burst in run.bursts(thinks(run, 5, fails=True)):
            found += burst
    assert sum(isinstance(event, Thought) for event in found) == 5 and isinstance(found[-1], RunFailed)


async def test_a_reader_that_leaves_or_is_cancelled_ends_the_work():
    log, run = [], new_run()
    async with aclosing(run.bursts(thinks(run, 10**6, 0.0, log=log))) as found:
        async for _ in found:
            break
    assert log == [] or log == ["closed"]  # the work may not have begun
    log.clear()

    async def read():
        run = new_run()
        async for _ in run.bursts(thinks(run, 10**6, 10.0, log=log)):
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() and log == ["closed"] and len(asyncio.all_tasks()) == 1


async def test_a_slow_reader_holds_the_work_back():
    run = new_run()
    async with aclosing(run.bursts(thinks(run, 10 * AHEAD))) as found:
        first = await anext(found)
        await asyncio.sleep(0.01)
        assert len(first) + len(run._waiting) <= 2 * AHEAD + 4
