"""Which servers share a database, which of them are dead, and what becomes of the runs of those.

A server says every few seconds that it is alive. Where it runs on this very machine, its process is looked at instead: after a
kill, a restart knows at once, and a server that was merely suspended is not buried.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, delete, extract, func, insert, select, update

from musespark.events import MAIN
from musespark.store.schema import EVENTS, RUNS, SERVERS, SHARES

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ENDS = {"run_ended": "finished", "run_failed": "failed"}
BEAT = 10.0
"""Seconds between two signs of life."""
SILENCE = 60.0
"""Seconds without one after which a server on another machine counts as dead."""


def enter(connection: Connection) -> str:
    """Add this process as a server; its new id. What dead ones left is settled."""
    bury(connection)
    id = uuid.uuid4().hex
    connection.execute(insert(SERVERS).values(id=id, place=_place(), process=_process(os.getpid()), seen=_now(connection)))
    return id


def beat(connection: Connection, id: str) -> None:
    """A sign of life; and of those who give none any more, what they left is settled."""
    alive = connection.execute(update(SERVERS).where(SERVERS.c.id == id).values(seen=_now(connection))).rowcount
    if not alive:  # somebody took this server for dead while it was suspended
        connection.execute(insert(SERVERS).values(id=id, place=_place(), process=_process(os.getpid()), seen=_now(connection)))
    bury(connection, but=id)


def leave(connection: Connection, id: str) -> None:
    """This server ends; whatever it has not ended is interrupted."""
    _settle(connection, id)


def bury(connection: Connection, but: str = "") -> None:
    """Settle what dead servers left."""
    now = connection.execute(select(_now(connection))).scalar_one()
    for server in connection.execute(select(SERVERS).where(SERVERS.c.id != but)).all():
        if server.place == _place() and sys.platform != "win32":
            number = int(server.process.partition("@")[0])
            dead = _process(number) != server.process
        else:
            dead = now - server.seen > SILENCE
        if dead:
            _settle(connection, server.id)


def _settle(connection: Connection, server: str) -> None:
    """Its unfinished runs are interrupted, with what is known of their cost; what it has not spent is free again."""
    unfinished = select(RUNS.c.id).where(RUNS.c.server == server, RUNS.c.how == "running")
    for (run,) in connection.execute(unfinished).all():
        connection.execute(update(RUNS).where(RUNS.c.id == run).values(**_last_known(connection, run)))
    connection.execute(update(SHARES).where(SHARES.c.server == server).values(granted=SHARES.c.spent))
    connection.execute(delete(SERVERS).where(SERVERS.c.id == server))


def _last_known(connection: Connection, run: str) -> dict[str, Any]:
    """How a run ended and what it has used, as its events say; a call that was under way is not in it."""
    told = (select(EVENTS.c.body).where(EVENTS.c.run == run, EVENTS.c.kind.in_(("spent", *_ENDS)))
            .order_by(EVENTS.c.number.desc()))
    how = "interrupted"
    for (body,) in connection.execute(told):
        event = json.loads(body)
        how = _ENDS.get(event["kind"], how)
        if event.get("agent", MAIN) == MAIN and "usage" in event:
            return {"how": how, **{name: event["usage"][name] for name in ("tokens", "usd", "calls")}}
    return {"how": how}


def _now(connection: Connection) -> ColumnElement[Any]:
    """Seconds since 1970 by the database's own clock: those of several machines differ."""
    if connection.dialect.name == "sqlite":
        return (func.julianday("now") - 2440587.5) * 86400.0
    return extract("epoch", func.clock_timestamp())


def _place() -> str:
    """This machine since it was started, or this container: where process numbers mean what they mean here."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass  # not Linux: its name has to do
    return " ".join(parts)


def _process(number: int) -> str:
    """A process by its number and when it began, for numbers are used again; `-` where it is not there."""
    if sys.platform == "linux":
        try:
            began = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return "-"
        return "-" if began[0] in "ZX" else f"{number}@{began[19]}"
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return "-"
    except OSError:
        pass  # it is another's
    return f"{number}@"
