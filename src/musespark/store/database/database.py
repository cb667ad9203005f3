"""The database of a server: connections, transactions, migrations, and errors in one sentence."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from musespark.errors import NotInstalled, StoreUnusable
from musespark.store.database.faults import classify
from musespark.store.database.postgres import limits_statement, make_postgres_engine, shown_url
from musespark.store.database.sqlite_file import (
    SqliteFile,
    begin_immediate,
    give_room_back,
    make_sqlite_engine,
)
from musespark.store.database.statements import Cursor
from musespark.store.votes import default_votes_path

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

LATEST_REVISION = "0006"
"""The newest migration."""
PATIENCE = 10.0
"""Seconds that a transaction which writes waits for the locks of others."""
_RECHECK = 0.25
"""Seconds between two looks whether the database still answers, while a thread reads from it."""
_Result = TypeVar("_Result")
_MIGRATION_PATIENCE = 120.0
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_305_823_017
"""Advisory lock that servers on one Postgres hold while they migrate."""
_TURN = _LOCK + 1
_MISTYPED = re.compile(r"postgres(ql)?(\+\w+)?(:|//)", re.IGNORECASE)
"""Beginning of a URL without its `://`."""
_REASONS = {
    "missing": "its file is gone",
    "replaced": "another file has taken its place",
    "unreachable": "its folder cannot be read",
}


def is_url(text: str) -> bool:
    """True for a URL, and for one that was mistyped: taken for a file, its name would show a password."""
    return "://" in text or _MISTYPED.match(text) is not None


def default_runs_path() -> Path:
    """Default file of runs and keys: beside the votes, in the user's data directory."""
    return default_votes_path().with_name("runs.db")


