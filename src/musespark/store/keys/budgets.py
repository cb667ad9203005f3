"""What keys may still spend today, exactly, on any number of servers.

Within a process, a `KeyBudget` is a budget that all runs of a key draw from. Between processes, each takes a share of the key's day
from the database before it spends: the shares of all never add up to more than the limit, so their spending cannot. A server
that is alone takes all that is left; where there are others it takes half, and gives back what lies idle. One that others may
take for dead spends nothing until it has looked what is left of its share. A run draws from the day on which it began.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from musespark.budget import Budget, Limits
from musespark.errors import BudgetExhausted, BudgetReserved, StoreUnusable
from musespark.store.database.database import lock_writers
from musespark.store.database.schema import SERVERS, SHARES
from musespark.store.keys.key_store import NANO, ApiKey, count_request, today
from musespark.store.runs.run_store import SqlRunStore

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from musespark.budget import _Amount

TICK = 0.5
"""Seconds between two looks at what was spent: the most that a killed server has not written down."""
_PATIENCE = 10
"""Looks that a request waits: for calls under way to give back what they do not use, and for other servers to do so."""
_DAY = 86400


class KeyBudget(Budget):
    """A key's share of its day on this server."""

    def __init__(self, key: ApiKey, day: str, runs: SqlRunStore) -> None:
        self.key, self.day, self._runs = key, day, runs
        self.granted = 0
        """Billionths of a dollar that it may spend in all; means nothing where the key has no limit."""
        self.written = 0
        """What was spent, as the database knows it."""
        self.life = runs.epoch
        """The server's life in which the share was looked at."""
        super().__init__(Limits() if key.nanousd_per_day is None else Limits(usd=0.0))

    @property
    def limited(self) -> bool:
        """Whether the key has a limit."""
        return self.key.nanousd_per_day is not None

    @property
    def used(self) -> int:
        """Billionths of a dollar that were spent."""
        return self._spent.nanousd

    @property
    def idle(self) -> int:
        """Billionths of a dollar that nobody has reserved."""
        return self.granted - self._held.nanousd

    @property
    def roomy(self) -> bool:
        """Whether there is room for a call beside those under way: an eighth of what is not spent lies idle."""
        return self.idle > 0 and self.idle >= (self.granted - self.used) // 8

    @property
    def little(self) -> bool:
        """Whether there is little left of the share: less than an eighth of a day."""
        return self.limited and self.idle < self._eighth

    @property
    def changed(self) -> bool:
        """Whether the database should hear of it."""
        return self.used != self.written or (self.little and self._reserved.nanousd > 0)

    @property
    def _eighth(self) -> int:
        return max(1, (self.key.nanousd_per_day or 0) // 8)

    @property
    def sure(self) -> bool:
        """Whether nobody else can have been given the share."""
        return self.life == self._runs.epoch and self._runs.lease_valid

    def have(self, nanousd: int) -> None:
        """The share is this, as the database says."""
        with self._lock:
            self._allow(nanousd)

    def take_back(self, nanousd: int) -> int:
        """Up to so much less may be spent, as far as it lies idle; returns how much."""
        with self._lock:
            taken = max(0, min(nanousd, self.idle))
            self._allow(self.granted - taken)
        return taken

    def surplus(self) -> int:
        """What others may have of it: half of what lies idle, where that is more than a little."""
        return 0 if not self.limited or self.idle <= self._eighth else (self.idle + 1) // 2

    def _allow(self, granted: int) -> None:
        self.granted = granted
        self.limits = Limits(usd=granted / NANO)

    def _grant(self, want: _Amount, least: _Amount) -> _Amount:
        """As any budget; and nothing at all once the share is used up, for what costs nothing as far as anybody knows costs
        something in the end. A call that may cost more than is left, and can do with less, gets half of that where that is not
        little, so that others of the key can be asked beside it."""
        if self.limited and not (self.granted > self.used and self.sure):
            raise self.exhausted()
        if self.limited and want.nanousd > self.idle:
            half = (self.idle + 1) // 2
            want = replace(want, nanousd=max(least.nanousd, half)) if half >= self._eighth else want
        try:
            return super()._grant(want, least)
        except BudgetExhausted:
            raise self.exhausted(least.nanousd) from None

    def exhausted(self, nanousd: int = 1) -> BudgetExhausted:
        """The error for whoever wants at least so much more."""
        limit, reserved = self.key.usd_per_day or 0, self._reserved.nanousd
        if reserved and self.sure and self.granted - self.used >= nanousd:
            return BudgetReserved("usd a day", limit, reserved / NANO)
        return BudgetExhausted("usd a day", limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What the database is told of a share, and whether more of it is wanted."""

    key: str
    day: str
    limit: int
    spent: int
    less: int = 0
    more: bool = False


class KeyBudgets:
    """The purses of a server's keys. Use it within `open`, and the store of runs around it."""

    def __init__(self, runs: SqlRunStore) -> None:
        self._runs = runs
        self._purses: dict[tuple[str, str], KeyBudget] = {}
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[KeyBudgets]:
        """While this server runs; what is left in the end is given back."""
        keeping = asyncio.create_task(self._keep_up())
        try:
            yield self
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            if entries := [_entry(purse) for purse in self._purses.values() if purse.used != purse.written]:
                self._runs.writer.enqueue(partial(_reconcile, server=self._runs.server, entries=entries))

    async def counted(self, key: ApiKey) -> float | None:
        """Count a request; None where it may pass, else the seconds until another may. Raises `StoreUnusable`."""
        if key.per_minute is None:
            return None
        now = time.time()
        passes = await self._runs.writer.run(
            partial(count_request, key=key.id, most=key.per_minute, minute=int(now // 60)))
        return None if passes else 60 - now % 60

    async def of(self, key: ApiKey) -> KeyBudget:
        """What the key may spend today. Where that is little or nothing now, for calls under way or other servers hold it, waits a
        few seconds for them. Raises `BudgetExhausted` where it is nothing then, and `StoreUnusable`."""
        day = today()
        purse = self._purses.get((key.id, day))
        if purse is None:
            purse = self._purses.setdefault((key.id, day), KeyBudget(key, day, self._runs))
        if not purse.limited:
            return purse
        for _ in range(_PATIENCE):
            others = 0
            if not self._runs.lease_valid:
                await self._runs.heartbeat()
            if purse.little or not purse.sure:
                others = await self._look_up([purse], more=True)
            if purse.roomy:
                return purse
            if not (others or purse.reserved.usd):
                break
            await _room(purse)
        if purse.idle > 0:
            return purse
        raise purse.exhausted()

    async def _keep_up(self) -> None:
        """Write down what was spent, and see that no share runs dry or lies idle; what fails is tried again at the next look."""
        while True:
            await asyncio.sleep(TICK)
            with suppress(StoreUnusable):
                await self._look_after(list(self._purses.values()))
            # A run may go on into the next day, and still draws from the day on which it began.
            for name, purse in list(self._purses.items()):
                if purse.day < today(time.time() - _DAY) and purse.used == purse.written:
                    del self._purses[name]

    async def _look_after(self, purses: list[KeyBudget]) -> None:
        if any(purse.surplus() for purse in purses) and await self._runs.writer.run(_others):
            await self._look_up([purse for purse in purses if purse.surplus()], give=True)
        await self._look_up([purse for purse in purses if purse.changed or (purse.limited and not purse.sure)], more=True)

    async def _look_up(self, purses: list[KeyBudget], *, more: bool = False, give: bool = False) -> int:
        """Tell the database what was spent, and have what it says, whatever became of earlier attempts. more: take more for those
        that have little; give: leave to others what lies idle. Returns what other servers hold of the last one's day."""
        if not purses:
            return 0
        async with self._lock:  # or what is told would be overtaken by what is told meanwhile
            life = self._runs.epoch
            entries = [_entry(purse, less=purse.take_back(purse.surplus()) if give else 0, more=more) for purse in purses]
            found = await self._runs.writer.run(partial(_reconcile, server=self._runs.server, entries=entries))
            for purse, entry, (granted, _) in zip(purses, entries, found, strict=True):
                purse.written, purse.life = entry.spent, life
                if purse.limited:
                    purse.have(granted)
        return found[-1][1]


async def _room(purse: KeyBudget) -> None:
    """Wait for room in it, until the next look at the latest."""
    for _ in range(10):
        await asyncio.sleep(TICK / 10)
        if purse.roomy:
            return


def _entry(purse: KeyBudget, *, less: int = 0, more: bool = False) -> _Entry:
    return _Entry(key=purse.key.id, day=purse.day, limit=purse.key.nanousd_per_day or 0, spent=purse.used, less=less,
                  more=more and purse.little)


def _others(connection: Connection) -> bool:
    return connection.execute(select(func.count()).select_from(SERVERS)).scalar_one() > 1


def _reconcile(connection: Connection, server: str, entries: Iterable[_Entry]) -> list[tuple[int, int]]:
    """Write down what a server has spent, and what it gives back or takes: all that is left of a key's day, or half of it where
    there are other servers. Returns, for each, its share from now on, and what the others hold and have not spent."""
    lock_writers(connection)
    shared = _others(connection)
    found = []
    for entry in entries:
        of_day = SHARES.c.key == entry.key, SHARES.c.day == entry.day
        shares = {share.server: share for share in connection.execute(select(SHARES).where(*of_day)).all()}
        own = shares.pop(server, None)
        if own is None:
            connection.execute(insert(SHARES).values(key=entry.key, day=entry.day, server=server, granted=0, spent=0))
        granted = max(0, (own.granted if own is not None else 0) - entry.less)
        if entry.more:
            left = entry.limit - max(granted, entry.spent) - sum(max(share.granted, share.spent) for share in shares.values())
            granted += max(0, (left + 1) // 2 if shared and left > entry.limit // 8 else left)
        connection.execute(update(SHARES).where(*of_day, SHARES.c.server == server).values(spent=entry.spent, granted=granted))
        found.append((granted, sum(max(0, share.granted - share.spent) for share in shares.values())))
    return found
