"""Events in bursts: everything, in order, as soon as may be, and gone when the reader is."""

import asyncio
from contextlib import aclosing
from itertools import groupby, pairwise

import pytest
from hypothesis import given, strategies as st

from musespark.budget import Budget
from musespark.content import Request
from musespark.errors import ModelFailed
from musespark.events import AnswerDelta, AnswerDropped, Noted, RunFailed, Thought
from musespark.reasoning.context import AHEAD, JOINED, RunContext


def new_run():
    return RunContext(Request.of("q"), Budget(), "m")


async def thinks(run, count, pause=None, fails=False, log=None, agents=7):
    """Thoughts of several agents in turn, so that no two follow each other that could be one."""
    try:
        for number in range(count):
            if pause is not None:
                await asyncio.sleep(pause if number % 3 == 0 else 0)
            run.emit(Thought(f"a{number % agents}", str(number)))
            await run.backpressure()
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
    async for burst in run.batches(thinks(run, count, pause)):
        assert 0 < len(burst) <= AHEAD + 4
        found += burst
        if lag is not None:
            await asyncio.sleep(lag)
    assert [event.seq for event in found] == list(range(len(found)))
    assert [event.text for event in found if isinstance(event, Thought)] == list(
        map(str, range(count))
    )


async def test_what_comes_while_the_reader_is_busy_comes_at_once():
    run = new_run()
    sizes = []
    async for burst in run.batches(thinks(run, 20, 0.0)):
        sizes.append(len(burst))
        await asyncio.sleep(0.05)
    assert len(sizes) <= 3


PIECES = st.lists(
    st.one_of(
        st.builds(AnswerDelta, st.text(max_size=9)),
        st.builds(Thought, st.sampled_from(["a", "b"]), st.text(max_size=9)),
        st.builds(AnswerDropped, st.just("void")),
        st.builds(Thought, st.just("a"), st.just("x" * JOINED)),
        st.none(),
    ),
    max_size=40,
)  # None: the reader has time to read


@given(PIECES)
def test_pieces_of_one_text_that_nobody_has_read_become_one(pieces):
    async def said():
        for piece in pieces:
            if piece is None:
                await asyncio.sleep(0)
            else:
                run.emit(piece)

    async def read():
        return [event async for burst in run.batches(said()) for event in burst]

    def alike(events):
        """Each text that nothing interrupts, whole."""
        runs = groupby(
            (event for event in events if event),
            lambda event: (type(event), getattr(event, "agent", None)),
        )
        return [
            (kind, "".join(getattr(event, "text", "|") for event in those)) for kind, those in runs
        ]

    run = new_run()
    events = asyncio.run(read())
    assert [event.seq for event in events] == list(range(len(events)))
    assert [event.at for event in events] == sorted(event.at for event in events)
    told = [event for event in events if isinstance(event, AnswerDelta | Thought | AnswerDropped)]
    assert alike(told) == alike(pieces)
    if None not in pieces:
        for one, other in pairwise(told):  # what could be one event is, unless it is long already
            assert (
                isinstance(one, AnswerDropped)
                or len(alike([one, other])) == 2
                or len(one.text) >= JOINED
            )
    dropped = max((event.seq for event in told if isinstance(event, AnswerDropped)), default=-1)
    assert run.answer == "".join(
        event.text for event in told if isinstance(event, AnswerDelta) and event.seq > dropped
    )


async def test_an_error_comes_after_all_that_came_before_it():
    run = new_run()
    found = []
    with pytest.raises(ModelFailed):
        async for burst in run.batches(thinks(run, 5, fails=True)):
            found += burst
    assert sum(isinstance(event, Thought) for event in found) == 5 and isinstance(
        found[-1], RunFailed
    )


async def test_a_reader_that_leaves_or_is_cancelled_ends_the_work():
    log, run = [], new_run()
    async with aclosing(run.batches(thinks(run, 10**6, 0.0, log=log))) as found:
        async for _ in found:
            break
    assert log == [] or log == ["closed"]  # the work may not have begun
    log.clear()

    async def read():
        run = new_run()
        async for _ in run.batches(thinks(run, 10**6, 10.0, log=log)):
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() and log == ["closed"] and len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("agents", [1, 7])
async def test_a_slow_reader_holds_the_work_back(agents):
    run, read = new_run(), 0
    async with aclosing(run.batches(thinks(run, 10 * AHEAD, agents=agents))) as found:
        for taken in range(1, 4):
            read += sum(
                len(event.text) for event in await anext(found) if isinstance(event, Thought)
            )
            await asyncio.sleep(0.01)
            waiting = sum(len(event.text) for event in run._waiting if isinstance(event, Thought))
            assert read + waiting <= (taken + 1) * (AHEAD + 4) * len(str(10 * AHEAD))


async def test_long_pieces_hold_the_work_back_sooner():
    long = "x" * 16 * JOINED

    async def said():
        for _ in range(AHEAD):
            run.emit(Thought("a", long))
            await run.backpressure()

    run = new_run()
    async with aclosing(run.batches(said())) as found:
        for _ in range(3):
            assert sum(
                len(event.text) for event in await anext(found) if isinstance(event, Thought)
            ) <= AHEAD * JOINED + len(long)
            await asyncio.sleep(0.01)


async def test_what_follows_a_text_that_was_read_waits_a_moment_and_all_else_does_not():
    async def said():
        run.emit(Thought("a", "1"))
        for text in "234":
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            run.emit(Thought("a", text))
        await asyncio.sleep(0.3)
        run.emit(Thought("a", "5"))
        await asyncio.sleep(0.3)
        run.emit(Thought("a", "6"))
        run.emit(Noted("a", "!"))
        await asyncio.sleep(0.3)

    run = RunContext(Request.of("q"), Budget(), "m", gather=0.1)
    bursts = [
        [event.text for event in burst if isinstance(event, Thought | Noted)]
        async for burst in run.batches(said())
    ]
    assert [burst for burst in bursts if burst] == [["1"], ["234"], ["5"], ["6", "!"]]
