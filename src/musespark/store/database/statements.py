"""Statements of the hot path, for the database's driver: SQLAlchemy takes longer to build them than the database to run them.

They are derived from `schema.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from musespark.store.database.schema import EVENTS, IMAGES, RUNS

Row: TypeAlias = tuple[Any, ...]
"""Values of a row, in the order of `COLUMNS`."""
COLUMNS = {
    table.name: tuple(column.name for column in table.columns if column.name != "seq")
    for table in (RUNS, EVENTS, IMAGES)
}
"""Columns of each table that is written here; the database numbers the rows by itself."""
_BATCH_SIZES = (128, 32, 8, 4, 2, 1)
"""Numbers of rows for which there is a statement. Few, so that each stays prepared; and large ones, since SQLite's module releases
the interpreter lock at each statement and gets it back late from a busy event loop."""


class Cursor(Protocol):
    """A cursor of Python's database drivers (PEP 249)."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Run a statement."""


def insert(cursor: Cursor, mark: str, table: str, rows: Sequence[Row]) -> None:
    """Add rows, their values in the order of `COLUMNS`. mark: the driver's placeholder of a value."""
    at = 0
    for count in _BATCH_SIZES:
        while len(rows) - at >= count:
            values = [value for row in rows[at : at + count] for value in row]
            cursor.execute(_insert_statement(table, count, mark), values)
            at += count


@lru_cache(maxsize=64)
def _insert_statement(table: str, count: int, mark: str) -> str:
    columns = COLUMNS[table]
    row = f"({', '.join([mark] * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * count)}"


@lru_cache(maxsize=2)
def end_statement(mark: str) -> str:
    """The statement that ends a run. Its values: status, tokens, dollars, calls, the run's id."""
    return f"UPDATE runs SET how = {mark}, tokens = {mark}, usd = {mark}, calls = {mark} WHERE id = {mark}"
