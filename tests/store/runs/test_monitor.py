"""A fault of the database is seen without a request, named, and gone by itself once its cause is."""

import asyncio
import os
import sqlite3
import stat
import time
from contextlib import closing

import pytest

from musespark.errors import StoreUnusable
from musespark.events import AnswerDelta
from musespark.store.database.database import Database
from musespark.store.keys.key_store import KeyStore
from musespark.store.runs.record import RunCost, RunHeader
from musespark.store.runs.run_store import SqlRunStore


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


async def told(runs, id, text="42"):
    await runs.start(RunHeader(id=id, protocol="chat", model="m", conversation=()))
    await runs.append_events(id, [AnswerDelta(text)])
    await runs.flush(id)


def copy_of(path, to):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(to),))


def files_of(path):
    return [path, *(path.with_name(f"{path.name}-{each}") for each in ("wal", "shm"))]


async def test_a_file_that_is_gone_is_told_and_one_that_comes_back_is_used_again(tmp_path):
    path = tmp_path / "runs.db"
    async with SqlRunStore(Database(path)).open() as runs:
        await told(runs, "r")
        path.rename(tmp_path / "aside")
        with pytest.raises(StoreUnusable) as caught:
            await told(runs, "lost")
        assert caught.value.fault == "missing"
        await until(lambda: runs.fault is not None and runs.monitor.blocking is not None)
        assert runs.fault.fault == "missing" and runs.failures["missing"] > 0
        assert not path.exists()  # nothing is made in its place
        (tmp_path / "aside").rename(path)
        await until(lambda: runs.fault is None)
        await told(runs, "s")
        assert (await runs.get("r")).events == (await runs.get("s")).events


async def test_a_store_that_was_restored_from_a_copy_is_the_one_that_counts(tmp_path):
    path = tmp_path / "runs.db"
    async with SqlRunStore(Database(path)).open() as runs:
        await told(runs, "before")
        copy_of(path, tmp_path / "copy.db")
        await told(runs, "after")  # under way, and not in the copy
        keys = KeyStore(runs.database)
        _, secret = keys.create("ann")
        os.replace(tmp_path / "copy.db", path)
        for file in files_of(path)[1:]:
            file.unlink(missing_ok=True)
        await until(lambda: runs.failures["replaced"] > 0 and runs.fault is None)
        assert keys.find(secret) is None
        assert await runs.get("after") is None
        with pytest.raises(StoreUnusable, match="replaced"):
            await runs.append_events("after", [AnswerDelta("!")])
            await runs.flush("after")
        await runs.append_events("before", [AnswerDelta("!")])
        await runs.flush("before")
        runs.end("before", "finished", RunCost())
        assert len((await runs.get("before")).events) == 2
        with runs.database.begin_read() as connection:
            found = connection.exec_driver_sql("SELECT id FROM servers").scalars().all()
            orphans = connection.exec_driver_sql("SELECT run FROM events WHERE run = 'after'").all()
        assert runs.server in found and not orphans


async def test_a_log_that_was_removed_is_told_and_made_again(tmp_path):
    path = tmp_path / "runs.db"
    async with SqlRunStore(Database(path)).open() as runs:
        await told(runs, "r")
        await until(lambda: runs.database.file._log_opened is not None)
        for file in files_of(path)[1:]:
            file.unlink()
        await until(lambda: runs.failures["replaced"] > 0 and runs.fault is None)
        await told(runs, "s")
    async with SqlRunStore(Database(path)).open() as runs:
        assert await runs.get("s") is not None


async def test_a_lock_of_another_program_keeps_writers_waiting_for_moments_and_readers_not_at_all(
    tmp_path,
):
    path = tmp_path / "runs.db"
    async with SqlRunStore(Database(path)).open() as runs:
        await told(runs, "r")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            refused = asyncio.create_task(told(runs, "s"))
            await until(lambda: runs.monitor.blocking is not None)
            assert runs.fault.fault == "locked"
            with pytest.raises(StoreUnusable):
                await refused
            with pytest.raises(StoreUnusable):
                await told(runs, "t")
            assert [kept.header.id for kept in await runs.latest(9)] == ["r"]
            other.execute("ROLLBACK")
        await until(lambda: runs.fault is None)
        await told(runs, "u")


async def test_a_locked_table_of_postgres_is_told(server):
    if server is None:
        pytest.skip("there is no Postgres on this machine")
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE locked")
    url = server.replace("/postgres?", "/locked?")
    async with SqlRunStore(Database(url)).open() as runs:
        await told(runs, "r")
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")
            await until(lambda: runs.monitor.blocking is not None)
            assert runs.fault.fault == "locked"
            with pytest.raises(StoreUnusable):
                await told(runs, "s")
        await until(lambda: runs.fault is None)
        await told(runs, "t")


async def test_a_postgres_that_takes_no_writes_is_told_and_used_again(server):
    if server is None:
        pytest.skip("there is no Postgres on this machine")
    import psycopg

    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'standby'"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("CREATE DATABASE standby")
        async with SqlRunStore(Database(server.replace("/postgres?", "/standby?"))).open() as runs:
            await told(runs, "r")
            admin.execute("ALTER DATABASE standby SET default_transaction_read_only = on")
            admin.execute(end)
            await until(lambda: runs.fault is not None and runs.fault.fault == "read_only")
            assert (await runs.get("r")).events == [AnswerDelta("42")]
            admin.execute("ALTER DATABASE standby SET default_transaction_read_only = off")
            admin.execute(end)
            await until(lambda: runs.fault is None)
            await told(runs, "s")


async def test_a_database_that_does_not_answer_keeps_no_reader(tmp_path):
    database = Database(tmp_path / "runs.db")
    try:
        reading = asyncio.create_task(database.in_thread(time.sleep, 2))
        await asyncio.sleep(0)
        database.down = database.unusable("it sleeps", "unreachable")
        with pytest.raises(StoreUnusable, match="it sleeps"):
            await reading
        with pytest.raises(StoreUnusable, match="it sleeps"), database.begin_read():
            pass
    finally:
        database.close()


async def test_what_was_deleted_is_in_none_of_the_files_and_its_room_is_given_back(tmp_path):
    path = tmp_path / "runs.db"
    async with SqlRunStore(Database(path)).open() as runs:
        for number in range(12):
            await told(runs, str(number), "rhubarb " * 20_000)
            runs.end(str(number), "finished", RunCost())
        await runs.writer.flush()
        before = sum(file.stat().st_size for file in files_of(path))
        for number in range(12):
            assert await runs.delete(str(number))
        await until(lambda: not runs._deleted.is_set())
        kept = b"".join(file.read_bytes() for file in files_of(path))
        assert b"rhubarb" not in kept and len(kept) < before / 4


def test_a_store_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "runs.db"
    Database(path).close()
    path.chmod(0o666)
    Database(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
