"""Runs come back as they were, from both kinds of database, and what is not to be kept goes."""

import asyncio
import sqlite3
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from strategies import events as any_event

from musespark.content import Image, Message, Text, Thinking, ToolCall, ToolResult
from musespark.errors import BadOption, StoreUnusable
from musespark.events import MAIN, AnswerDelta, Pictured, RunEnded, RunStarted, Spent
from musespark.models.fake import DOT
from musespark.store.database.database import Database
from musespark.store.runs.conversation import from_json_text, to_json
from musespark.store.runs.record import RunCost, RunHeader
from musespark.store.runs.retention import RetentionPolicy
from musespark.store.runs.run_store import SqlRunStore
from musespark.usage import Usage

TALK = (
    Message("system", (Text("Be brief."),)),
    Message.user(Image(DOT, "image/png"), "What is this? \ud83d \x00"),
    Message("assistant", (Thinking("Hm.", "sig", "m"), ToolCall("c", "look", "{}", "m", "s"))),
    Message(
        "tool", (ToolResult("c", (Text("a dot"), Image(DOT + b"x", "image/jpeg", "m")), True),)
    ),
)


def begun(id, **options):
    return RunHeader(
        id=id, protocol="chat", model="m", conversation=(Message.user("q"),), **options
    )


def story(id):
    return [
        RunStarted(id, "instant", "m", "q", seq=0),
        Pictured(MAIN, DOT, "a dot", 1, 1, seq=1),
        AnswerDelta("4", seq=2),
        Pictured(MAIN, DOT + b"2", "another", 1, 1, seq=3),
        AnswerDelta("2 \ud83d\x00", seq=4),
        RunEnded("42", False, Usage(tokens=7, usd=0.5), (1, 3), seq=5),
    ]


async def keep(runs, id, *events):
    await runs.append_events(id, events)
    await runs.flush(id)


async def told(runs, id, **options):
    await runs.start(begun(id, **options))
    await runs.append_events(id, story(id))
    runs.end(id, "finished", RunCost(tokens=7, usd=0.5, calls=1))


async def test_a_run_comes_back_as_it_was(where):
    async with SqlRunStore(Database(where)).open() as runs:
        first = replace(begun("r1", caller="k", created=12.5), conversation=TALK)
        await runs.start(first)
        for event in story("r1"):
            await keep(runs, "r1", event)
            assert (await runs.get("r1")).status == "running"
        runs.end("r1", "failed", RunCost(tokens=7, usd=0.25, calls=3))
    async with SqlRunStore(Database(where)).open() as again:
        kept = await again.get("r1")
        assert kept.header == first and kept.events == story("r1")
        assert kept.status == "failed" and kept.cost == RunCost(tokens=7, usd=0.25, calls=3)
        assert (await again.image("r1", 2)).data == DOT + b"2"
        assert await again.image("r1", 3) is None and await again.image("r1", 0) is None
        assert await again.get("r2") is None and kept.turn[-1] == Message(
            "assistant", (Text("42"),)
        )


async def test_the_newest_come_first_page_by_page_and_by_caller(where):
    async with SqlRunStore(Database(where)).open() as runs:
        for number in range(6):
            await told(runs, f"r{number}", caller="even" if number % 2 == 0 else "odd", created=5)
        assert [kept.header.id for kept in await runs.latest(3)] == ["r5", "r4", "r3"]
        assert [kept.header.id for kept in await runs.latest(9, before="r2")] == ["r1", "r0"]
        assert [kept.header.id for kept in await runs.latest(2, caller="even")] == ["r4", "r2"]
        assert [kept.header.id for kept in await runs.latest(9, before="r4", caller="even")] == [
            "r2",
            "r0",
        ]
        assert (
            await runs.latest(9, before="nobody") == []
            and await runs.latest(9, caller="nobody") == []
        )
        [summary] = await runs.latest(1)
        assert summary.image_count == 2 and summary.turn[-1] == Message("assistant", (Text("42"),))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(found=st.lists(any_event, max_size=12))
def test_every_event_comes_back(tmp_path, found):
    async def there_and_back():
        async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
            id = str(time.time_ns())
            await runs.start(begun(id))
            await runs.append_events(id, found)
            return (await runs.get(id)).events

    assert asyncio.run(there_and_back()) == found


def test_a_conversation_comes_back():
    text, images = to_json(TALK)
    assert from_json_text(text, images) == TALK and text.isascii() and len(images) == 2


async def test_what_is_acknowledged_is_committed(tmp_path):
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        await runs.start(begun("r"))
        with sqlite3.connect(tmp_path / "runs.db") as other:
            for number in range(20):
                await keep(runs, "r", AnswerDelta(str(number), seq=number))
                assert other.execute("SELECT count(*) FROM events").fetchone() == (number + 1,)
        other.close()


