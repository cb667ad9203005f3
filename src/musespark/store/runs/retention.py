"""Retention policy of runs, and their deletion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from musespark.errors import BadOption
from musespark.store.database.schema import EVENTS, IMAGES, RUNS

if TYPE_CHECKING:
    from sqlalchemy import Connection

_AT_ONCE = 50
"""Runs deleted in one transaction; other writers come between."""
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """Retention policy; by default everything is kept. A running run is never deleted."""

    seconds: float | None = None
    """Maximum age of a run."""
    runs: int | None = None
    """Number of newest runs to keep."""

    @classmethod
    def parse(cls, text: str) -> RetentionPolicy:
        """Parse `30d`, `12h`, `90m`, `5000` or `5000 runs`. Raises `BadOption`."""
        found = re.fullmatch(r"(\d{1,9})\s*(m|h|d|runs)?", text.strip())
        if found is None or not int(found[1]):
            raise BadOption(
                "--keep", text, "a time such as 30d or 12h, or a number of runs such as 5000"
            )
        unit = _UNITS.get(found[2] or "")
        return cls(runs=int(found[1])) if unit is None else cls(seconds=int(found[1]) * unit)


def delete_expired(connection: Connection, keep: RetentionPolicy, now: float) -> bool:
    """Delete some of the oldest runs outside the policy; True if there may be more. now: seconds since 1970."""
    doomed = select(RUNS.c.id).where(RUNS.c.how != "running").order_by(RUNS.c.seq).limit(_AT_ONCE)
    if keep.seconds is not None:
        doomed = doomed.where(RUNS.c.created < now - keep.seconds)
    elif keep.runs is not None:
        newest = (
            select(RUNS.c.seq)
            .order_by(RUNS.c.seq.desc())
            .offset(keep.runs)
            .limit(1)
            .scalar_subquery()
        )
        doomed = doomed.where(RUNS.c.seq <= newest)
    else:
        return False
    ids = list(connection.execute(doomed).scalars())
    _delete(connection, ids)
    return len(ids) == _AT_ONCE


def delete_run(connection: Connection, id: str) -> bool:
    """Delete a run that has ended; True if there was one."""
    ids = list(
        connection.execute(
            select(RUNS.c.id).where(RUNS.c.id == id, RUNS.c.how != "running")
        ).scalars()
    )
    _delete(connection, ids)
    return bool(ids)


def _delete(connection: Connection, ids: list[str]) -> None:
    for table in (EVENTS, IMAGES):
        connection.execute(delete(table).where(table.c.run.in_(ids)))
    connection.execute(delete(RUNS).where(RUNS.c.id.in_(ids)))
