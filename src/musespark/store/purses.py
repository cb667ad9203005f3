"""What keys may still spend today, exactly, on any number of servers.

Within a process, a `Purse` is a budget that all runs of a key draw from. Between processes, each takes a share of the key's day
from the database before it spends: the shares of all never add up to more than the limit, so their spending cannot. A server
that is alone takes all that is left; where there are others it takes half, and gives back what lies idle.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from musespark.budget import Budget, Limits
from musespark.errors import BudgetExhausted, StoreUnusable
from musespark.store.keys import NANO, Key, count_request, today
from musespark.store.runs import StoredRuns
from musespark.store.schema import KEYS, SERVERS, SHARES

if TYPE_CHECKING:
    from sqlalchemy import Connection, Update

TICK = 0.5
"""Seconds between two looks at what was spent: the most that a killed server has not written down."""
_PATIENCE = 5
"""Looks that a request waits for other servers to give back."""


class Purse(Budget):
    """A key's share of its day on this server."""

    def __init__(self, key: Key, day: str) -> None:
        self.key, self.day = key, day
        self.granted = 0
        """Billionths of a dollar that it may spend in all; means nothing where the key has no limit."""
        self.written = 0
        """What was spent, as the database knows it."""
        super().__init__(Limits() if key.nanousd_per_day is None else Limits(usd=0.0))

    @property
    def used(self) -> int:
        """Billionths of a dollar that were spent."""
        return self._spent.nanousd

    @property
    def idle(self) -> int:
        """Billionths of a dollar that nobody has reserved."""
        return self.granted - self._held.nanousd

    def grant(self, nanousd: int) -> None:
        """So much more may be spent."""
        with self._lock:
            self._allow(self.granted + nanousd)

    def take_back(self, nanousd: int) -> int:
        """Up to so much less may be spent, as far as it lies idle; returns how much."""
        with self._lock:
            taken = max(0, min(nanousd, self.idle))
            self._allow(self.granted - taken)
        return taken

    def _allow(self, granted: int) -> None:
        self.granted = granted
        self.limits = Limits(usd=granted / NANO)


class Purses:
    """The purses of a server's keys. Use it within `open`, and the store of runs around it."""

    def __init__(self, runs: StoredRuns) -> None:
        self._runs = runs
        self._purses: dict[tuple[str, str], Purse] = {}
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Purses]:
        """While this server runs; what is left in the end is given back."""
        keeping = asyncio.create_task(self._keep_up())
        try:
            yield self
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            for purse in self._purses.values():
                taken = purse.take_back(purse.granted) if purse.key.nanousd_per_day is not None else 0
                self._runs.journal.owe(partial(_write_down, server=self._runs.server, purse=purse, spent=purse.used, less=taken))

    async def counted(self, key: Key) -> float | None:
        """Count a request; None where it may pass, else the seconds until another may. Raises `StoreUnusable`."""
        if key.per_minute is None:
            return None
        now = time.time()
        passes = await self._runs.journal.do(
            partial(count_request, key=key.id, most=key.per_minute, minute=int(now // 60)))
        return None if passes else 60 - now % 60

    async def of(self, key: Key) -> Purse:
        """What the key may spend today. Raises `BudgetExhausted` where that is nothing, and `StoreUnusable`."""
        day = today()
        purse = self._purses.get((key.id, day))
        if purse is None:
            purse = self._purses.setdefault((key.id, day), Purse(key, day))
        if key.nanousd_per_day is None:
            return purse
        for _ in range(_PATIENCE):
            if purse.idle < _slice(key):
                others = await self._take(purse)
            if purse.idle > 0:
                return purse
            if not others:
                break
            await asyncio.sleep(TICK)
        raise BudgetExhausted("usd a day", key.usd_per_day or 0)

    async def _take(self, purse: Purse) -> int:
        """Take more from the database; returns what other servers hold."""
        async with self._lock:  # or two requests would each think that there is little
            taken, others = await self._runs.journal.do(partial(_take, server=self._runs.server, purse=purse))
            purse.grant(taken)
        return others

    async def _keep_up(self) -> None:
        """Write down what was spent, and see that no share runs dry or lies idle; what fails is tried again at the next look."""
        while True:
            await asyncio.sleep(TICK)
            for name, purse in list(self._purses.items()):
                try:
                    await self._look_at(purse)
                except StoreUnusable:
                    continue
                if purse.day != today() and purse.used == purse._held.nanousd == purse.written and not purse.granted > purse.used:
                    del self._purses[name]

    async def _look_at(self, purse: Purse) -> None:
        limited = purse.key.nanousd_per_day is not None
        surplus = 0
        if limited and purse.day != today():
            surplus = purse.take_back(purse.granted)
        elif limited and purse.idle > _slice(purse.key) and await self._runs.journal.do(_others):
            surplus = purse.take_back((purse.idle + 1) // 2)
        spent = purse.used
        if surplus or spent != purse.written:
            try:
                await self._runs.journal.do(
                    partial(_write_down, server=self._runs.server, purse=purse, spent=spent, less=surplus))
            except BaseException:
                purse.grant(surplus)
                raise
            purse.written = spent
        if limited and purse.day == today() and purse.granted and purse.idle < _slice(purse.key):
            await self._take(purse)


def _slice(key: Key) -> int:
    """Less than this of a share is little: an eighth of a day."""
    return max(1, (key.nanousd_per_day or 0) // 8)


def _others(connection: Connection) -> bool:
    return connection.execute(select(func.count()).select_from(SERVERS)).scalar_one() > 1


def _take(connection: Connection, server: str, purse: Purse) -> tuple[int, int]:
    """More for a server's share of a key's day: all that is left, or half of it; and what the others hold and have not spent."""
    key, day = purse.key, purse.day
    # Postgres lets others write meanwhile: whoever takes a share holds the key's row.
    connection.execute(select(KEYS.c.id).where(KEYS.c.id == key.id).with_for_update())
    shares = connection.execute(select(SHARES).where(SHARES.c.key == key.id, SHARES.c.day == day)).all()
    left = max(0, (key.nanousd_per_day or 0) - sum(max(share.granted, share.spent) for share in shares))
    taken = (left + 1) // 2 if left > _slice(key) and _others(connection) else left
    _share(connection, server, purse)
    connection.execute(_own(server, purse).values(granted=SHARES.c.granted + taken))
    return taken, sum(max(0, share.granted - share.spent) for share in shares if share.server != server)


def _write_down(connection: Connection, server: str, purse: Purse, spent: int, less: int) -> None:
    """What a server has spent of a key's day, and so much less that it may."""
    _share(connection, server, purse)
    connection.execute(_own(server, purse).values(spent=spent, granted=SHARES.c.granted - less))


def _share(connection: Connection, server: str, purse: Purse) -> None:
    """See that there is a share."""
    own = select(SHARES.c.key).where(SHARES.c.key == purse.key.id, SHARES.c.day == purse.day, SHARES.c.server == server)
    if connection.execute(own).first() is None:
        connection.execute(insert(SHARES).values(key=purse.key.id, day=purse.day, server=server, granted=0, spent=0))


def _own(server: str, purse: Purse) -> Update:
    return update(SHARES).where(SHARES.c.key == purse.key.id, SHARES.c.day == purse.day, SHARES.c.server == server)
