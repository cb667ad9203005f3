"""Budgets: a tree of scopes, passed explicitly. Reserve before the work, settle after it.

Siblings that each check a limit and then spend overspend it together; a reservation is one atomic step through every
scope up to the root, so they cannot. The laws, at every moment and in every scope:

- held = reserved + spent of the scope's own work and of all its children;
- held never exceeds the limit, as long as no work costs more than its reservation. A cost that does is booked in full,
  because it was paid, and the scope grants no more of that resource.

Tokens, money and calls are reserved and spent; seconds are a deadline on the clock, because siblings share the same time.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

from musespark.errors import BadOption, BudgetExhausted, ReservationClosed, Stopped

if TYPE_CHECKING:
    import asyncio

_NANO = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """An amount of tokens, money and calls."""

    tokens: int = 0
    usd: float = 0.0
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a scope; None is no limit."""

    tokens: int | None = None
    usd: float | None = None
    calls: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not (
                _is_number(value) and math.isfinite(value) and value >= 0
            ):
                raise BadOption(f"budget {field.name}", value, "a number, zero or more")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class _Amount:
    """A cost in whole units (money in billionths of a dollar), so that sums and differences cancel exactly."""

    tokens: int = 0
    nanousd: int = 0
    calls: int = 0

    @classmethod
    def of(cls, cost: Cost) -> _Amount:
        amount = cls(cost.tokens, round(cost.usd * _NANO), cost.calls)
        if min(amount.tokens, amount.nanousd, amount.calls) < 0:
            raise BadOption("cost", cost, "zero or more")
        return amount

    def cost(self) -> Cost:
        return Cost(tokens=self.tokens, usd=self.nanousd / _NANO, calls=self.calls)

    def __add__(self, other: _Amount) -> _Amount:
        return _Amount(
            self.tokens + other.tokens, self.nanousd + other.nanousd, self.calls + other.calls
        )

    def __sub__(self, other: _Amount) -> _Amount:
        return _Amount(
            self.tokens - other.tokens, self.nanousd - other.nanousd, self.calls - other.calls
        )