class Database:
    """An SQLite file or a Postgres database, with today's tables.

    SQLite writes ahead (WAL) and does not wait for the disk at each commit (`synchronous = NORMAL`): what is committed
    survives the death of the process, however sudden; of a power cut it survives all but the last moment, and stays whole.
    Postgres waits as it is configured to.
    """

    def __init__(self, where: str | Path | None = None, *, create: bool = True) -> None:
        """where: a file, or a URL as in `postgresql://user@host/name`; None is `default_runs_path()`. create: false for a store
        that must be there already.

        Makes the file and the tables if need be, and brings older ones up to date. Raises `StoreUnusable` and `NotInstalled`.
        """
        try:
            import sqlalchemy
        except ImportError:
            raise NotInstalled("A store of runs", "sqlalchemy", "serve") from None
        self._troubles: tuple[type[Exception], ...] = (sqlalchemy.exc.SQLAlchemyError, OSError)
        self._create = create
        text = str(where or default_runs_path())
        self.name = text
        """Name for error sentences, without a password."""
        self.file: SqliteFile | None = None
        """The file of an SQLite database."""
        self.down: StoreUnusable | None = None
        """Error with which reads and writes fail at once, while a monitor finds that the database does not answer."""
        self.engine = self._postgres(text) if is_url(text) else self._sqlite(text)
        self._troubles += (self.engine.dialect.loaded_dbapi.Error,)
        try:
            with self.translating_errors():
                self._migrate()
                if self.file is not None:
                    self.file.remember()
        except BaseException:
            self.engine.dispose()
            raise
        self._create = False

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
        return self.unusable(reason or type(cause).__name__, classify(error))

    def unusable(self, reason: str, fault: str = "other") -> StoreUnusable:
        """The error of a database that cannot be used. fault: its code, of `faults.py`."""
        instead = "see that it can be written to, or name another with --store"
        return StoreUnusable(self.name, reason, instead, fault=fault)

    async def in_thread(self, function: Callable[..., _Result], *args: Any) -> _Result:
        """Run a function that reads in a thread. Raises `StoreUnusable` once the database is known not to answer."""
        reading = asyncio.ensure_future(asyncio.to_thread(function, *args))
        while not (await asyncio.wait([reading], timeout=_RECHECK))[0]:
            if self.down is not None:
                reading.add_done_callback(lambda done: done.cancelled() or done.exception())
                raise self.down
        return reading.result()

    def require_usable(self) -> None:
        """Raise `StoreUnusable` if the database does not answer, or its file is gone or was replaced."""
        if self.down is not None:
            raise self.down
        self.require_file()

    def require_file(self) -> None:
        """Raise `StoreUnusable` if the file that was opened is gone, or another has taken its place."""
        fault = None if self.file is None else self.file.fault()
        if fault is not None:
            raise self.unusable(_REASONS[fault], fault)

    def reopen(self) -> None:
        """Open the database that is there now, in place of the one that was opened. Raises `StoreUnusable`."""
        self.engine.dispose()
        with self.translating_errors():
            if self.file is not None:
                self.file.make(create=False)
            self._migrate()
            if self.file is not None:
                self.file.remember()

    @contextmanager
    def begin_write(
        self, patience: float = PATIENCE, *, checked: bool = True
    ) -> Iterator[Connection]:
        """Begin a transaction that writes; it is committed at the end, or rolled back. Raises `StoreUnusable`.

        patience: seconds to wait for the locks of others. checked: false for a file that is not the one that was opened.
        """
        if checked:
            self.require_usable()
        with self.translating_errors(), self.engine.connect() as connection:
            connection = connection.execution_options(writes=True, patience=patience)
            with connection.begin():
                yield connection

    @contextmanager
    def raw_cursor(self) -> Iterator[Cursor]:
        """Begin a transaction that writes through the driver alone (`statements.py`). Raises `StoreUnusable`."""
        self.require_usable()
        with self.translating_errors():
            connection = self.engine.raw_connection()
            try:
                cursor = connection.cursor()
                if self.is_sqlite:
                    begin_immediate(connection.dbapi_connection, PATIENCE)
                else:
                    cursor.execute(limits_statement(PATIENCE))
                yield cursor
                connection.commit()
            finally:
                connection.close()  # rolls back unless committed

    @property
    def placeholder(self) -> str:
        """Placeholder of a value in the driver's statements."""
        return "?" if self.is_sqlite else "%s"

    @contextmanager
    def begin_read(self, *, checked: bool = True) -> Iterator[Connection]:
        """Begin a transaction that reads a consistent snapshot. Raises `StoreUnusable`."""
        if checked:
            self.require_usable()
        with self.translating_errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    def give_room_back(self, pages: int = 2000) -> bool:
        """Overwrite what the files still hold of deleted rows, and shrink an SQLite file a little; True if nothing is left to do.

        Raises `StoreUnusable`.
        """
        if not self.is_sqlite:
            return True  # Postgres does that by itself (autovacuum)
        self.require_file()
        with self.translating_errors():
            connection = self.engine.raw_connection()
            try:
                return give_room_back(connection.dbapi_connection, pages)
            finally:
                connection.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _sqlite(self, text: str) -> Engine:
        try:
            self.file = SqliteFile(Path(text).expanduser())
            self.file.make(self._create)
        except FileNotFoundError:
            raise self.unusable("there is no such file", "missing") from None
        except (OSError, ValueError, RuntimeError) as error:
            raise self.error_for(error) from error
        return make_sqlite_engine(self.file)

    def _postgres(self, url: str) -> Engine:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            self.name = re.split(r"\W", url)[0] + "://..."
            raise self.unusable("it is not a URL that can be read") from None
        self.name = shown_url(parsed)
        if parsed.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
            raise self.unusable("only files and postgresql:// are known")
        try:
            import psycopg  # noqa: F401
        except ImportError:
            raise NotInstalled("A store in Postgres", "psycopg", "postgres") from None
        return make_postgres_engine(parsed)

    def _migrate(self) -> None:
        """Apply Alembic's migrations, all in one transaction; Alembic is imported only if one is needed.

        If the store must be there already, one without tables is none.
        """
        from sqlalchemy import inspect, text

        def version(connection: Connection) -> str | None:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if found is not None and not inspect(connection).has_table("runs"):
                raise self.unusable("the tables of another program are in it")
            return found

        with self.begin_read(checked=False) as connection:
            found = version(connection)
            if found == LATEST_REVISION:
                return
            if found is None and not self._create:
                raise self.unusable("it has no tables of a store", "missing")
        with self.begin_write(_MIGRATION_PATIENCE, checked=False) as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            found = version(connection)  # another server may have been first
            if found == LATEST_REVISION:
                return
            if found is None and self.is_sqlite and inspect(connection).get_table_names():
                raise self.unusable(
                    "it is the file of another program"
                )  # of Postgres, several may share one database
            if found is not None and not any(_MIGRATIONS.glob(f"versions/v{found}_*.py")):
                raise self.unusable(f"a newer version of musespark (tables {found}) has written it")
            _upgrade(connection)


def lock_writers(connection: Connection) -> None:
    """Take the lock of all servers' writers until the transaction ends.

    SQLite has one writer anyway. In Postgres, two that write the same rows in another order would deadlock.
    """
    from sqlalchemy import text

    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _TURN})


def lock_tables(connection: Connection) -> None:
    """Wait for every table to take writes, which another program's lock may prevent; SQLite has one lock for all of them."""
    from sqlalchemy import text

    from musespark.store.database.schema import METADATA

    if connection.dialect.name != "sqlite":
        names = ", ".join(METADATA.tables)
        connection.execute(text(f"LOCK TABLE {names} IN ROW EXCLUSIVE MODE"))


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
