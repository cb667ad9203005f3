"""Reservations of a key's daily budget, as rows of the database that all servers share.

A call reserves the most it may cost before it starts, and is settled when it ends: the reservation is deleted and what the server
has spent of that day is recorded. Each reservation is a lease of its call: it counts until it is settled, or until its server is
found dead (`runs/servers.py`), which no leap of a clock can make it; one whose server is not known expires. In every transaction
spent + reserved of all servers is at most the limit, since a transaction that reserves holds the lock of all writers.

All calls of a server that wait at the same moment reserve in one transaction, with a few statements for each key and not for each
call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import text

from musespark.store.database.clock import database_time, day_of
from musespark.store.database.database import lock_writers

if TYPE_CHECKING:
    from sqlalchemy import Connection

LEASE = 60.0
"""Seconds for which a reservation of an unknown server counts after it was last renewed."""
MAX_AMOUNT = 10**16
"""Largest amount of a row, in billionths of a dollar: sums of many of them still fit a column."""
_SPLIT = 8
"""Share of a day's budget, one part in this many, from which on a call that wants more than is left gets only half of it."""
_TOTALS = text(
    "SELECT (SELECT coalesce(sum(nanousd), 0) FROM spending WHERE key = :key AND day = :day), "
    "(SELECT coalesce(sum(nanousd), 0) FROM reservations WHERE key = :key AND day = :day "
    "AND (expires > :now OR server IN (SELECT id FROM servers)))"
)
_OWN = text("SELECT nanousd FROM spending WHERE key = :key AND day = :day AND server = :server")
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
_DROP_EXPIRED = text(
    "DELETE FROM reservations WHERE expires <= :now AND server NOT IN (SELECT id FROM servers)"
)


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


def read_totals(
    connection: Connection, key: str, server: str = "", day: str | None = None
) -> tuple[DayTotals, int]:
    """Amounts of a key's day, and the part of it that a server has recorded. day: None is today by the database's clock."""
    now = database_time(connection)
    day = day or day_of(now)
    own = connection.execute(_OWN, {"key": key, "day": day, "server": server}).scalar()
    return _totals(connection, key, day, now), int(own or 0)


def reserve(
    connection: Connection, requests: Sequence[ReservationRequest]
) -> list[tuple[int | None, DayTotals]]:
    """Reserve for calls, in their order. For each: the amount granted, None if there is no room for it, and the day's amounts then.

    A call that fits what is left gets all it wants. One that does not, but can do with less, gets half of what is left if that is
    at least an eighth of the day's budget, so that other calls of the key can run beside it, and else all that is left.
    """
    lock_writers(connection)
    now = database_time(connection)
    # What expired is given to others now: neither a clock set back nor its server's return may bring it to life again.
    connection.execute(_DROP_EXPIRED, {"now": now})
    totals: dict[tuple[str, str], DayTotals] = {}
    rows: list[dict[str, object]] = []
    found: list[tuple[int | None, DayTotals]] = []
    for request in requests:
        at = request.key, request.day
        before = totals.get(at) or _totals(connection, *at, now)
        granted = _grant(request, request.limit - before.spent - before.reserved)
        if before.spent >= request.limit:  # a call of unknown price is not free
            granted = None
        totals[at] = replace(before, reserved=before.reserved + (granted or 0))
        found.append((granted, totals[at]))
        if granted is not None:
            row = {"id": request.id, "key": request.key, "day": request.day}
            expires = now + LEASE
            rows.append({**row, "server": request.server, "nanousd": granted, "expires": expires})
    if rows:
        connection.execute(_RESERVE, rows)
    return found


def _totals(connection: Connection, key: str, day: str, now: float) -> DayTotals:
    spent, reserved = connection.execute(_TOTALS, {"key": key, "day": day, "now": now}).one()
    return DayTotals(day, int(spent), int(reserved))


def _grant(request: ReservationRequest, left: int) -> int | None:
    if request.wanted <= left:
        return request.wanted
    if left <= 0 or request.at_least > left:
        return None
    half = (left + 1) // 2
    return max(request.at_least, half) if half * _SPLIT >= request.limit else left


def close_reservations(connection: Connection, ids: Sequence[str]) -> None:
    """End reservations: their calls were settled, or did not happen. Does nothing for one that is not there."""
    connection.execute(_CLOSE, [{"id": id} for id in ids])


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
