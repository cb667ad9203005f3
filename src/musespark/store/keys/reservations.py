"""Reservations of a key's daily budget, as rows of the database that all servers share.

A call reserves the most it may cost before it starts, and is settled when it ends: the reservation is deleted and what the server
has spent of that day is recorded. Each reservation is a lease on the call: it expires unless its server, which renews it with
every heartbeat, is alive. In every transaction spent + reserved of all servers is at most the limit, since a transaction that
reserves holds the lock of all writers; times are the database's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from musespark.store.database.clock import database_time, day_of
from musespark.store.database.database import lock_writers

if TYPE_CHECKING:
    from sqlalchemy import Connection

LEASE = 60.0
"""Seconds for which a reservation counts after its server last renewed it."""
MAX_AMOUNT = 10**16
"""Largest amount of a row, in billionths of a dollar: sums of many of them still fit a column."""
_SPLIT = 8
"""Share of a day's budget, one part in this many, from which on a call that wants more than is left gets only half of it."""
_TOTALS = text(
    "SELECT (SELECT coalesce(sum(nanousd), 0) FROM spending WHERE key = :key AND day = :day), "
    "(SELECT coalesce(sum(nanousd), 0) FROM reservations WHERE key = :key AND day = :day AND expires > :now)"
)
_RESERVE = text(
    "INSERT INTO reservations (id, key, day, server, nanousd, expires) VALUES (:id, :key, :day, :server, :nanousd, :expires)"
)
_CLOSE = text("DELETE FROM reservations WHERE id = :id")
_RECORD = text(
    "INSERT INTO spending (key, day, server, nanousd) VALUES (:key, :day, :server, :nanousd) ON CONFLICT (key, day, server) "
    "DO UPDATE SET nanousd = excluded.nanousd WHERE spending.nanousd < excluded.nanousd"
)
_RENEW = text(
    "UPDATE reservations SET expires = :expires WHERE server = :server AND expires > :now"
)
_DROP = text("DELETE FROM reservations WHERE server = :server")


@dataclass(frozen=True, slots=True)
class DayTotals:
    """Amounts of a key's day over all servers, in billionths of a dollar."""

    day: str
    """The day in UTC, such as 2026-01-31."""
    spent: int
    reserved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationRequest:
    """A call that asks for money. Amounts in billionths of a dollar."""

    id: str
    key: str
    day: str
    server: str
    limit: int
    """Daily limit of the key."""
    wanted: int
    at_least: int


def read_totals(connection: Connection, key: str, day: str | None = None) -> DayTotals:
    """Amounts of a key's day. day: None is today by the database's clock."""
    now = database_time(connection)
    day = day or day_of(now)
    spent, reserved = connection.execute(_TOTALS, {"key": key, "day": day, "now": now}).one()
    return DayTotals(day, int(spent), int(reserved))


def reserve(connection: Connection, request: ReservationRequest) -> tuple[int | None, DayTotals]:
    """Reserve for a call; returns the amount granted, None if there is no room for it, and the day's amounts after that.

    A call that fits what is left gets all it wants. One that does not, but can do with less, gets half of what is left if that is
    at least an eighth of the day's budget, so that other calls of the key can run beside it, and else all that is left.
    """
    lock_writers(connection)
    now = database_time(connection)
    spent, reserved = connection.execute(
        _TOTALS, {"key": request.key, "day": request.day, "now": now}
    ).one()
    totals = DayTotals(request.day, int(spent), int(reserved))
    granted = _grant(request, request.limit - totals.spent - totals.reserved)
    if granted is None or totals.spent >= request.limit:  # a call of unknown price is not free
        return None, totals
    connection.execute(
        _RESERVE,
        {
            "id": request.id,
            "key": request.key,
            "day": request.day,
            "server": request.server,
            "nanousd": granted,
            "expires": now + LEASE,
        },
    )
    return granted, DayTotals(totals.day, totals.spent, totals.reserved + granted)


def _grant(request: ReservationRequest, left: int) -> int | None:
    if request.wanted <= left:
        return request.wanted
    if left <= 0 or request.at_least > left:
        return None
    half = (left + 1) // 2
    return max(request.at_least, half) if half * _SPLIT >= request.limit else left


def close_reservation(connection: Connection, id: str) -> None:
    """End a reservation: its call was settled, or did not happen. Does nothing if there is none."""
    connection.execute(_CLOSE, {"id": id})


def record_spending(connection: Connection, key: str, day: str, server: str, nanousd: int) -> None:
    """Record all that a server has spent of a key's day so far. May be repeated: amounts only grow."""
    connection.execute(
        _RECORD, {"key": key, "day": day, "server": server, "nanousd": min(nanousd, MAX_AMOUNT)}
    )


def renew_leases(connection: Connection, server: str) -> None:
    """Renew the reservations of a server that have not expired."""
    now = database_time(connection)
    connection.execute(_RENEW, {"server": server, "now": now, "expires": now + LEASE})


def drop_reservations(connection: Connection, server: str) -> None:
    """Delete the reservations of a server that is gone."""
    connection.execute(_DROP, {"server": server})
