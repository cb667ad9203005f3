"""How long runs are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from musespark.errors import BadOption
from musespark.store.schema import EVENTS, IMAGES, RUNS

if TYPE_CHECKING:
    from sqlalchemy import Connection

_AT_ONCE = 50
"""Runs that one transaction forgets: others want to write as well."""
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What is kept: everything, unless told otherwise. A run that goes on is never forgotten."""

    seconds: float | None = None
    """Since a run began."""
    runs: int | None = None
    """The newest so many."""

    @classmethod
    def read(cls, text: str) -> Keep:
        """From `30d`, `12h`, `90m`, `5000` or `5000 runs`. Raises `BadOption`."""
        found = re.fullmatch(r"(\d{1,9})\s*(m|h|d|runs)?", text.strip())
        if found is None or not int(found[1]):
            raise BadOption("--keep", text, "a time such as 30d or 12h, or a number of runs such as 5000")
        unit = _UNITS.get(found[2] or "")
        return cls(runs=int(found[1])) if unit is None else cls(seconds=int(found[1]) * unit)


def forget(connection: Connection, keep: Keep, now: float) -> bool:
    """Delete some of the oldest runs that are not to be kept; whether there may be more. now: seconds since 1970."""
    doomed = select(RUNS.c.id).where(RUNS.c.how != "running").order_by(RUNS.c.seq).limit(_AT_ONCE)
    if keep.seconds is not None:
        doomed = doomed.where(RUNS.c.created < now - keep.seconds)
    elif keep.runs is not None:
        newest = select(RUNS.c.seq).order_by(RUNS.c.seq.desc()).offset(keep.runs).limit(1).scalar_subquery()
        doomed = doomed.where(RUNS.c.seq <= newest)
    else:
        return False
    ids = list(connection.execute(doomed).scalars())
    _delete(connection, ids)
    return len(ids) == _AT_ONCE


def forget_one(connection: Connection, id: str) -> bool:
    """Delete a run; whether there was one that had ended."""
    ids = list(connection.execute(select(RUNS.c.id).where(RUNS.c.id == id, RUNS.c.how != "running")).scalars())
    _delete(connection, ids)
    return bool(ids)


def _delete(connection: Connection, ids: list[str]) -> None:
    for table in (EVENTS, IMAGES):
        connection.execute(delete(table).where(table.c.run.in_(ids)))
    connection.execute(delete(RUNS).where(RUNS.c.id.in_(ids)))
