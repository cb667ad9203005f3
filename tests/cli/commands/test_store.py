"""`muse store`: a copy is whole, comes back, and a running server finds it."""

import asyncio
import sqlite3
import stat

import pytest

from musespark.cli.app import run
from musespark.events import AnswerDelta
from musespark.store.database.database import Database
from musespark.store.keys.key_store import KeyStore
from musespark.store.runs.record import RunCost, RunHeader
from musespark.store.runs.run_store import SqlRunStore


async def add(runs, id):
    await runs.start(RunHeader(id=id, protocol="chat", model="m", conversation=()))
    await runs.append_events(id, [AnswerDelta("42" * 5000)])
    await runs.flush(id)
    runs.end(id, "finished", RunCost())
    await runs.writer.flush()


def muse(*args):
    return run(["store", *map(str, args)])


async def test_a_copy_is_made_and_put_back_under_a_running_server(tmp_path, capsys):
    path, copy = tmp_path / "runs.db", tmp_path / "copy.db"
    async with SqlRunStore(Database(path)).open() as runs:
        await add(runs, "early")
        assert await asyncio.to_thread(muse, "backup", copy, "--store", path) == 0
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        await add(runs, "late")
        assert await asyncio.to_thread(muse, "restore", copy, "--store", path) == 0
        async with asyncio.timeout(60):
            while runs.failures["replaced"] == 0 or runs.fault is not None:
                await asyncio.sleep(0.02)
        assert await runs.get("late") is None and (await runs.get("early")).status == "finished"
        await add(runs, "again")
    assert muse("check", "--store", path) == 0
    assert "The store is whole" in capsys.readouterr().out
    assert muse("backup", copy, "--store", path) == 2  # nothing is overwritten


def test_what_was_there_stays_whole_when_a_copy_is_put_back_twice(tmp_path):
    path, copy, before = (tmp_path / name for name in ("runs.db", "copy.db", "runs.db.before"))
    Database(path).close()
    assert muse("backup", copy, "--store", path) == 0
    log = before.with_name("runs.db.before-wal")
    log.write_bytes(b"the log of another file")
    assert muse("restore", copy, "--store", path) == 0
    assert before.exists() and not log.exists()
    assert muse("check", "--store", before) == 0


async def test_a_restore_can_be_undone_with_what_was_put_away(tmp_path):
    path, copy = tmp_path / "runs.db", tmp_path / "copy.db"
    async with SqlRunStore(Database(path)).open() as runs:
        await asyncio.to_thread(muse, "backup", copy, "--store", path)
        await add(runs, "late")  # of which the file itself may know nothing yet
        await asyncio.to_thread(muse, "restore", copy, "--store", path)
        async with asyncio.timeout(60):
            while runs.failures["replaced"] == 0 or runs.fault is not None:
                await asyncio.sleep(0.02)
        assert await runs.get("late") is None
    before = tmp_path / "runs.db.before"
    assert before.with_name("runs.db.before-wal").exists()
    assert await asyncio.to_thread(muse, "restore", before, "--store", path) == 0
    async with SqlRunStore(Database(path)).open() as runs:
        assert (await runs.get("late")).status == "finished"
    assert muse("check", "--store", before) == 0


@pytest.mark.parametrize("loss", ["gone", "damaged"])
def test_a_copy_is_put_in_the_place_of_a_store_that_was_lost(tmp_path, loss):
    path, copy = tmp_path / "runs.db", tmp_path / "copy.db"
    database = Database(path)
    _, secret = KeyStore(database).create("ann")
    database.close()
    assert muse("backup", copy, "--store", path) == 0
    if loss == "gone":
        path.unlink()
    else:
        path.write_bytes(b"no database any more" * 1000)
    assert muse("restore", copy, "--store", path) == 0
    database = Database(path, create=False)
    assert KeyStore(database).find(secret) is not None
    database.close()
    assert (tmp_path / "runs.db.before").exists() == (loss == "damaged")


def test_no_copy_is_put_in_the_place_of_another_program_s_file(tmp_path):
    other, copy = tmp_path / "other.db", tmp_path / "copy.db"
    Database(tmp_path / "runs.db").close()
    assert muse("backup", copy, "--store", tmp_path / "runs.db") == 0
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE theirs (value TEXT)")
    connection.close()
    assert muse("restore", copy, "--store", other) == 1
    assert muse("restore", copy, "--store", tmp_path / "typo" / "runs.db") == 2
    with sqlite3.connect(other) as connection:
        assert connection.execute("SELECT count(*) FROM theirs").fetchone() == (0,)
    connection.close()
    assert not (tmp_path / "typo").exists() and not (tmp_path / "other.db.before").exists()


def test_an_older_file_is_made_small_and_shrinks_from_then_on(tmp_path):
    path = tmp_path / "runs.db"
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
        connection.execute("CREATE TABLE more AS SELECT randomblob(1000000) AS data")
        connection.execute("DROP TABLE more")
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (0,)
    connection.close()
    before = path.stat().st_size
    assert muse("vacuum", "--store", path) == 0
    assert path.stat().st_size < before / 4
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    connection.close()


def test_damage_is_found_and_no_damaged_copy_put_back(tmp_path, capsys):
    path, copy = tmp_path / "runs.db", tmp_path / "copy.db"
    database = Database(path)
    KeyStore(database).create("ann")
    database.close()
    assert muse("backup", copy, "--store", path) == 0
    with sqlite3.connect(copy) as connection:
        connection.execute(
            "INSERT INTO events (run, number, kind, body) VALUES ('x', 0, 'k', '{}')"
        )
    connection.close()
    assert muse("check", "--store", copy) == 1
    assert "belong to no run" in capsys.readouterr().out
    assert muse("restore", copy, "--store", path) == 2
    copy.write_bytes(b"this is no database at all" * 100)
    assert muse("restore", copy, "--store", path) == 1
    database = Database(path)
    assert [key.name for key, _ in KeyStore(database).list_with_spending()] == ["ann"]
    database.close()
    assert {file.name for file in tmp_path.iterdir()} <= {"runs.db", "copy.db"}


@pytest.mark.parametrize("command", ["check", "vacuum"])
def test_no_store_is_made_by_looking_for_one(tmp_path, capsys, command):
    assert muse(command, "--store", tmp_path / "typo.db") == 1
    assert "there is no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
