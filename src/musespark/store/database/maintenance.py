"""Maintenance of a store: a copy of it, a copy put back, a check, and a file made small. A server may run meanwhile.

Postgres's own programs do it there, if they are installed.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from musespark.errors import BadOption, NotInstalled, StoreUnusable
from musespark.store.database.database import Database, default_runs_path, is_url
from musespark.store.database.sqlite_file import begin_immediate

_PATIENCE = 30.0
"""Seconds to wait for servers that write."""


def backup(database: Database, to: Path) -> None:
    """Copy a store to a new file, readable by its owner alone. Raises `BadOption`, `StoreUnusable` and `NotInstalled`."""
    try:
        os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise BadOption("FILE", to, f"a new file ({error.strerror})") from None
    try:
        if database.file is None:
            _run(database, "pg_dump", "--format=custom", f"--file={to}")
            return
        with (
            database.translating_errors(),
            closing(sqlite3.connect(database.file.path)) as source,
            closing(sqlite3.connect(to)) as copy,
        ):
            source.backup(copy)
    except BaseException:
        to.unlink(missing_ok=True)
        raise


def restore(store: str | None, source: Path) -> Path | None:
    """Put a copy in the place of a store; returns where the store before is, if it was a file. Servers find the new one.

    A file may be gone or damaged, for which copies are made. Raises `BadOption`, `StoreUnusable` and `NotInstalled`.
    """
    if not source.is_file():
        raise BadOption("FILE", source, "a file that muse store backup has made")
    where = str(store or default_runs_path())
    if is_url(where):
        database = Database(where, create=False)
        try:
            _run(
                database,
                "pg_restore",
                "--clean",
                "--if-exists",
                "--single-transaction",
                str(source),
            )
        finally:
            database.close()
        return None
    path = Path(where).expanduser().absolute()
    if path.is_dir() or not path.parent.is_dir():
        raise BadOption("--store", where, "the file of a server's store, in a folder that is there")
    if path.exists() and path.stat().st_size:
        try:
            Database(path, create=False).close()
        except StoreUnusable as error:
            if error.fault not in ("damaged", "disk"):
                raise  # a file of another program, for example
    return _restore_file(path, source)


def _restore_file(path: Path, source: Path) -> Path | None:
    new, old = (path.with_name(f"{path.name}.{each}") for each in ("restored", "before"))
    try:
        shutil.copyfile(source, new)
        os.chmod(new, 0o600)
        if _log_of(source).exists():  # as beside a store that a restore put away: a part of it
            shutil.copyfile(_log_of(source), _log_of(new))
        copy = Database(new, create=False)  # with the tables of today; raises what is wrong with it
        try:
            problems = check(copy)
        finally:
            copy.close()
        if problems:
            raise BadOption("FILE", source, f"a whole copy of a store; {problems[0]}")
        was_there = path.exists()
        if was_there:
            # SQLite would apply what is there of an earlier one to this file.
            for suffix in ("-wal", "-shm"):
                old.with_name(old.name + suffix).unlink(missing_ok=True)
            os.replace(path, old)
            if _log_of(path).exists():  # it holds what is not in the file yet
                os.replace(_log_of(path), _log_of(old))
        _log_of(path).unlink(missing_ok=True)
        path.with_name(path.name + "-shm").unlink(missing_ok=True)
        os.replace(new, path)
    except OSError as error:
        raise StoreUnusable(path, error.strerror or str(error)) from error
    finally:
        for suffix in ("", "-wal", "-shm"):
            new.with_name(new.name + suffix).unlink(missing_ok=True)
    return old if was_there else None


def _log_of(path: Path) -> Path:
    """The file that SQLite writes ahead of a database."""
    return path.with_name(path.name + "-wal")


def check(database: Database) -> list[str]:
    """List the problems of a store; empty for one that is whole. Raises `StoreUnusable`."""
    with database.begin_read() as connection:
        if database.is_sqlite:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
            problems = [str(each) for each in found if each != "ok"]
        else:
            problems = []
        for child in ("events", "pictures"):
            orphans = connection.exec_driver_sql(
                f"SELECT count(*) FROM {child} WHERE run NOT IN (SELECT id FROM runs)"
            ).scalar_one()
            if orphans:
                problems.append(f"{orphans:,} rows of {child} belong to no run")
    return problems


def vacuum(database: Database) -> None:
    """Make an SQLite file as small as what is in it, and able to shrink by itself from now on. Raises `StoreUnusable`."""
    with database.translating_errors():
        connection = database.engine.raw_connection()
        try:
            driver: Any = connection.dbapi_connection
            if database.is_sqlite:
                begin_immediate(driver, _PATIENCE)
                driver.execute("COMMIT")
                driver.execute("PRAGMA auto_vacuum = INCREMENTAL")
                driver.execute("VACUUM")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            else:
                driver.autocommit = True
                driver.execute("VACUUM (ANALYZE)")
        finally:
            connection.invalidate()


def _run(database: Database, program: str, *options: str) -> None:
    """Run a program of Postgres's on the database; the password is not among its arguments, which others can see."""
    if shutil.which(program) is None:
        raise NotInstalled("A copy of a Postgres store", program, "postgres")
    url = database.engine.url
    password = str(url.password or url.query.get("password", ""))
    shown = url.set(drivername="postgresql", password=None).difference_update_query(["password"])
    command = [program, *options, f"--dbname={shown.render_as_string(hide_password=False)}"]
    env = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"{program} ended with {done.returncode}"
        raise database.unusable(said[:300].rstrip("."))