async def test_what_nobody_waits_for_is_committed_soon(tmp_path):
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        with sqlite3.connect(tmp_path / "runs.db") as other:
            await runs.start(begun("r"))
            for number in range(3):
                await runs.append_events("r", [AnswerDelta("4", seq=number)])
                async with asyncio.timeout(20):
                    while other.execute(
                        "SELECT count(*) FROM events JOIN runs ON id = run"
                    ).fetchone() != (number + 1,):
                        await asyncio.sleep(0.01)
        other.close()


async def test_what_waits_together_is_committed_together(tmp_path):
    database = Database(tmp_path / "runs.db")
    async with SqlRunStore(database).open() as runs:
        for number in range(50):
            await runs.start(begun(f"r{number}"))
        from sqlalchemy import event

        commits = []
        event.listen(database.engine, "checkout", lambda *_: commits.append(1))
        await asyncio.gather(*(keep(runs, f"r{number}", AnswerDelta("4")) for number in range(50)))
        assert 1 <= len(commits) <= 3
        assert all([len((await runs.get(f"r{number}")).events) == 1 for number in range(50)])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("3", ["r5", "r4", "r3", "r0"]),
        ("1d", ["r5", "r4", "r0"]),
        ("9 runs", ["r5", "r4", "r3", "r2", "r1", "r0"]),
    ],
)
async def test_old_runs_are_forgotten_and_running_ones_never(where, text, left):
    day = 86400
    async with SqlRunStore(Database(where)).open() as runs:
        for number in range(6):
            id = f"r{number}"
            await runs.start(begun(id, created=time.time() - (5 - number) * 0.6 * day))
            await keep(runs, id, *story(id))
            if number:
                runs.end(id, "finished", RunCost())
        from musespark.store.runs.retention import delete_expired

        while await runs.writer.run(
            lambda connection: delete_expired(connection, RetentionPolicy.parse(text), time.time())
        ):
            pass
        assert [kept.header.id for kept in await runs.latest(9)] == left
        assert (await runs.get("r0")).events == story("r0")
        for table in ("events", "pictures"):
            with runs.database.begin_read() as connection:
                found = (
                    connection.exec_driver_sql(f"SELECT DISTINCT run FROM {table} ORDER BY run")
                    .scalars()
                    .all()
                )
            assert list(found) == sorted(left)


async def test_what_is_forgotten_is_in_no_corner_of_the_file(tmp_path):
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        for id in ("gone", "newer"):
            await runs.start(
                RunHeader(
                    id=id,
                    protocol="chat",
                    model="m",
                    conversation=(Message.user(f"sesame of {id}"),),
                )
            )
            await runs.append_events(id, [AnswerDelta(f"rhubarb of {id} " * 1000)])
            runs.end(id, "finished", RunCost())
        assert await runs.delete("gone")
    kept = (tmp_path / "runs.db").read_bytes()
    assert kept.count(b"of newer") >= 1000 and b"of gone" not in kept


async def test_a_server_forgets_by_itself(tmp_path):
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        for number in range(120):
            await told(runs, f"r{number}")
    async with SqlRunStore(Database(tmp_path / "runs.db"), RetentionPolicy(runs=5)).open() as runs:
        while len(await runs.latest(200)) > 5:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("text", ["", "0", "0d", "-1", "a", "1y", "1.5d", "9" * 40])
def test_what_is_no_retention_is_told(text):
    with pytest.raises(BadOption, match="--keep"):
        RetentionPolicy.parse(text)


async def test_the_last_known_cost_of_what_was_interrupted_is_kept(where):
    async with SqlRunStore(Database(where)).open() as runs:
        await runs.start(begun("r"))
        await runs.append_events(
            "r",
            [
                RunStarted("r", "instant", "m", "q"),
                Spent(MAIN, Usage(tokens=5, usd=0.1, calls=1)),
                Spent("a", Usage(tokens=3)),
                Spent(MAIN, Usage(tokens=9, usd=0.2, calls=2)),
                Spent("b", Usage()),
            ],
        )
        await told(runs, "done")
    async with SqlRunStore(Database(where)).open() as runs:
        kept = await runs.get("r")
        assert kept.status == "interrupted" and kept.cost == RunCost(tokens=9, usd=0.2, calls=2)
        assert (await runs.get("done")).status == "finished"