class Budget:
    """One scope of the tree. Safe to use from any thread and any task; no method waits but `confirm`."""

    shared: ClassVar[bool] = False
    """True if other processes draw from the same scope, so that reservations are to be confirmed."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        parent: Budget | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.parent = parent
        # One lock for the whole tree: a reservation touches every scope up to the root, and holds it for microseconds.
        self._lock: threading.Lock = parent._lock if parent else threading.Lock()
        self._clock: Callable[[], float] = parent._clock if parent else clock or time.monotonic
        self._ends: float | None = (
            None if self.limits.seconds is None else self._clock() + self.limits.seconds
        )
        self._reserved = _Amount()
        self._spent = _Amount()
        self._stopped = False
        self._alarms: set[Alarm] = parent._alarms if parent else set()

    def child(self, limits: Limits | None = None) -> Budget:
        """Make a scope that draws from this one, within limits of its own."""
        return Budget(limits, parent=self)

    def stop(self) -> None:
        """Set the deadline to now, here and below: nothing more is granted, and tasks that wait with an `alarm` are woken.

        Call it on the event loop of the waiting tasks.
        """
        self._stopped = True
        self._ends = self._clock()
        for alarm in list(self._alarms):
            if self in alarm.budget._upwards():
                alarm.ring()

    @property
    def stopped(self) -> bool:
        """True if it was stopped, here or above."""
        return any(scope._stopped for scope in self._upwards())

    def alarm(self) -> Alarm:
        """Make an alarm for a task that waits until the deadline and must be woken if `stop` moves it to now."""
        return Alarm(self)

    def overdue(self) -> BudgetExhausted:
        """Error for work that the deadline ended."""
        limit = next(
            (scope.limits.seconds for scope in self._upwards() if scope.limits.seconds is not None),
            0,
        )
        return Stopped() if self.stopped else BudgetExhausted("seconds", limit)

    @property
    def reserved(self) -> Cost:
        """Amount reserved for unfinished work, here and below."""
        return self._reserved.cost()

    @property
    def spent(self) -> Cost:
        """Amount spent, here and below."""
        return self._spent.cost()

    def seconds_left(self) -> float | None:
        """Seconds until the earliest deadline from here up, at least 0; None if there is none."""
        end = min(
            (scope._ends for scope in self._upwards() if scope._ends is not None), default=None
        )
        return None if end is None else max(0.0, end - self._clock())

    def tokens_left(self) -> int | None:
        """Tokens that can still be reserved here; None if they are not limited."""
        return self._least_left(
            [(scope.limits.tokens, scope._held.tokens) for scope in self._upwards()]
        )

    def usd_left(self) -> float | None:
        """Dollars that can still be reserved here; None if they are not limited."""
        limits = [
            (
                None if scope.limits.usd is None else round(scope.limits.usd * _NANO),
                scope._held.nanousd,
            )
            for scope in self._upwards()
        ]
        left = self._least_left(limits)
        return None if left is None else left / _NANO

    @staticmethod
    def _least_left(limits: list[tuple[int | None, int]]) -> int | None:
        return min(
            (max(0, limit - held) for limit, held in limits if limit is not None), default=None
        )

    @property
    def _held(self) -> _Amount:
        return self._reserved + self._spent

    def reserve(self, wanted: Cost, at_least: Cost | None = None) -> Reservation:
        """Reserve an amount for work about to start, in this scope and all above it, or in none.

        With `at_least`, grants as much of `wanted` as is left, down to that amount. Raises `BudgetExhausted`.
        """
        want = _Amount.of(wanted)
        least = want if at_least is None else _Amount.of(at_least)
        if any(scope.shared for scope in self._upwards()):
            raise RuntimeError(
                "a scope above is shared with other processes; await acquire() instead"
            )
        return self._reserve(want, least)

    async def acquire(self, wanted: Cost, at_least: Cost | None = None) -> Reservation:
        """`reserve`, and confirm it with whatever else shares a scope above, such as other servers on one database.

        Raises `BudgetExhausted`, and what a confirmation raises.
        """
        want = _Amount.of(wanted)
        least = want if at_least is None else _Amount.of(at_least)
        reservation = self._reserve(want, least)
        try:
            for scope in self._upwards():
                if scope.shared:
                    await scope.confirm(reservation, least.cost())
        except BaseException:
            reservation.release()
            raise
        return reservation

    def _reserve(self, want: _Amount, least: _Amount) -> Reservation:
        with self._lock:
            granted = want
            for scope in self._upwards():
                granted = scope._grant(granted, least)
            for scope in self._upwards():
                scope._reserved += granted
        return Reservation(self, granted)

    async def confirm(self, reservation: Reservation, at_least: Cost) -> None:
        """Confirm a reservation with the other processes that share this scope; it may `shrink`, down to `at_least`.

        Only called for scopes that are `shared`. Raises `BudgetExhausted`.
        """

    async def recorded(self) -> None:
        """Return once whatever shares a scope above knows what was spent."""
        if self.parent is not None:
            await self.parent.recorded()

    def _grant(self, want: _Amount, least: _Amount) -> _Amount:
        """The part of `want` that is left here."""
        if self._ends is not None and self._clock() >= self._ends:
            raise self.overdue()
        held = self._held
        limits = self.limits
        nanousd = None if limits.usd is None else round(limits.usd * _NANO)
        return _Amount(
            _fit("tokens", limits.tokens, held.tokens, want.tokens, least.tokens, 1),
            _fit("usd", nanousd, held.nanousd, want.nanousd, least.nanousd, _NANO),
            _fit("calls", limits.calls, held.calls, want.calls, least.calls, 1),
        )

    def _close(self, granted: _Amount, actual: _Amount) -> None:
        """Replace a reservation by the amount spent, here and in every scope above. The caller holds the lock."""
        for scope in self._upwards():
            scope._reserved -= granted
            scope._spent += actual

    def _upwards(self) -> list[Budget]:
        scopes: list[Budget] = []
        scope: Budget | None = self
        while scope is not None:
            scopes.append(scope)
            scope = scope.parent
        return scopes


class Alarm:
    """Wakes a task that waits: `with budget.alarm() as alarm`, then `async with asyncio.timeout(...) as alarm.timeout`."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.timeout: asyncio.Timeout | None = None
        """Timeout of the current wait, or of the last one."""

    def ring(self) -> None:
        """Let the timeout expire if a task waits in it; one that does not checks the clock before its next wait."""
        if self.timeout is not None:
            with suppress(RuntimeError):
                self.timeout.reschedule(0.0)

    def __enter__(self) -> Self:
        self.budget._alarms.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.budget._alarms.discard(self)


def _fit(resource: str, limit: int | None, held: int, want: int, least: int, unit: int) -> int:
    """The part of `want` that fits the limit. Raises `BudgetExhausted` below `least`; an amount of 0 always fits."""
    if limit is None:
        return want
    fits = min(want, max(0, limit - held))
    if fits < min(want, least):
        raise BudgetExhausted(resource, limit / unit, least / unit)
    return fits


class Reservation:
    """A reserved amount; used as a context manager it is released unless it was settled."""

    def __init__(self, budget: Budget, granted: _Amount) -> None:
        self._budget = budget
        self._granted = granted
        self._open = True
        self.on_close: Callable[[], None] | None = None
        """Called once, after it was settled or released."""

    @property
    def granted(self) -> Cost:
        """Amount that was reserved: `wanted`, or less if `at_least` allowed it."""
        return self._granted.cost()

    def settle(self, actual: Cost) -> None:
        """Book the actual cost of the work and release the rest. Raises `ReservationClosed` if it was closed before."""
        amount = _Amount.of(actual)
        with self._budget._lock:
            if not self._open:
                raise ReservationClosed
            self._open = False
            self._budget._close(self._granted, amount)
        self._closed()

    def shrink(self, usd: float) -> None:
        """Return part of the reserved money, so that this much is left of it, in dollars."""
        with self._budget._lock:
            less = _Amount(nanousd=self._granted.nanousd - round(usd * _NANO))
            if less.nanousd > 0 and self._open:
                self._granted -= less
                self._budget._close(less, _Amount())

    def release(self) -> None:
        """Release all of it, because the work did not happen. Does nothing if it was closed before."""
        with self._budget._lock:
            if not self._open:
                return
            self._open = False
            self._budget._close(self._granted, _Amount())
        self._closed()

    def _closed(self) -> None:
        if self.on_close is not None:
            self.on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.release()
