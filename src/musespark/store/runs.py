"""Runs in a database: what was acknowledged is committed, and a picture is a row of its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Row as Found, select

from musespark.content import Image, Message
from musespark.errors import BadEvent, StoreUnusable
from musespark.events import Event, Pictured, from_json
from musespark.store import servers
from musespark.store.conversation import read, written
from musespark.store.database import Database
from musespark.store.journal import Journal
from musespark.store.kept import Begun, How, Kept, Spending
from musespark.store.newest import newest
from musespark.store.retention import Keep, forget, forget_one
from musespark.store.schema import EVENTS, PICTURES, RUNS
from musespark.store.text import dumped

_MOST = 2**63 - 1
"""What fits into a column; a backend may tell of any number of tokens."""
_LINGER = 0.05
"""Seconds for which a run goes on without knowing that it is kept: a store that does not keep up holds it back, one that fails ends
it."""
_UPKEEP = 60.0
"""Seconds between two times that old runs are forgotten."""


@dataclass(slots=True)
class _Count:
    """How much there is of a run."""

    events: int = 0
    pictures: int = 0
    committed: int = -1
    """Events that are in the database for sure; less than none where its beginning may not be."""
    asked: float = field(default_factory=time.monotonic)
    """When that was asked last."""


class StoredRuns:
    """A store of runs in a database. What a method acknowledges is committed. Methods raise `StoreUnusable`.

    Use it within `open`. Several servers may share one database.
    """

    def __init__(self, database: Database, keep: Keep | None = None) -> None:
        self.database = database
        self._keep = keep or Keep()
        self._open: tuple[Journal, str] | None = None
        self._signed = 0.0
        self.lives = 0
        """How often other servers have taken this one for dead, and found themselves wrong."""
        self._counts: dict[str, _Count] = {}

    @property
    def journal(self) -> Journal:
        """What writes, while it is open."""
        assert self._open is not None, "use the store within open()"
        return self._open[0]

    @property
    def server(self) -> str:
        """This server's id, while it is open."""
        assert self._open is not None, "use the store within open()"
        return self._open[1]

    @property
    def surely_alive(self) -> bool:
        """Whether its last sign of life is so young that no server takes it for dead."""
        return time.monotonic() - self._signed < servers.SILENCE * 0.75

    async def sign(self) -> None:
        """A sign of life for other servers."""
        began = time.monotonic()
        if not await self.journal.do(partial(servers.beat, id=self.server)):
            self.lives += 1
        self._signed = began

    @asynccontextmanager
    async def open(self) -> AsyncIterator[StoredRuns]:
        """While this server runs. What dead servers left unfinished is marked as interrupted first."""
        journal = Journal(self.database)
        try:
            self._signed = time.monotonic()
            self._open = journal, await journal.do(servers.enter)
            upkeep = asyncio.create_task(self._upkeep())
            try:
                yield self
            finally:
                upkeep.cancel()
                await asyncio.wait([upkeep])
                journal.owe(partial(servers.leave, id=self.server))
        finally:
            await journal.aclose()
            self.database.close()

    async def start(self, begun: Begun) -> None:
        """Keep a run from its beginning: with its first events, for nothing of it is known to anybody before."""
        conversation, images = written(begun.conversation)
        self._counts[begun.id] = _Count()
        self.journal.add("runs", (begun.id, self.server, begun.protocol, _plain(begun.model), begun.caller, float(begun.created),
                                  conversation, "running", 0, 0.0, 0, json.dumps(begun.options)))
        for number, image in enumerate(images):
            self.journal.add("pictures", (begun.id, "asked", number, image.media_type, image.data))

    async def events(self, id: str, events: Sequence[Event]) -> None:
        """The next events of a run. They may gather for a moment, and are committed with what follows or is given by others."""
        count = self._counts[id]
        for event in events:
            self.journal.add("events", (id, count.events, event.kind, self._body(id, event, count)))
            count.events += 1
        if time.monotonic() - count.asked > _LINGER:
            await self.kept(id)

    async def kept(self, id: str) -> None:
        """Return when all that a run was given is committed."""
        count = self._counts.get(id)
        if count is not None and count.committed < (given := count.events):
            count.asked = time.monotonic()
            await self.journal.kept(id)
            count.committed = max(given, count.committed)

    def end(self, id: str, how: How, spent: Spending) -> None:
        """The run is over. Where that cannot be written now, it is once it can be, and nobody need wait for that."""
        if self._counts.pop(id, None) is not None:
            self.journal.end(how, min(spent.tokens, _MOST), spent.usd, spent.calls, id)

    async def get(self, id: str) -> Kept | None:
        """A run, None where there is none of that id."""
        await self._up_to_date()
        return await asyncio.to_thread(self._get, id)

    async def head(self, id: str) -> Kept | None:
        """A run without its conversation and its events, None where there is none of that id."""
        await self._up_to_date()
        return await asyncio.to_thread(self._head, id)

    async def told(self, id: str, after: int, limit: int) -> list[dict[str, Any]]:
        """The next events of a run as JSON, from the one after that number; a picture is its number among the run's, from 1."""
        await self._up_to_date()
        return await asyncio.to_thread(self._told, id, after, limit)

    async def asked(self, id: str, number: int) -> Image | None:
        """The picture of a run's question by its number, from 1."""
        await self._up_to_date()
        return await asyncio.to_thread(self._asked, id, number)

    async def forget(self, id: str) -> bool:
        """Delete a run; whether there was one. A run that goes on is left alone."""
        return await self.journal.do(partial(forget_one, id=id))

    async def latest(self, limit: int, before: str | None = None, caller: str | None = None) -> list[Kept]:
        """The newest first; with `before`, those that began before that run; with `caller`, that one's.

        Of their events they have those that a summary is made of, of a text without an end its beginning, and of their pictures
        the number.
        """
        await self._up_to_date()
        return await asyncio.to_thread(self._latest, limit, before, caller)

    async def picture(self, id: str, number: int) -> Image | None:
        """The picture of a run by its number, from 1."""
        await self._up_to_date()
        return await asyncio.to_thread(self._picture, id, number)

    async def _up_to_date(self) -> None:
        """Wait for what this server was given and has not written; where it cannot be, what is there can still be read."""
        await asyncio.gather(self.journal.kept(), return_exceptions=True)

    def _body(self, id: str, event: Event, count: _Count) -> str:
        """The event as JSON text, its picture a row of its own."""
        if not isinstance(event, Pictured):
            return dumped(event.to_json()).decode()
        count.pictures += 1
        self.journal.add("pictures", (id, "drawn", count.pictures, "image/png", event.picture))
        return dumped({**replace(event, picture=b"").to_json(), "picture": count.pictures}).decode()

    def _get(self, id: str) -> Kept | None:
        with self.database.reading() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.id == _plain(id))).one_or_none()
            if row is None:
                return None
            pictures = connection.execute(select(PICTURES).where(PICTURES.c.run == id)).all()
            bodies = connection.execute(select(EVENTS.c.body).where(EVENTS.c.run == id).order_by(EVENTS.c.number)).scalars().all()
        drawn = {picture.number: picture.data for picture in pictures if picture.place == "drawn"}
        asked = {picture.number: Image(picture.data, picture.media_type) for picture in pictures if picture.place == "asked"}
        return self._kept(row, list(bodies), drawn, [asked[number] for number in sorted(asked)])

    def _latest(self, limit: int, before: str | None, caller: str | None) -> list[Kept]:
        with self.database.reading() as connection:
            found = newest(connection, limit, None if before is None else _plain(before), caller)
        kept = []
        for row, bodies in found:
            try:
                kept.append(self._kept(row, bodies, {}, None))
            except StoreUnusable:  # one that is damaged is no reason to show none; asked for by its id, it says so
                kept.append(_kept(row, (), {}, []))
            kept[-1].drawn = row.drawn
        return kept

    def _head(self, id: str) -> Kept | None:
        with self.database.reading() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.id == id)).one_or_none()
        return None if row is None else self._kept(row, [], {}, None)

    def _told(self, id: str, after: int, limit: int) -> list[dict[str, Any]]:
        wanted = select(EVENTS.c.body).where(EVENTS.c.run == id, EVENTS.c.number > after).order_by(EVENTS.c.number).limit(limit)
        with self.database.reading() as connection:
            bodies = connection.execute(wanted).scalars().all()
        with self._sound(id):
            return [json.loads(body) for body in bodies]

    def _asked(self, id: str, number: int) -> Image | None:
        with self.database.reading() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.id == id)).one_or_none()
            asked = PICTURES.c.run == id, PICTURES.c.place == "asked"
            pictures = connection.execute(select(PICTURES).where(*asked).order_by(PICTURES.c.number)).all()
        if row is None:
            return None
        found = self._kept(row, [], {}, [Image(picture.data, picture.media_type) for picture in pictures]).begun.asked
        return found[number - 1] if 1 <= number <= len(found) else None

    def _picture(self, id: str, number: int) -> Image | None:
        wanted = select(PICTURES).where(PICTURES.c.run == id, PICTURES.c.place == "drawn", PICTURES.c.number == number)
        with self.database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else Image(row.data, row.media_type)

    def _kept(self, row: Found[Any], bodies: list[str], drawn: dict[int, bytes], asked: list[Image] | None) -> Kept:
        """A run from its rows. asked: the pictures of its conversation; None where that is not wanted."""
        with self._sound(row.id):
            events = [_event(body, drawn) for body in bodies]
            conversation = () if asked is None else read(row.conversation, asked)
            return _kept(row, conversation, json.loads(row.options), events)

    @contextmanager
    def _sound(self, id: str) -> Iterator[None]:
        """Reading what was kept of a run; what cannot be is told."""
        try:
            yield
        except (ValueError, KeyError, TypeError, IndexError, BadEvent) as error:
            raise StoreUnusable(self.database.name, f"the run {id} is damaged ({type(error).__name__})") from error

    async def _upkeep(self) -> None:
        """Signs of life, and old runs forgotten; what fails is tried again the next time."""
        forgotten = 0.0
        while True:
            try:
                if time.monotonic() - forgotten > _UPKEEP or not forgotten:
                    while await self.journal.do(partial(forget, keep=self._keep, now=time.time())):
                        pass
                    forgotten = time.monotonic()
                await asyncio.sleep(servers.BEAT)
                await self.sign()
            except StoreUnusable:
                await asyncio.sleep(servers.BEAT)


def _plain(name: str) -> str:
    """A name that any database takes, whoever made it up: without half characters, and without the zero that Postgres refuses."""
    return name.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _kept(row: Found[Any], conversation: tuple[Message, ...], options: dict[str, Any], events: list[Event]) -> Kept:
    begun = Begun(id=row.id, protocol=row.protocol, model=row.model, conversation=conversation, caller=row.caller,
                  created=row.created, options=options)
    return Kept(begun=begun, events=events, status=row.how, spent=Spending(tokens=row.tokens, usd=row.usd, calls=row.calls))


def _event(body: str, drawn: dict[int, bytes]) -> Event:
    values = json.loads(body)
    if values["kind"] == Pictured.kind:
        values["picture"] = drawn.get(values["picture"], b"")
    return from_json(values)
