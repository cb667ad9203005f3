"""The newest runs, each with as much as a list shows.

A run that ended with an answer has all of that in its first and last event, however long it is. Of any other, the text is read as
far as a list shows it.
"""

from __future__ import annotations

import json
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, func, select

from musespark.store.database.schema import EVENTS, IMAGES, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, CursorResult, Select

CHARACTERS = 300
"""Characters read of the text of a run without an answer; a list shows fewer."""


def newest(
    connection: Connection, limit: int, before: str | None, caller: str | None
) -> list[tuple[Row[Any], list[str]]]:
    """Rows of runs, the newest first, without their conversations and with the number of their images as `drawn`; and with each
    the bodies of the events that a summary needs, in order. before: a run's id; only runs that began before it."""
    return [
        (row, list(_bodies(connection, row)))
        for row in connection.execute(_rows(limit, before, caller)).all()
    ]


def _rows(limit: int, before: str | None, caller: str | None) -> Select[Any]:
    wanted = (
        select(*(column for column in RUNS.c if column is not RUNS.c.conversation))
        .order_by(RUNS.c.seq.desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(
            RUNS.c.seq < select(RUNS.c.seq).where(RUNS.c.id == before).scalar_subquery()
        )
    if caller is not None:
        wanted = wanted.where(RUNS.c.caller == caller)
    page = wanted.subquery("page")
    first, last, all_events = (
        EVENTS.alias("first"),
        EVENTS.alias("last"),
        EVENTS.alias("all_events"),
    )
    newest_event = (
        select(func.max(all_events.c.number)).where(all_events.c.run == page.c.id).scalar_subquery()
    )
    drawn = (
        select(func.count())
        .where(IMAGES.c.run == page.c.id, IMAGES.c.place == "drawn")
        .scalar_subquery()
    )
    joined = page.outerjoin(first, (first.c.run == page.c.id) & (first.c.number == 0)).outerjoin(
        last, (last.c.run == page.c.id) & (last.c.number == newest_event)
    )
    return (
        select(
            page,
            drawn.label("drawn"),
            first.c.body.label("first"),
            last.c.body.label("last"),
            last.c.number.label("at"),
            last.c.kind.label("last_kind"),
        )
        .select_from(joined)
        .order_by(page.c.seq.desc())
    )


def _bodies(connection: Connection, row: Row[Any]) -> Iterator[str]:
    if row.first is not None:
        yield row.first
    if row.at and row.last_kind != "run_ended":
        yield from _so_far(connection, row.id, row.at)
    if row.at:
        yield row.last


def _so_far(connection: Connection, run: str, before: int) -> list[str]:
    """Events between the first and that one: the text that still counts, the usage and the verdict.

    Usage is counted for an agent first and for the whole run then, so the newest count is the run's.
    """
    between = EVENTS.c.run == run, EVENTS.c.number > 0, EVENTS.c.number < before
    wanted = select(EVENTS.c.number, EVENTS.c.body).where(*between)
    newest_of = connection.execute(
        select(EVENTS.c.kind, func.max(EVENTS.c.number))
        .group_by(EVENTS.c.kind)
        .where(*between, EVENTS.c.kind.in_(("answer_dropped", "spent", "verified", "abstained")))
    )
    last = {kind: number for kind, number in newest_of}
    dropped = last.pop("answer_dropped", 0)
    last = {
        kind: number for kind, number in last.items() if kind == "spent" or number > dropped
    }  # a verdict goes with its answer
    text = connection.execute(
        wanted.where(EVENTS.c.kind == "answer_delta", EVENTS.c.number > dropped)
        .order_by(EVENTS.c.number)
        .limit(CHARACTERS)
    )
    found = [
        *_enough(text),
        *map(tuple, connection.execute(wanted.where(EVENTS.c.number.in_(last.values())))),
    ]
    return [body for _, body in sorted(found)]


def _enough(pieces: CursorResult[int, str]) -> Iterator[tuple[int, str]]:
    """The pieces of a text up to `CHARACTERS`."""
    left = CHARACTERS
    with closing(pieces):
        for number, body in pieces:
            yield number, body
            with suppress(
                ValueError, KeyError, TypeError
            ):  # damaged: reported when the event is read
                left -= len(json.loads(body)["text"])
            if left <= 0:
                return
