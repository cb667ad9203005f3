"""The database of a server: connections, transactions, migrations, and errors in one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musespark.errors import NotInstalled, StoreUnusable
from musespark.store.database.statements import Cursor
from musespark.store.votes import BUSY_TIMEOUT, default_votes_path, enable_wal

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

LATEST_REVISION = "0004"
"""The newest migration."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_305_823_017
"""Advisory lock that servers on one Postgres hold while they migrate."""
_TURN = _LOCK + 1
_BEGIN = "BEGIN IMMEDIATE"
"""Begins a transaction that writes: one that only reads first could find that another has written in between."""


def default_runs_path() -> Path:
    """Default file of runs and keys: beside the votes, in the user's data directory."""
    return default_votes_path().with_name("runs.db")


class Database:
    """An SQLite file or a Postgres database, with today's tables.

    SQLite writes ahead (WAL) and does not wait for the disk at each commit (`synchronous = NORMAL`): what is committed
    survives the death of the process, however sudden; of a power cut it survives all but the last moment, and stays whole.
    Postgres waits as it is configured to.
    """

    def __init__(self, where: str | Path | None = None) -> None:
        """where: a file, or a URL as in `postgresql://user@host/name`; None is `runs_path()`.

        Makes the file and the tables if need be, and brings older ones up to date. Raises `StoreUnusable` and `NotInstalled`.
        """
        try:
            import sqlalchemy
        except ImportError:
            raise NotInstalled("A store of runs", "sqlalchemy", "serve") from None
        self._troubles: tuple[type[Exception], ...] = (sqlalchemy.exc.SQLAlchemyError, OSError)
        text = str(where or default_runs_path())
        self.name = text
        """Name for error sentences, without a password."""
        if "://" in text:
            self.engine = self._postgres(text)
        else:
            self.engine = self._sqlite(Path(text).expanduser())
        self._troubles += (self.engine.dialect.loaded_dbapi.Error,)
        try:
            with self.translating_errors():
                self._migrate()
        except BaseException:
            self.engine.dispose()
            raise

    @property
    def is_sqlite(self) -> bool:
        """True if it is an SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def translating_errors(self) -> Iterator[None]:
        """Turn errors of the database into `StoreUnusable`."""
        try:
            yield
        except self._troubles as error:
            raise self.error_for(error) from error

    def error_for(self, error: Exception) -> StoreUnusable:
        """The sentence for a database's error, without its statement and its values."""
        cause = getattr(error, "orig", None) or error
        reason = " ".join(str(getattr(cause, "strerror", None) or cause).split()).rstrip(".")
        return self._unusable(reason or type(cause).__name__)

    def _unusable(self, reason: str) -> StoreUnusable:
        return StoreUnusable(
            self.name, reason, "see that it can be written to, or name another with --store"
        )

    @contextmanager
    def begin_write(self) -> Iterator[Connection]:
        """Begin a transaction that writes; it is committed at the end, or rolled back. Raises `StoreUnusable`."""
        with self.translating_errors(), self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def raw_cursor(self) -> Iterator[Cursor]:
        """Begin a transaction that writes through the driver alone (`statements.py`). Raises `StoreUnusable`."""
        with self.translating_errors():
            connection = self.engine.raw_connection()
            try:
                cursor = connection.cursor()
                if self.is_sqlite:
                    cursor.execute(_BEGIN)
                yield cursor
                connection.commit()
            finally:
                connection.close()  # rolls back unless committed

    @property
    def placeholder(self) -> str:
        """Placeholder of a value in the driver's statements."""
        return "?" if self.is_sqlite else "%s"

    @contextmanager
    def begin_read(self) -> Iterator[Connection]:
        """Begin a transaction that reads a consistent snapshot. Raises `StoreUnusable`."""
        with self.translating_errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _sqlite(self, path: Path) -> Engine:
        from sqlalchemy import URL, create_engine, event

        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # readable by its owner alone
        except (OSError, ValueError) as error:
            raise self.error_for(error) from error
        file = str(path.absolute())  # or SQLite would take some names for its own
        options = {"timeout": BUSY_TIMEOUT, "check_same_thread": False}
        engine = create_engine(URL.create("sqlite", database=file), connect_args=options)

        @event.listens_for(engine, "connect")
        def connected(connection: Any, record: Any) -> None:
            connection.isolation_level = None  # transactions begin explicitly
            enable_wal(connection)
            # Deleted rows are overwritten, which makes deletions slower and nothing else.
            for setting in ("synchronous = NORMAL", "temp_store = MEMORY", "secure_delete = ON"):
                connection.execute(f"PRAGMA {setting}")

        @event.listens_for(engine, "begin")
        def begins(connection: Connection) -> None:
            writes = connection.get_execution_options().get("writes")
            connection.exec_driver_sql(_BEGIN if writes else "BEGIN")

        return engine

    def _postgres(self, url: str) -> Engine:
        from sqlalchemy import create_engine, make_url
        from sqlalchemy.exc import ArgumentError

        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            self.name = url.partition("://")[0] + "://..."
            raise self._unusable("it is not a URL that can be read") from None
        self.name = parsed.render_as_string(hide_password=True)
        if parsed.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
            raise self._unusable("only files and postgresql:// are known")
        try:
            import psycopg  # noqa: F401
        except ImportError:
            raise NotInstalled("A store in Postgres", "psycopg", "postgres") from None
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=8
        )

    def _migrate(self) -> None:
        """Apply Alembic's migrations, all in one transaction; Alembic is imported only if one is needed."""
        from sqlalchemy import inspect, text

        def version(connection: Connection) -> str | None:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if found is not None and not inspect(connection).has_table("runs"):
                raise self._unusable("the tables of another program are in it")
            return found

        with self.begin_read() as connection:
            if version(connection) == LATEST_REVISION:
                return
        with self.begin_write() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            found = version(connection)  # another server may have been first
            if found == LATEST_REVISION:
                return
            if found is None and self.is_sqlite and inspect(connection).get_table_names():
                raise self._unusable(
                    "it is the file of another program"
                )  # of Postgres, several may share one database
            if found is not None and not any(_MIGRATIONS.glob(f"versions/v{found}_*.py")):
                raise self._unusable(
                    f"a newer version of musespark (tables {found}) has written it"
                )
            _upgrade(connection)


def lock_writers(connection: Connection) -> None:
    """Take the lock of all servers' writers until the transaction ends.

    SQLite has one writer anyway. In Postgres, two that write the same rows in another order would deadlock.
    """
    from sqlalchemy import text

    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _TURN})


def _upgrade(connection: Connection) -> None:
    try:
        from alembic import command
        from alembic.config import Config
    except ImportError:
        raise NotInstalled("A store of runs", "alembic", "serve") from None
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
