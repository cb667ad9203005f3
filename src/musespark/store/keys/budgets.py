"""Daily budgets of API keys, exact on any number of servers.

Within a process a `KeyBudget` is the scope that all runs of a key draw from. Between processes the database decides: each call
reserves there what it may cost before it starts (`reservations.py`). A run draws from the day on which it began.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

from musespark.budget import Budget, Cost, Limits, Reservation
from musespark.errors import BudgetExhausted, BudgetReserved
from musespark.store.keys.key_limits import NANO
from musespark.store.keys.key_store import ApiKey, count_request_now
from musespark.store.keys.reservations import (
    MAX_AMOUNT,
    DayTotals,
    ReservationRequest,
    close_reservations,
    read_totals,
    record_spending,
    reserve,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from musespark.budget import _Amount
    from musespark.store.database.batch_writer import BatchWriter

_KEPT_DAYS = 2
"""Days for which budgets are remembered: a run may go on past midnight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBudgetSettings:
    """Looks at the database by those who wait for a budget."""

    poll_interval: float = 0.5
    """Seconds between two looks while a request waits for room."""
    max_polls: int = 10
    """Looks before a request is refused: calls under way give back what they do not use."""
    fresh: float = 1.0
    """Seconds for which the amounts last read are good enough to admit a request; its calls reserve exactly."""


_Granted: TypeAlias = "tuple[int | None, DayTotals]"
"""The amount that a call was granted, if any, and the day's amounts then."""


class ServerStore(Protocol):
    """An open store of a server."""

    @property
    def writer(self) -> BatchWriter:
        """Thread that writes to the database."""

    @property
    def server(self) -> str:
        """Id of the server."""

    def require_writable(self) -> None:
        """Raise `StoreUnusable` at once if nothing can be written now."""


class KeyBudget(Budget):
    """The budget of one key on one day."""

    shared: ClassVar[bool] = True

    def __init__(self, key: ApiKey, day: str, books: DayBooks, recorded: int = 0) -> None:
        """recorded: billionths of a dollar that this server had recorded of the day, before a clock left it and came back."""
        self.key, self.day, self._books = key, day, books
        self._recorded = recorded
        self.totals = DayTotals(day, 0, 0)
        """Amounts of all servers, as last read from the database."""
        self.read_at = float("-inf")
        """Monotonic time at which they were read."""
        self._confirmed = 0
        """Billionths of a dollar that the database has reserved for calls of this server that are under way."""
        self._elsewhere = 0
        """Billionths of a dollar that other servers had spent and reserved."""
        super().__init__(Limits(usd=key.usd_per_day))

    @property
    def is_limited(self) -> bool:
        """True if the key has a daily limit."""
        return self.key.nanousd_per_day is not None

    @property
    def limit(self) -> int:
        """Billionths of a dollar that may be spent in a day; 0 without a limit."""
        return self.key.nanousd_per_day or 0

    @property
    def used(self) -> int:
        """Billionths of a dollar that this server has spent."""
        return self._recorded + self._spent.nanousd

    @property
    def _held(self) -> _Amount:
        """Amounts reserved and spent; money on all servers, as far as this one knows."""
        return replace(super()._held, nanousd=self.used + self._confirmed + self._elsewhere)

    @property
    def unreserved(self) -> int:
        """Billionths of a dollar that are neither spent nor reserved, as far as this server knows."""
        return self.limit - self._held.nanousd

    @property
    def has_headroom(self) -> bool:
        """True if an eighth of what is not spent is unreserved: room for a call beside those under way."""
        return not self.is_limited or (
            self.unreserved > 0 and self.unreserved * 8 >= self.limit - self.totals.spent
        )

    def use_limits(self, key: ApiKey) -> None:
        """Take over the limits of the key, which may have been changed; runs in progress have them, too."""
        if key != self.key:
            self.key, self.limits = key, Limits(usd=key.usd_per_day)

    def update(self, totals: DayTotals) -> None:
        """Take over the amounts that the database holds."""
        self.totals, self.read_at = totals, time.monotonic()
        self._elsewhere = max(0, totals.spent + totals.reserved - self.used - self._confirmed)

    def _grant(self, want: _Amount, least: _Amount) -> _Amount:
        """The database decides, in `confirm`."""
        return want

    async def confirm(self, reservation: Reservation, at_least: Cost) -> None:
        """Reserve in the database. Raises `BudgetExhausted`, `BudgetReserved` and `StoreUnusable`."""
        if not self.is_limited:
            reservation.on_close = partial(self._books.record, self)
            return
        wanted, least = (
            min(MAX_AMOUNT, round(usd * NANO)) for usd in (reservation.granted.usd, at_least.usd)
        )
        request = ReservationRequest(
            id=uuid.uuid4().hex,
            key=self.key.id,
            day=self.day,
            server=self._books.server,
            limit=self.limit,
            wanted=wanted,
            at_least=min(wanted, least),
        )
        try:
            granted, totals = await self._books.reserve(request)
        except BaseException:  # it may have been committed all the same
            self._books.close(request.id)
            raise
        if granted is None:
            self.update(totals)
            raise self.exhausted(request.at_least)
        self._confirmed += granted
        self.update(totals)
        if granted < wanted:
            reservation.shrink(granted / NANO)
        reservation.on_close = partial(self._settle, request.id, granted)

    async def recorded(self) -> None:
        """Return once what was spent is recorded in the database. Raises `StoreUnusable`."""
        await self._books.flush()

    def _settle(self, id: str, granted: int) -> None:
        """Enqueue the end of a reservation, with all that was spent until then."""
        self._confirmed -= granted
        self._books.close(id)
        self._books.record(self)

    def exhausted(self, nanousd: int = 1) -> BudgetExhausted:
        """The error for a call that needs at least this many billionths of a dollar."""
        if self.totals.reserved and self.limit - self.totals.spent >= max(1, nanousd):
            return BudgetReserved("usd a day", self.limit / NANO, self.totals.reserved / NANO)
        return BudgetExhausted("usd a day", self.limit / NANO)


