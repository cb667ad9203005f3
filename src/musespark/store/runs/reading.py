"""Runs read from a database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Row as Found, select

from musespark.content import Image, Message
from musespark.errors import BadEvent, StoreUnusable
from musespark.events import Event, Pictured, from_json
from musespark.store.database.database import Database
from musespark.store.database.schema import EVENTS, IMAGES, RUNS
from musespark.store.runs.conversation import from_json_text
from musespark.store.runs.listing import newest
from musespark.store.runs.record import RunCost, RunHeader, StoredRun


def without_surrogates(name: str) -> str:
    """Return the name without lone surrogates and zero characters, which databases refuse."""
    return name.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


class RunReader:
    """Reads runs, each in a transaction of its own. Methods block, and raise `StoreUnusable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, id: str) -> StoredRun | None:
        """A run; None if there is none of that id."""
        with self._database.begin_read() as connection:
            row = connection.execute(
                select(RUNS).where(RUNS.c.id == without_surrogates(id))
            ).one_or_none()
            if row is None:
                return None
            images = connection.execute(select(IMAGES).where(IMAGES.c.run == id)).all()
            bodies = (
                connection.execute(
                    select(EVENTS.c.body).where(EVENTS.c.run == id).order_by(EVENTS.c.number)
                )
                .scalars()
                .all()
            )
        drawn = {image.number: image.data for image in images if image.place == "drawn"}
        asked = {
            image.number: Image(image.data, image.media_type)
            for image in images
            if image.place == "asked"
        }
        return self._stored_run(
            row, list(bodies), drawn, [asked[number] for number in sorted(asked)]
        )

    def latest(self, limit: int, before: str | None, caller: str | None) -> list[StoredRun]:
        """Runs, newest first, with the events that a summary needs."""
        with self._database.begin_read() as connection:
            found = newest(
                connection, limit, None if before is None else without_surrogates(before), caller
            )
        kept = []
        for row, bodies in found:
            try:
                kept.append(self._stored_run(row, bodies, {}, None))
            except (
                StoreUnusable
            ):  # a damaged run still shows in the list; its own page reports the damage
                kept.append(_stored_run(row, (), {}, []))
            kept[-1].drawn = row.drawn
        return kept

    def head(self, id: str) -> StoredRun | None:
        """A run without its conversation and its events; None if there is none of that id."""
        with self._database.begin_read() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.id == id)).one_or_none()
        return None if row is None else self._stored_run(row, [], {}, None)

    def events_json(self, id: str, after: int, limit: int) -> list[dict[str, Any]]:
        """The next events of a run as JSON, from the one after that number."""
        wanted = (
            select(EVENTS.c.body)
            .where(EVENTS.c.run == id, EVENTS.c.number > after)
            .order_by(EVENTS.c.number)
            .limit(limit)
        )
        with self._database.begin_read() as connection:
            bodies = connection.execute(wanted).scalars().all()
        with self._damage_reported(id):
            return [json.loads(body) for body in bodies]

    def question_image(self, id: str, number: int) -> Image | None:
        """An image of a run's question by its number, from 1."""
        with self._database.begin_read() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.id == id)).one_or_none()
            asked = IMAGES.c.run == id, IMAGES.c.place == "asked"
            rows = connection.execute(select(IMAGES).where(*asked).order_by(IMAGES.c.number)).all()
        if row is None:
            return None
        images = [Image(each.data, each.media_type) for each in rows]
        found = self._stored_run(row, [], {}, images).header.question_images
        return found[number - 1] if 1 <= number <= len(found) else None

    def image(self, id: str, number: int) -> Image | None:
        """A drawn image of a run by its number, from 1."""
        wanted = select(IMAGES).where(
            IMAGES.c.run == id, IMAGES.c.place == "drawn", IMAGES.c.number == number
        )
        with self._database.begin_read() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else Image(row.data, row.media_type)

    def _stored_run(
        self, row: Found[Any], bodies: list[str], drawn: dict[int, bytes], asked: list[Image] | None
    ) -> StoredRun:
        """A run from its rows. asked: the images of its conversation; None leaves the conversation out."""
        with self._damage_reported(row.id):
            events = [_event(body, drawn) for body in bodies]
            conversation = () if asked is None else from_json_text(row.conversation, asked)
            return _stored_run(row, conversation, json.loads(row.options), events)

    @contextmanager
    def _damage_reported(self, id: str) -> Iterator[None]:
        """Turn errors of damaged rows into `StoreUnusable`."""
        try:
            yield
        except (ValueError, KeyError, TypeError, IndexError, BadEvent) as error:
            raise StoreUnusable(
                self._database.name, f"the run {id} is damaged ({type(error).__name__})"
            ) from error


def _stored_run(
    row: Found[Any], conversation: tuple[Message, ...], options: dict[str, Any], events: list[Event]
) -> StoredRun:
    header = RunHeader(
        id=row.id,
        protocol=row.protocol,
        model=row.model,
        conversation=conversation,
        caller=row.caller,
        created=row.created,
        options=options,
    )
    return StoredRun(
        header=header,
        events=events,
        status=row.how,
        cost=RunCost(tokens=row.tokens, usd=row.usd, calls=row.calls),
    )


def _event(body: str, drawn: dict[int, bytes]) -> Event:
    values = json.loads(body)
    if values["kind"] == Pictured.kind:
        values["picture"] = drawn.get(values["picture"], b"")
    return from_json(values)
