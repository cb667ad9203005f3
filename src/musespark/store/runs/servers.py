"""Which servers share a database, which of them are dead, and what becomes of the runs of those.

A server says every few seconds that it is alive. Where it runs on this very machine, its process is looked at instead: after a
kill, a restart knows at once, and a server that was merely suspended is not buried.
"""

from __future__ import annotations

import calendar
import json
import os
import socket
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, delete, extract, func, insert, select, update

from musespark.events import MAIN
from musespark.store.database.database import lock_writers
from musespark.store.database.schema import EVENTS, RUNS, SERVERS, SHARES
from musespark.store.keys.key_store import NANO, today

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ENDS = {"run_ended": "finished", "run_failed": "failed"}
_DAY = 86400
HEARTBEAT_INTERVAL = 10.0
"""Seconds between two signs of life."""
DEAD_AFTER = 60.0
"""Seconds without one after which a server on another machine counts as dead."""


def register(connection: Connection) -> str:
    """Add this process as a server; its new id. What dead ones left is settled."""
    reap(connection)
    id = uuid.uuid4().hex
    _insert_row(connection, id)
    return id


def heartbeat(connection: Connection, id: str) -> bool:
    """A sign of life; and of those who give none any more, what they left is settled. Whether nobody had taken this one for
    dead, and settled what it left."""
    alive = connection.execute(update(SERVERS).where(SERVERS.c.id == id).values(seen=_now(connection))).rowcount
    if not alive:  # somebody took this server for dead while it was suspended
        _insert_row(connection, id)
    reap(connection, but=id)
    return alive > 0


def deregister(connection: Connection, id: str) -> None:
    """This server ends; whatever it has not ended is interrupted."""
    _interrupt_runs(connection, id)


def _insert_row(connection: Connection, id: str) -> None:
    process = _process_identity(os.getpid()) or f"{os.getpid()}@"
    connection.execute(insert(SERVERS).values(id=id, place=_machine(), process=process, seen=_now(connection)))


def reap(connection: Connection, but: str = "") -> None:
    """Settle what dead servers left."""
    lock_writers(connection)
    now = connection.execute(select(_now(connection))).scalar_one()
    for server in connection.execute(select(SERVERS).where(SERVERS.c.id != but)).all():
        process = _process_identity(int(server.process.partition("@")[0])) if server.place == _machine() else ""
        # Another person's process may be there and not to be looked at.
        dead = process != server.process if process else now - server.seen > DEAD_AFTER
        if dead:
            _interrupt_runs(connection, server.id)
            _recall(connection, server.id, now)


def _interrupt_runs(connection: Connection, server: str) -> None:
    """Its unfinished runs are interrupted, with what is known of their cost; what it has not spent is free again."""
    unfinished = select(RUNS.c.id).where(RUNS.c.server == server, RUNS.c.how == "running")
    for (run,) in connection.execute(unfinished).all():
        connection.execute(update(RUNS).where(RUNS.c.id == run).values(**_last_known_cost(connection, run)))
    connection.execute(update(SHARES).where(SHARES.c.server == server).values(granted=SHARES.c.spent))
    connection.execute(delete(SERVERS).where(SERVERS.c.id == server))


def _recall(connection: Connection, server: str, now: float) -> None:
    """What a dead server spent in its last moment it has not written down; but its runs, which are settled, tell of it."""
    for day in (today(now - _DAY), today(now)):
        began = calendar.timegm(time.strptime(day, "%Y-%m-%d"))
        told = (select(RUNS.c.caller, func.sum(RUNS.c.usd)).group_by(RUNS.c.caller)
                .where(RUNS.c.server == server, RUNS.c.created >= began, RUNS.c.created < began + _DAY))
        for caller, usd in connection.execute(told).all():
            spent = round(usd * NANO)
            connection.execute(update(SHARES).values(spent=spent, granted=spent).where(
                SHARES.c.key == caller, SHARES.c.day == day, SHARES.c.server == server, SHARES.c.spent < spent))


def _last_known_cost(connection: Connection, run: str) -> dict[str, Any]:
    """How a run ended and what it has used, as its events say; a call that was under way is not in it."""
    told = (select(EVENTS.c.body).where(EVENTS.c.run == run, EVENTS.c.kind.in_(("spent", *_ENDS)))
            .order_by(EVENTS.c.number.desc()))
    how = "interrupted"
    for (body,) in connection.execute(told):
        try:
            event = json.loads(body)
            how = _ENDS.get(event["kind"], how)
            if event.get("agent", MAIN) == MAIN and "usage" in event:
                return {"how": how, **{name: event["usage"][name] for name in ("tokens", "usd", "calls")}}
        except (ValueError, KeyError, TypeError):
            continue  # damaged: what is whole has to do, or no server would ever start on it
    return {"how": how}


def _now(connection: Connection) -> ColumnElement[Any]:
    """Seconds since 1970 by the database's own clock: those of several machines differ."""
    if connection.dialect.name == "sqlite":
        return (func.julianday("now") - 2440587.5) * 86400.0
    return extract("epoch", func.clock_timestamp())


def _machine() -> str:
    """This machine since it was started, or this container: where process numbers mean what they mean here."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass  # not Linux: its name has to do
    return " ".join(parts)


def _process_identity(number: int) -> str:
    """A process by its number and when it began, for numbers are used again; `-` where it is not there, nothing where that
    cannot be seen."""
    if sys.platform == "win32":
        return ""  # where a signal 0 is not a question
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return "-"
    except OSError:
        pass  # it is another's
    if sys.platform != "linux":
        return f"{number}@"
    try:
        began = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "-" if began[0] in "ZX" else f"{number}@{began[19]}"
