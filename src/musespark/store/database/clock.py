"""The database's own clock: the one clock that all servers on a database share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, extract, func, select

if TYPE_CHECKING:
    from sqlalchemy import Connection


def now_expression(connection: Connection) -> ColumnElement[Any]:
    """Seconds since 1970 by the database's clock, as an SQL expression."""
    if connection.dialect.name == "sqlite":
        return (func.julianday("now") - 2440587.5) * 86400.0
    return extract("epoch", func.clock_timestamp())


def database_time(connection: Connection) -> float:
    """Seconds since 1970 by the database's clock. Postgres computes them as a decimal number; they are a float here."""
    return float(connection.execute(select(now_expression(connection))).scalar_one())


def day_of(seconds: float) -> str:
    """The day in UTC, such as 2026-01-31. seconds: since 1970."""
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
