"""An SQLite file: opened for its owner alone, told from another that takes its place, and made to give room back."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musespark.store.votes import enable_wal

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

READ_PATIENCE = 2.0
"""Seconds that a read waits for a lock, which WAL needs for moments only."""
_POLL = 0.02
"""Seconds that SQLite itself waits for the write lock; its pauses grow to 0.1 s, in which others would starve this server."""
_LOG = logging.getLogger(__name__)


class SqliteFile:
    """The file of a database, with what is known of it from outside."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._opened: tuple[int, int] | None = None
        self._log_opened: tuple[int, int] | None = None

    @property
    def log(self) -> Path:
        """The file that SQLite writes ahead."""
        return self.path.with_name(self.path.name + "-wal")

    def make(self, create: bool = True) -> None:
        """Make the file if there is none, for its owner alone; one that others can read is closed to them. Raises OSError."""
        if create:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.path.exists() and not self.path.is_file():  # a device would be closed to all others
            raise OSError(errno.EINVAL, "it is no regular file")
        os.close(os.open(self.path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600))
        for suffix in ("", "-wal", "-shm"):
            _close_to_others(self.path.with_name(self.path.name + suffix))

    def remember(self) -> None:
        """Take the file that is there for the one that is opened. Raises OSError."""
        self._opened, self._log_opened = _identity(self.path), None

    def fault(self) -> str | None:
        """`missing` or `replaced` if the opened file is no longer at its path."""
        if self._opened is None:
            return None
        try:
            found = _identity(self.path)
        except FileNotFoundError:
            return "missing"
        except OSError:
            return "unreachable"
        return None if found == self._opened else "replaced"

    def log_fault(self) -> str | None:
        """`replaced` if the log that was written ahead is no longer there. Only for use after a write."""
        try:
            found = _identity(self.log)
        except OSError:
            return None if self._log_opened is None else "replaced"
        if self._log_opened is None:
            self._log_opened = found
        return None if found == self._log_opened else "replaced"


def make_sqlite_engine(file: SqliteFile) -> Engine:
    """An engine for a file. Transactions that write have the execution options `writes` and `patience`, in seconds."""
    from sqlalchemy import URL, create_engine, event

    engine = create_engine(
        URL.create(
            "sqlite", database=str(file.path)
        ),  # or SQLite would take some names for its own
        connect_args={"timeout": READ_PATIENCE, "check_same_thread": False},
        pool_size=8,
        max_overflow=40,  # more than the threads that read
        pool_timeout=5,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions begin explicitly
        if not file.path.stat().st_size:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # later it would need a lock
        enable_wal(connection)
        # Deleted rows are overwritten, which makes deletions slower and nothing else.
        for setting in ("synchronous = NORMAL", "temp_store = MEMORY", "secure_delete = ON"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begins(connection: Connection) -> None:
        options = connection.get_execution_options()
        driver = connection.connection.dbapi_connection
        if options.get("writes"):
            begin_immediate(driver, options["patience"])
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def begin_immediate(driver: Any, patience: float) -> None:
    """Begin a transaction that writes: one that only reads first could find that another has written in between.

    Waits for the lock of another writer, up to `patience` seconds.
    """
    end = time.monotonic() + patience
    driver.execute(f"PRAGMA busy_timeout = {round(_POLL * 1000)}")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                busy = (error.sqlite_errorname or "").startswith("SQLITE_BUSY")
                if not busy or time.monotonic() > end:
                    raise
            else:
                return
    finally:
        driver.execute(f"PRAGMA busy_timeout = {round(READ_PATIENCE * 1000)}")


def give_room_back(driver: Any, pages: int) -> bool:
    """Give some free pages back to the disk and overwrite what the log still holds of deleted rows; True if nothing is left to do.

    A file that was made without room for that (`auto_vacuum`) keeps its size. Outside of a transaction.
    """
    driver.execute(f"PRAGMA busy_timeout = {round(_POLL * 1000)}")
    try:
        able = driver.execute("PRAGMA auto_vacuum").fetchone()[0] == 2
        if able:
            # A step of it frees one page; only a script is run to its end.
            driver.executescript(f"PRAGMA incremental_vacuum({pages})")
        left = able and driver.execute("PRAGMA freelist_count").fetchone()[0] > 0
        busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy and not left
    finally:
        driver.execute(f"PRAGMA busy_timeout = {round(READ_PATIENCE * 1000)}")


def _identity(path: Path) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _close_to_others(path: Path) -> None:
    try:
        mode = os.stat(path).st_mode & 0o777
        if mode & 0o077:
            os.chmod(path, mode & ~0o077)
    except FileNotFoundError:
        pass
    except OSError as error:
        _LOG.warning(
            "The store %s can be read by others, and that cannot be changed: %s.",
            path,
            error.strerror,
        )