async def test_two_servers_on_one_database_leave_each_other_alone(where):
    async with SqlRunStore(Database(where)).open() as one:
        await one.start(begun("r1"))
        await keep(one, "r1", AnswerDelta("x"))
        async with SqlRunStore(Database(where)).open() as two:
            await two.start(begun("r2"))
            await keep(two, "r2", AnswerDelta("x"))
            assert (await two.get("r1")).status == "running"
            await asyncio.gather(
                *(
                    keep(runs, id, AnswerDelta("x"))
                    for runs, id in ((one, "r1"), (two, "r2"))
                    for _ in range(50)
                )
            )
        assert (await one.get("r2")).status == "interrupted" and (
            await one.get("r1")
        ).status == "running"
        assert len((await one.get("r1")).events) == len((await one.get("r2")).events) == 51


async def test_a_database_that_fails_fails_for_those_who_wait_and_heals(tmp_path):
    database = Database(tmp_path / "runs.db")
    async with SqlRunStore(database).open() as runs:
        await runs.start(begun("r"))
        await keep(runs, "r", AnswerDelta("1"))
        with database.engine.connect() as connection:
            most = connection.exec_driver_sql("PRAGMA page_count").scalar()
        from sqlalchemy import event

        full = [True]

        @event.listens_for(database.engine, "checkout")
        def limited(connection, *_):
            connection.execute(f"PRAGMA max_page_count = {most if full else 1_000_000}")

        with pytest.raises(StoreUnusable, match="database or disk is full"):
            await keep(runs, "r", AnswerDelta("x" * 100_000))
        with pytest.raises(StoreUnusable, match=r"runs\.db"):
            for number in range(1000):
                await runs.start(begun(f"more{number}"))
                await keep(runs, f"more{number}", AnswerDelta("x"))
        for _ in range(3):
            with pytest.raises(StoreUnusable, match="see that it can be written to"):
                await keep(runs, "r", AnswerDelta("x" * 100_000))
        full.clear()
        assert (await runs.get("r")).events == [AnswerDelta("1")]
        await told(runs, "s")
        runs.end("r", "finished", RunCost())
        assert (await runs.get("r")).status == (await runs.get("s")).status == "finished"


async def test_an_end_that_cannot_be_written_is_written_once_it_can_be(tmp_path):
    database = Database(tmp_path / "runs.db")
    async with SqlRunStore(database).open() as runs:
        await runs.start(begun("r"))
        await keep(runs, "r", AnswerDelta("4"))
        from sqlalchemy import event

        broken = [True]

        @event.listens_for(database.engine, "checkout")
        def fails(connection, *_):
            connection.execute(f"PRAGMA query_only = {len(broken)}")

        runs.end("r", "finished", RunCost(tokens=3))
        assert (await runs.get("r")).status == "running"
        broken.clear()
        await runs.writer.run(lambda connection: None)
        kept = await runs.get("r")
        assert (
            kept.status == "finished"
            and kept.cost.tokens == 3
            and kept.events == [AnswerDelta("4")]
        )


async def test_events_that_nobody_waits_for_are_written_before_long_or_with_the_end(tmp_path):
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        await runs.start(begun("r"))
        for number in range(3):
            await runs.append_events("r", [AnswerDelta(str(number), seq=number)])
        there = runs.database.engine
        with there.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar() == 0
        await asyncio.sleep(0.06)
        await runs.append_events("r", [AnswerDelta("3", seq=3)])
        with there.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar() == 4
        await runs.append_events("r", [AnswerDelta("4", seq=4)])
        assert [event.seq for event in (await runs.get("r")).events] == [
            0,
            1,
            2,
            3,
            4,
        ]  # whoever looks sees all of it
        await runs.append_events("r", [AnswerDelta("5", seq=5)])
        runs.end("r", "cancelled", RunCost())
        kept = await runs.get("r")
        assert [event.seq for event in kept.events] == [
            0,
            1,
            2,
            3,
            4,
            5,
        ] and kept.status == "cancelled"


async def test_a_run_whose_end_was_seen_and_not_written_has_ended(tmp_path):
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        await runs.start(begun("r"))
        await runs.append_events("r", story("r"))
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        kept = await runs.get("r")
        assert kept.status == "finished" and kept.cost.tokens == 7


async def test_one_damaged_event_keeps_no_server_from_starting(where):
    async with SqlRunStore(Database(where)).open() as runs:
        await runs.start(begun("r"))
        await keep(
            runs,
            "r",
            Spent(MAIN, Usage(tokens=5, usd=0.1, calls=1)),
            Spent(MAIN, Usage(tokens=9, usd=0.2, calls=2)),
        )
        await runs.writer.run(
            lambda connection: connection.exec_driver_sql(
                "UPDATE events SET body = '{\"kind' WHERE number = 1"
            )
        )
    async with SqlRunStore(Database(where)).open() as runs:
        [summary] = [row async for row in _rows(runs)]
        assert summary.how == "interrupted" and summary.tokens == 5


async def _rows(runs):
    with runs.database.begin_read() as connection:
        for row in connection.exec_driver_sql("SELECT * FROM runs").all():
            yield row
