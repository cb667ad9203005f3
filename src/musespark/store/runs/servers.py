"""Servers that share a database: which of them are dead, and what becomes of the runs and reservations of those.

A server records every few seconds that it is alive. If it runs on this machine its process is looked at instead: a restart after a
kill knows at once, and a server that was merely suspended is not taken for dead. The silence of a server elsewhere is measured by
the observer's own monotonic clock, so that no leap of a clock makes a living server look dead.
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

from sqlalchemy import delete, func, insert, select, update

from musespark.events import MAIN
from musespark.store.database.clock import database_time, day_of
from musespark.store.database.database import lock_writers
from musespark.store.database.schema import EVENTS, RUNS, SERVERS, STOPS
from musespark.store.keys.key_limits import NANO
from musespark.store.keys.reservations import drop_reservations, record_spending, renew_leases

if TYPE_CHECKING:
    from sqlalchemy import Connection

_END_EVENTS = {"run_ended": "finished", "run_failed": "failed"}
_DAY = 86400
HEARTBEAT_INTERVAL = 10.0
"""Seconds between two heartbeats."""
DEAD_AFTER = 60.0
"""Seconds without a heartbeat after which a server on another machine counts as dead."""


class Peers:
    """Other servers, and for how long this one has seen nothing of them."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, float]] = {}
        """The time that each recorded last, and the monotonic time since when it stands there."""

    def silence(self, id: str, seen: float, now: float) -> float:
        """Seconds for which a server was silent.

        seen: the time that it recorded last. now: the database's time, which counts for the first look at a server.
        """
        recorded, since = self._seen.get(id, (None, 0.0))
        if recorded != seen:
            before = max(0.0, now - seen) if recorded is None else 0.0
            since = time.monotonic() - before
            self._seen[id] = seen, since
        return time.monotonic() - since


def register(connection: Connection, peers: Peers) -> str:
    """Add this process as a server, after reaping dead ones; returns its new id."""
    reap(connection, peers)
    id = uuid.uuid4().hex
    _insert_row(connection, id)
    return id


def is_registered(connection: Connection, id: str) -> bool:
    """Record that a server is alive; false if its row is not there."""
    alive = update(SERVERS).where(SERVERS.c.id == id).values(seen=database_time(connection))
    return bool(connection.execute(alive).rowcount)


def heartbeat(connection: Connection, id: str, peers: Peers) -> None:
    """Record that a server is alive, renew the leases of its calls, and reap dead servers."""
    lock_writers(connection)
    if not is_registered(connection, id):
        # Another server took this one for dead while it was suspended, or the store is an older copy.
        _insert_row(connection, id)
    renew_leases(connection, id)
    reap(connection, peers, but=id)


def deregister(connection: Connection, id: str) -> None:
    """Remove a server that ends; runs it has not ended are interrupted."""
    lock_writers(connection)
    _remove(connection, id)


def request_stop(connection: Connection, run: str) -> bool:
    """Ask the server that runs a run to stop it; false if no server runs it."""
    lock_writers(connection)
    running = select(RUNS.c.server).where(RUNS.c.id == run, RUNS.c.how == "running")
    server = connection.execute(running).scalar()
    if server is None:
        return False
    connection.execute(delete(STOPS).where(STOPS.c.run == run))
    connection.execute(insert(STOPS).values(run=run, server=server))
    return True


def take_stops(connection: Connection, id: str) -> list[str]:
    """Take the requests to stop runs of a server."""
    found = list(connection.execute(select(STOPS.c.run).where(STOPS.c.server == id)).scalars())
    if found:
        connection.execute(delete(STOPS).where(STOPS.c.run.in_(found)))
    return found


def missing_runs(connection: Connection, runs: list[str]) -> list[str]:
    """The runs of which the database has no row."""
    found = set(connection.execute(select(RUNS.c.id).where(RUNS.c.id.in_(runs))).scalars())
    return [run for run in runs if run not in found]


def reap(connection: Connection, peers: Peers, but: str = "") -> None:
    """Remove dead servers, and interrupt their runs. but: the id of a server that is left alone."""
    lock_writers(connection)
    now = database_time(connection)
    for server in connection.execute(select(SERVERS).where(SERVERS.c.id != but)).all():
        silence = peers.silence(server.id, server.seen, now)
        process = (
            _process_identity(int(server.process.partition("@")[0]))
            if server.place == _machine()
            else ""
        )
        # A process of another user may be alive without being visible here: then its heartbeat counts.
        dead = process != server.process if process else silence > DEAD_AFTER
        if dead:
            _remove(connection, server.id)
            _record_last_spending(connection, server.id, now)


def _insert_row(connection: Connection, id: str) -> None:
    process = _process_identity(os.getpid()) or f"{os.getpid()}@"
    connection.execute(
        insert(SERVERS).values(
            id=id, place=_machine(), process=process, seen=database_time(connection)
        )
    )


def _remove(connection: Connection, server: str) -> None:
    """Interrupt its unfinished runs with the cost that is known of them, and free what its calls had reserved."""
    unfinished = select(RUNS.c.id).where(RUNS.c.server == server, RUNS.c.how == "running")
    for (run,) in connection.execute(unfinished).all():
        connection.execute(
            update(RUNS).where(RUNS.c.id == run).values(**_last_known_cost(connection, run))
        )
    drop_reservations(connection, server)
    connection.execute(delete(STOPS).where(STOPS.c.server == server))
    connection.execute(delete(SERVERS).where(SERVERS.c.id == server))


def _record_last_spending(connection: Connection, server: str, now: float) -> None:
    """Record what a dead server spent in its last moment, as far as the events of its runs tell."""
    for day in (day_of(now - _DAY), day_of(now)):
        began = calendar.timegm(time.strptime(day, "%Y-%m-%d"))
        costs = (
            select(RUNS.c.caller, func.sum(RUNS.c.usd))
            .group_by(RUNS.c.caller)
            .where(
                RUNS.c.server == server,
                RUNS.c.caller != "",
                RUNS.c.created >= began,
                RUNS.c.created < began + _DAY,
            )
        )
        for caller, usd in connection.execute(costs).all():
            record_spending(connection, caller, day, server, round(usd * NANO))


def _last_known_cost(connection: Connection, run: str) -> dict[str, Any]:
    """Status and cost of a run as its events tell; the cost of a call that was under way is unknown."""
    told = (
        select(EVENTS.c.body)
        .where(EVENTS.c.run == run, EVENTS.c.kind.in_(("spent", *_END_EVENTS)))
        .order_by(EVENTS.c.number.desc())
    )
    status = "interrupted"
    for (body,) in connection.execute(told):
        try:
            event = json.loads(body)
            status = _END_EVENTS.get(event["kind"], status)
            if event.get("agent", MAIN) == MAIN and "usage" in event:
                return {
                    "how": status,
                    **{name: event["usage"][name] for name in ("tokens", "usd", "calls")},
                }
        except (ValueError, KeyError, TypeError):
            continue  # a damaged event must keep no server from starting
    return {"how": status}


def _machine() -> str:
    """This machine since it was booted, or this container: the space in which a process number has its meaning."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass  # not Linux: the host's name must do
    return " ".join(parts)


def _process_identity(number: int) -> str:
    """A process by its number and start time, since numbers are reused; `-` if there is none, empty if that cannot be seen."""
    if sys.platform == "win32":
        return ""  # a signal 0 would end the process there
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return "-"
    except OSError:
        pass  # it belongs to another user
    if sys.platform != "linux":
        return f"{number}@"
    try:
        stat = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "-" if stat[0] in "ZX" else f"{number}@{stat[19]}"