class DayBooks:
    """A server's part in the books of all its keys: what waits for the database at the same moment goes in one piece."""

    def __init__(self, store: ServerStore) -> None:
        self._store = store
        self._asking: list[tuple[ReservationRequest, asyncio.Future[_Granted]]] = []
        self._closed: list[str] = []
        self._spent: dict[KeyBudget, None] = {}
        """Budgets of which something was spent that is not recorded."""
        self._tasks: set[asyncio.Task[list[_Granted]]] = set()

    @property
    def server(self) -> str:
        """Id of the server."""
        return self._store.server

    async def reserve(self, request: ReservationRequest) -> _Granted:
        """Reserve for a call, with all others that ask at this moment. Raises `StoreUnusable`."""
        self._store.require_writable()
        future: asyncio.Future[_Granted] = asyncio.get_running_loop().create_future()
        self._asking.append((request, future))
        if len(self._asking) == 1:
            asyncio.get_running_loop().call_soon(self._ask)
        return await future

    def close(self, id: str) -> None:
        """Enqueue the end of a reservation."""
        self._closed.append(id)
        self._write_soon()

    def record(self, budget: KeyBudget) -> None:
        """Enqueue a record of what was spent of a budget."""
        self._spent[budget] = None
        self._write_soon()

    async def flush(self) -> None:
        """Return once everything so far is written. Raises `StoreUnusable`."""
        self._store.require_writable()
        await self._store.writer.flush()

    def _ask(self) -> None:
        """Hand over what has come in this turn of the loop, closings first: they make room."""
        asking, self._asking = self._asking, []
        requests = [request for request, _ in asking]
        task = asyncio.create_task(self._store.writer.run(partial(reserve, requests=requests)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(partial(_answer, asking))

    def _write_soon(self) -> None:
        if len(self._closed) + len(self._spent) == 1:
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        closed, self._closed = self._closed, []
        spent, self._spent = list(self._spent), {}
        self._store.writer.enqueue(partial(_write_books, closed=closed, spent=spent))


def _write_books(connection: Connection, closed: list[str], spent: list[KeyBudget]) -> None:
    if closed:
        close_reservations(connection, closed)
    for budget in spent:
        server = budget._books.server
        record_spending(connection, budget.key.id, budget.day, server, budget.used)


def _answer(
    asking: list[tuple[ReservationRequest, asyncio.Future[_Granted]]],
    done: asyncio.Future[list[_Granted]],
) -> None:
    """Give each call what was granted to it, or the error of all."""
    error = None if done.cancelled() else done.exception()
    for number, (_, future) in enumerate(asking):
        if future.done():
            continue  # the call was cancelled, and closes its reservation
        if done.cancelled():
            future.cancel()
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(done.result()[number])


class KeyBudgets:
    """The budgets of a server's keys, for use while its store of runs is open."""

    def __init__(self, store: ServerStore, settings: KeyBudgetSettings | None = None) -> None:
        self._store, self._books = store, DayBooks(store)
        self._settings = settings or KeyBudgetSettings()
        self._budgets: dict[tuple[str, str], KeyBudget] = {}

    async def count_request(self, key: ApiKey) -> float | None:
        """Count a request of a key; None if it may pass, else the seconds until another may. Raises `StoreUnusable`."""
        if key.per_minute is None:
            return None
        self._store.require_writable()
        return await self._store.writer.run(
            partial(count_request_now, key=key.id, most=key.per_minute)
        )

    async def budget_of(self, key: ApiKey) -> KeyBudget:
        """The key's budget of today. If calls under way have reserved nearly all of it, waits a few seconds for them.

        Raises `BudgetExhausted` if nothing is left then, and `StoreUnusable`.
        """
        budget = self._newest(key.id)
        fresh = self._settings.fresh
        if budget is not None:
            budget.use_limits(key)
        if budget is None or time.monotonic() - budget.read_at > fresh or not budget.has_headroom:
            budget = await self._read(key)
        for _ in range(self._settings.max_polls):
            if budget.has_headroom or not budget.totals.reserved:
                break
            await _wait_for_headroom(budget, self._settings.poll_interval)
            budget = await self._read(key)
        if budget.is_limited and budget.unreserved <= 0:
            raise budget.exhausted()
        return budget

    def _newest(self, key: str) -> KeyBudget | None:
        days = [day for id, day in self._budgets if id == key]
        return self._budgets[key, max(days)] if days else None

    async def _read(self, key: ApiKey) -> KeyBudget:
        """The key's budget of today by the database's clock, with the amounts that the database holds."""
        self._store.require_writable()
        totals, recorded = await self._store.writer.run(
            partial(read_totals, key=key.id, server=self._store.server)
        )
        budget = self._budgets.get((key.id, totals.day))
        if budget is None:
            self._forget_old(key.id)
            budget = self._budgets[key.id, totals.day] = KeyBudget(
                key, totals.day, self._books, recorded
            )
        budget.use_limits(key)
        budget.update(totals)
        return budget

    def _forget_old(self, key: str) -> None:
        days = sorted(day for id, day in self._budgets if id == key)
        for day in days[: -(_KEPT_DAYS - 1)]:
            del self._budgets[key, day]


async def _wait_for_headroom(budget: KeyBudget, seconds: float) -> None:
    """Wait until this server's calls give enough back, but no longer than until the next look at the database."""
    for _ in range(10):
        await asyncio.sleep(seconds / 10)
        if budget.has_headroom:
            return
