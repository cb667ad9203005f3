"""Calls that wait for the writer get its errors, and a row that cannot be written holds up nothing else."""

import asyncio

import pytest
from sqlalchemy import text

from musespark.errors import StoreUnusable
from musespark.events import AnswerDelta
from musespark.store.database.database import Database
from musespark.store.runs.record import RunCost, RunHeader
from musespark.store.runs.run_store import SqlRunStore


def fails(connection):
    connection.execute(text("SELECT * FROM nowhere"))


async def told(runs, id, **options):
    await runs.start(
        RunHeader(id=id, protocol="chat", conversation=(), **{"model": "m", **options})
    )
    await runs.append_events(id, [AnswerDelta("42")])
    await runs.flush(id)


@pytest.mark.parametrize("at", range(4))
async def test_everyone_who_waits_is_told_of_a_failure_wherever_in_the_batch_it_was(where, at):
    async with SqlRunStore(Database(where)).open() as runs:
        works = [lambda connection: 42] * 3
        works.insert(at, fails)
        async with asyncio.timeout(20):
            found = await asyncio.gather(
                *(runs.writer.run(work) for work in works), return_exceptions=True
            )
        assert [type(each) for each in found] == [StoreUnusable] * 4
        assert await runs.writer.run(lambda connection: 42) == 42


async def test_an_end_is_written_even_where_others_do_what_makes_no_sense(where):
    async with SqlRunStore(Database(where)).open() as runs:
        await told(runs, "r")
        runs.end("r", "finished", RunCost(tokens=2))
        with pytest.raises(ZeroDivisionError):
            await runs.writer.run(lambda connection: 1 // 0)
        assert await runs.writer.run(lambda connection: 42) == 42
        assert (await runs.get("r")).status == "finished"


async def test_what_can_never_be_written_holds_nothing_else_up(where):
    async with SqlRunStore(Database(where)).open() as runs:
        await told(runs, "r")
        nonsense = text("UPDATE runs SET model = NULL")
        runs.writer.enqueue(lambda connection: connection.execute(nonsense))
        runs.end("r", "finished", RunCost(tokens=2))
        assert await runs.writer.run(lambda connection: 42) == 42
        kept = await runs.get("r")
        assert kept.status == "finished" and kept.header.model == "m"
        assert not runs.writer._retries


async def test_work_and_runs_that_a_value_spoils_fail_alone_and_all_that_came_with_them_is_written(
    where,
):
    async with SqlRunStore(Database(where)).open() as runs:
        await runs.start(RunHeader(id="bad", protocol="chat", model="m", conversation=()))
        runs.writer.add("events", ("bad", 0, None, "{}"))
        found = await asyncio.gather(
            told(runs, "good"),
            runs.writer.flush("bad"),
            runs.writer.run(lambda connection: 1 // 0),
            runs.writer.run(lambda connection: 42),
            return_exceptions=True,
        )
        assert found[0] is None and found[3] == 42
        assert isinstance(found[1], StoreUnusable) and isinstance(found[2], ZeroDivisionError)
        assert (await runs.get("good")).events == [AnswerDelta("42")]
        assert await runs.get("bad") is None and runs.fault is None


async def test_a_backend_that_counts_without_end_ends_like_any_other(where):
    async with SqlRunStore(Database(where)).open() as runs:
        await told(runs, "r")
        runs.end("r", "finished", RunCost(tokens=10**30))
        assert await runs.writer.run(lambda connection: 42) == 42
        kept = await runs.get("r")
        assert kept.status == "finished" and kept.cost.tokens == 2**63 - 1


@pytest.mark.parametrize("name", ["openai:a\0b", "\ud83d"])
async def test_a_name_that_a_client_made_up_fails_nobody(where, name):
    async with SqlRunStore(Database(where)).open() as runs:
        await asyncio.gather(told(runs, "r", model=name), told(runs, "s"))
        assert (await runs.get("s")).events == (await runs.get("r")).events == [AnswerDelta("42")]
        assert await runs.get(name) is None and await runs.latest(9, before=name) == []


async def lose(runs, id, heard):
    """Fail what a run was given, with somebody who waits for it or without."""
    waits = asyncio.create_task(runs.flush(id))
    failing = asyncio.create_task(runs.writer.run(fails))
    await asyncio.sleep(0)
    if not heard:
        waits.cancel()
    found = await asyncio.gather(waits, failing, return_exceptions=True)
    assert [type(each) for each in found] == [
        StoreUnusable if heard else asyncio.CancelledError,
        StoreUnusable,
    ]


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("heard", [False, True])
async def test_what_follows_something_that_was_lost_is_not_written_and_not_acknowledged(
    where, begun, heard
):
    async with SqlRunStore(Database(where)).open() as runs:
        if begun:
            await told(runs, "r")
        else:
            await runs.start(RunHeader(id="r", protocol="chat", model="m", conversation=()))
        await runs.append_events("r", [AnswerDelta("!")])
        await lose(runs, "r", heard)
        await asyncio.gather(told(runs, "s"), runs.append_events("r", [AnswerDelta("?")]))
        with pytest.raises(StoreUnusable):
            await runs.flush("r")
        await runs.append_events("r", [AnswerDelta(".")])
        runs.end("r", "failed", RunCost(tokens=2))
        kept = await runs.get("r")
        assert (
            (kept.status, kept.events) == ("failed", [AnswerDelta("42")]) if begun else kept is None
        )
        with runs.database.begin_read() as connection:
            found = connection.execute(text("SELECT run, number FROM events ORDER BY run")).all()
        assert [tuple(row) for row in found] == [*([("r", 0)] if begun else []), ("s", 0)]
        assert not runs.writer._lost


async def test_a_run_of_which_there_is_nothing_owes_no_end(where):
    async with SqlRunStore(Database(where)).open() as runs:
        for ended_after in (False, True):
            await runs.start(RunHeader(id="r", protocol="chat", model="m", conversation=()))
            if ended_after:
                await lose(runs, "r", heard=False)
            runs.end("r", "cancelled", RunCost())
            with pytest.raises(StoreUnusable):
                await runs.writer.run(fails)
            assert not runs.writer._retries and not runs.writer._lost
