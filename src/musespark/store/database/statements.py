"""The statements of every run, through the database's driver: SQLAlchemy takes longer to say them than the database to do them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

Row: TypeAlias = tuple[Any, ...]
COLUMNS = {
    "runs": ("id", "server", "protocol", "model", "caller", "created", "conversation", "how", "tokens", "usd", "calls",
             "options"),
    "events": ("run", "number", "kind", "body"),
    "pictures": ("run", "place", "number", "media_type", "data"),
}
_AT_ONCE = (128, 32, 8, 4, 2, 1)
"""Numbers of rows for which there is a statement: SQLite's module lets go of the interpreter at each, and a busy one is slow to
come back; but few, so that each stays prepared."""


class Cursor(Protocol):
    """What executes statements, as Python's database drivers have it (PEP 249)."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Do it."""


def insert(cursor: Cursor, mark: str, table: str, rows: Sequence[Row]) -> None:
    """Add rows, the values in the order of `COLUMNS`. mark: what stands for a value."""
    at = 0
    for count in _AT_ONCE:
        while len(rows) - at >= count:
            values = [value for row in rows[at:at + count] for value in row]
            cursor.execute(_insertion(table, count, mark), values)
            at += count


@lru_cache(maxsize=64)
def _insertion(table: str, count: int, mark: str) -> str:
    columns = COLUMNS[table]
    row = f"({', '.join([mark] * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * count)}"


@lru_cache(maxsize=2)
def ending(mark: str) -> str:
    """The statement that ends a run. Its values: how, tokens, dollars, calls, the run."""
    return f"UPDATE runs SET how = {mark}, tokens = {mark}, usd = {mark}, calls = {mark} WHERE id = {mark}"
