"""Many rows in one statement: SQLite's module lets go of the interpreter at each, and a busy one is slow to come back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

COLUMNS = {
    "runs": ("id", "server", "protocol", "model", "caller", "created", "conversation", "how", "tokens", "usd", "calls",
             "options"),
    "events": ("run", "number", "kind", "body"),
    "pictures": ("run", "place", "number", "media_type", "data"),
}
_AT_ONCE = (128, 16, 4, 1)
"""Numbers of rows for which there is a statement: few, so that each stays prepared."""


def insert(connection: Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows, the values in the order of `COLUMNS`."""
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    at = 0
    for count in _AT_ONCE:
        while len(rows) - at >= count:
            values = tuple(value for row in rows[at:at + count] for value in row)
            connection.exec_driver_sql(_statement(table, count, mark), values)
            at += count


@lru_cache(maxsize=64)
def _statement(table: str, count: int, mark: str) -> str:
    columns = COLUMNS[table]
    row = f"({', '.join([mark] * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * count)}"
