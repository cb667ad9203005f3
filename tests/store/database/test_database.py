"""A database is made, brought up to date, and told about where it cannot be used."""

import os
import sqlite3
import stat
import subprocess
import sys

import pytest
from sqlalchemy import inspect, text

from musespark.errors import NotInstalled, StoreUnusable
from musespark.store.database.database import LATEST_REVISION, Database, default_runs_path
from musespark.store.database.schema import METADATA
from musespark.store.runs.run_store import SqlRunStore


def upgraded_to(where, revision, monkeypatch):
    """A database as an older version left it."""
    from alembic import command

    upgrade = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, head: upgrade(config, revision))
        return Database(where)


def test_the_newest_migration_is_the_one_that_the_code_knows(tmp_path):
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from musespark.store.database import database

    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [LATEST_REVISION]


def test_the_migrations_make_the_tables_that_the_code_knows(where):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = Database(where)
    with database.begin_read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    database.close()


async def test_an_older_database_is_brought_up_to_date_with_all_that_is_in_it(where, monkeypatch):
    old = upgraded_to(where, "0001", monkeypatch)
    with old.begin_write() as connection:
        assert not inspect(connection).has_table("keys")
        connection.execute(
            text(
                "INSERT INTO runs (id, server, protocol, model, caller, created, conversation, how, tokens, usd, calls)"
                " VALUES ('r', 's', 'chat', 'm', '', 1.5, '[]', 'finished', 1, 0.5, 1)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO events (run, number, kind, body) VALUES "
                '(\'r\', 0, \'answer_delta\', \'{"kind": "answer_delta", "text": "42"}\')'
            )
        )
    old.close()
    async with SqlRunStore(Database(where)).open() as runs:
        kept = await runs.get("r")
        assert kept.status == "finished" and kept.events[0].text == "42"
        with runs.database.begin_read() as connection:
            assert inspect(connection).has_table("keys")


def test_an_upgrade_that_fails_leaves_the_old_tables(where, monkeypatch):
    from alembic import command

    upgraded_to(where, "0001", monkeypatch).close()
    upgrade = command.upgrade

    def fails(config, head):
        upgrade(config, head)
        raise OSError("the light went out")

    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", fails)
        with pytest.raises(StoreUnusable, match="the light went out"):
            Database(where)
    old = upgraded_to(where, "0001", monkeypatch)
    with old.begin_read() as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0001"
        )
        assert not inspect(connection).has_table("keys")
    old.close()
    Database(where).close()


def test_many_that_start_at_once_make_one_database(where):
    code = "import sys; from musespark.store.database.database import Database; Database(sys.argv[1]).close()"
    processes = [subprocess.Popen([sys.executable, "-c", code, where]) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4


def test_a_newer_database_is_left_alone(where):
    database = Database(where)
    with database.begin_write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreUnusable, match="a newer version of musespark"):
        Database(where)


@pytest.mark.parametrize(
    "content", [b"no database at all, but a long enough text to look at" * 10, None]
)
def test_a_file_that_is_no_database_is_told(tmp_path, content):
    path = tmp_path / "runs.db"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(StoreUnusable, match=r"runs\.db.*name another with --store\.$"):
        Database(path)


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE bookmarks (name)", "CREATE TABLE alembic_version (version_num)"]
)
def test_the_file_of_another_program_is_left_as_it_is(tmp_path, statement):
    path = tmp_path / "bookmarks.db"
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
        if "alembic" in statement:
            connection.execute("INSERT INTO alembic_version VALUES ('0001')")
    connection.close()
    with pytest.raises(StoreUnusable, match="another program"):
        Database(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)
    connection.close()


async def test_a_file_of_any_name_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:x.db?mode=memory", "50%25?#.db"):
        async with SqlRunStore(Database(name)).open():
            pass
        assert (tmp_path / name).stat().st_size > 0


async def test_a_damaged_database_is_told(tmp_path):
    path = tmp_path / "runs.db"
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    raw = bytearray(path.read_bytes())
    raw[4096:] = os.urandom(len(raw) - 4096)
    path.write_bytes(raw)
    with pytest.raises(StoreUnusable, match="malformed"):
        async with SqlRunStore(Database(path)).open():
            pass


@pytest.mark.parametrize("path", ["/proc/nothing/runs.db", "/dev/null/runs.db", "a\0b"])
def test_a_place_that_cannot_be_written_to_is_told(path):
    with pytest.raises(StoreUnusable):
        Database(path)


def test_what_is_no_regular_file_is_refused_and_left_as_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    os.chmod(pipe, 0o666)
    with pytest.raises(StoreUnusable, match="no regular file"):
        Database(pipe)
    assert pipe.stat().st_mode & 0o777 == 0o666


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:sesame@127.0.0.1:1/x",
        "postgresql://me:sesame@[/",
        "mysql://me:sesame@h/x",
        "postgresql://me:sesame@h:port/x",
        "postgresql://me@127.0.0.1:1/x?password=sesame",
        "postgresql://me@127.0.0.1:1/x?sslpassword=sesame",
        "postgresql:/me:sesame@h/x",
        "postgres:me:sesame@h/x",
        "postgresql+psycopg//me:sesame@h/x",
    ],
)
def test_a_url_that_leads_nowhere_is_told_without_its_password(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreUnusable) as caught:
        Database(url)
    assert (
        "sesame" not in str(caught.value)
        and "://" in str(caught.value)
        and "\n" not in str(caught.value)
    )
    assert list(tmp_path.iterdir()) == []  # it was not taken for a file


def test_what_people_asked_is_theirs_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    Database().close()
    assert default_runs_path() == tmp_path / "musespark" / "runs.db"
    assert stat.S_IMODE(default_runs_path().stat().st_mode) == 0o600
    assert stat.S_IMODE(default_runs_path().parent.stat().st_mode) == 0o700


def test_what_is_not_installed_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(NotInstalled, match=r"musespark\[postgres\]"):
        Database("postgresql://h/x")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(NotInstalled, match=r"musespark\[serve\]"):
        Database(tmp_path / "runs.db")


def test_votes_need_none_of_it():
    code = (
        "import sys, musespark, musespark.cli, musespark.store;"
        "sys.exit(any(name in sys.modules for name in ('sqlalchemy', 'alembic')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
