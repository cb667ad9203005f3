"""The laws of budgets: nothing is lost, and no limit is exceeded, whatever the interleaving."""

import asyncio
import sys
import threading

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from musespark.budget import Budget, Cost, Limits
from musespark.errors import BadOption, BudgetExhausted, ReservationClosed, Stopped

amounts = st.integers(0, 60)
limits = st.builds(
    Limits,
    tokens=st.none() | st.integers(0, 100),
    usd=st.none() | st.integers(0, 100).map(lambda n: n / 100),
    calls=st.none() | st.integers(0, 10),
)
costs = st.builds(Cost, tokens=amounts, usd=amounts.map(lambda n: n / 100), calls=st.integers(0, 3))


def both(a: Cost, b: Cost) -> Cost:
    return Cost(tokens=a.tokens + b.tokens, usd=round(a.usd + b.usd, 9), calls=a.calls + b.calls)


class Interleavings(RuleBasedStateMachine):
    """Any order of opening scopes, reserving, settling and releasing, beside a plain account of what should be."""

    scopes = Bundle("scopes")
    reservations = Bundle("reservations")
    closed = Bundle("closed")

    @initialize(target=scopes, of=limits)
    def open_root(self, of):
        self.known = [Budget(of)]
        self.own = {self.known[0]: []}  # per scope, its own reservations and what each holds now
        return self.known[0]

    @rule(target=scopes, parent=scopes, of=limits)
    def open_child(self, parent, of):
        child = parent.child(of)
        self.known.append(child)
        self.own[child] = []
        return child

    @rule(target=reservations, scope=scopes, cost=costs, at_least=st.none() | costs)
    def reserve(self, scope, cost, at_least):
        before = [(known.reserved, known.spent) for known in self.known]
        entry = {"reserved": Cost(), "spent": Cost(), "scope": scope}
        try:
            reservation = scope.reserve(cost, at_least)
        except BudgetExhausted:
            assert [(known.reserved, known.spent) for known in self.known] == before
            reservation = scope.reserve(Cost())  # nothing always fits
        else:
            granted = reservation.granted
            least = cost if at_least is None else at_least
            for got, want, floor in zip(*map(self.parts, (granted, cost, least)), strict=True):
                assert min(want, floor) <= got <= want
        entry["reserved"] = reservation.granted
        self.own[scope].append(entry)
        return reservation, entry

    @rule(target=closed, pair=consumes(reservations), share=st.fractions(0, 1))
    def settle(self, pair, share):
        reservation, entry = pair
        granted = reservation.granted
        actual = Cost(
            tokens=int(granted.tokens * share),
            usd=int(round(granted.usd * 100) * share) / 100,
            calls=int(granted.calls * share),
        )
        reservation.settle(actual)
        entry.update(reserved=Cost(), spent=actual)
        return reservation

    @rule(target=closed, pair=consumes(reservations))
    def leave_without_settling(self, pair):
        reservation, entry = pair
        with pytest.raises(asyncio.CancelledError), reservation:
            raise asyncio.CancelledError
        entry.update(reserved=Cost(), spent=Cost())
        return reservation

    @rule(reservation=closed)
    def close_again(self, reservation):
        reservation.release()
        with pytest.raises(ReservationClosed):
            reservation.settle(Cost(tokens=1))

    @staticmethod
    def parts(cost):
        return cost.tokens, round(cost.usd, 9), cost.calls

    @invariant()
    def nothing_is_lost(self):
        for scope in self.known:
            for kind in ("reserved", "spent"):
                total = Cost()
                for entry in self.own[scope]:
                    total = both(total, entry[kind])
                for child in self.known:
                    if child.parent is scope:
                        total = both(total, getattr(child, kind))
                assert self.parts(getattr(scope, kind)) == self.parts(total)

    @invariant()
    def no_limit_is_exceeded(self):
        for scope in self.known:
            held = both(scope.reserved, scope.spent)
            for got, limit in zip(
                self.parts(held),
                (scope.limits.tokens, scope.limits.usd, scope.limits.calls),
                strict=True,
            ):
                assert limit is None or got <= limit


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=60, stateful_step_count=30)


def test_threads_never_overspend_together():
    root = Budget(Limits(tokens=1000))
    children = [root.child(Limits(tokens=300)) for _ in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def spend(child: Budget) -> None:
        for step in range(200):
            try:
                with child.reserve(Cost(tokens=5)) as held:
                    if step % 2:
                        held.settle(Cost(tokens=3))
            except BudgetExhausted:
                pass
            assert root.reserved.tokens + root.spent.tokens <= 1000

    try:
        threads = [threading.Thread(target=spend, args=(child,)) for child in children]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert root.reserved == Cost()
    assert root.spent.tokens == sum(child.spent.tokens for child in children)
    assert 995 < root.spent.tokens <= 1000


async def test_tasks_that_are_cancelled_return_everything():
    root = Budget(Limits(calls=3))
    started = []

    async def work() -> None:
        with root.reserve(Cost(calls=1)):
            started.append(1)
            await asyncio.sleep(60)

    tasks = [asyncio.create_task(work()) for _ in range(3)]
    await asyncio.sleep(0)
    assert len(started) == 3
    with pytest.raises(BudgetExhausted, match="3 calls"):
        root.reserve(Cost(calls=1))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert root.reserved == root.spent == Cost()


def test_a_bill_above_its_reservation_is_booked_in_full_and_stops_the_scope():
    budget = Budget(Limits(tokens=10))
    budget.reserve(Cost(tokens=5)).settle(Cost(tokens=50))
    assert budget.spent.tokens == 50
    with pytest.raises(BudgetExhausted) as caught:
        budget.reserve(Cost(tokens=1))
    assert caught.value.resource == "tokens"


def test_at_least_takes_what_is_left():
    budget = Budget(Limits(tokens=10))
    assert budget.reserve(Cost(tokens=8), at_least=Cost(tokens=1)).granted.tokens == 8
    assert budget.reserve(Cost(tokens=8), at_least=Cost(tokens=1)).granted.tokens == 2
    with pytest.raises(BudgetExhausted):
        budget.reserve(Cost(tokens=8), at_least=Cost(tokens=1))


def test_seconds_are_a_deadline_that_children_share():
    now = [0.0]
    root = Budget(Limits(seconds=10), clock=lambda: now[0])
    child = root.child(Limits(seconds=60))
    assert child.seconds_left() == 10
    now[0] = 4.0
    assert (root.seconds_left(), root.child().seconds_left()) == (6, 6)
    now[0] = 10.0
    assert child.seconds_left() == 0
    with pytest.raises(BudgetExhausted, match="10 seconds"):
        child.reserve(Cost())


def test_tenths_of_a_cent_add_up_exactly():
    budget = Budget(Limits(usd=0.3))
    for _ in range(3):
        budget.reserve(Cost(usd=0.1)).settle(Cost(usd=0.1))
    assert budget.spent.usd == 0.3


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Limits(tokens=-1),
        lambda: Limits(seconds=float("nan")),
        lambda: Budget().reserve(Cost(tokens=-1)),
    ],
)
def test_less_than_nothing_is_refused(bad):
    with pytest.raises(BadOption):
        bad()


def test_a_budget_that_is_stopped_grants_nothing_more_here_and_below():
    root = Budget(Limits(tokens=100))
    scope = root.child(Limits(seconds=60))
    leaf, other = scope.child(), root.child()
    held = leaf.reserve(Cost(tokens=5))
    assert not leaf.stopped
    scope.stop()
    assert (
        scope.stopped
        and leaf.stopped
        and leaf.seconds_left() == 0
        and not root.stopped
        and not other.stopped
    )
    with pytest.raises(Stopped):
        leaf.reserve(Cost(tokens=1))
    assert isinstance(leaf.overdue(), Stopped) and not isinstance(
        Budget(Limits(seconds=0)).overdue(), Stopped
    )
    held.settle(Cost(tokens=3))
    assert root.spent.tokens == 3 and root.reserved.tokens == 0
    other.reserve(Cost(tokens=97))


async def test_whoever_waits_within_a_budget_that_is_stopped_is_woken():
    root = Budget()
    woken = []

    async def wait(budget, seconds):
        with budget.alarm() as alarm:
            async with asyncio.timeout(seconds) as alarm.timeout:
                await asyncio.sleep(0.05 if budget is root else 60)
        woken.append(budget)

    inner, beside = root.child(), root.child()
    waiting = [
        asyncio.create_task(wait(*each))
        for each in ((inner, None), (inner.child(), 60), (root, 60))
    ]
    await asyncio.sleep(0)
    beside.stop()
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in waiting)
    inner.stop()
    inner.stop()  # twice is as good as once
    assert list(map(type, await asyncio.gather(*waiting, return_exceptions=True))) == [
        TimeoutError,
        TimeoutError,
        type(None),
    ]
    assert woken == [root] and not root._alarms


class SharedScope(Budget):
    """A scope that grants half of any money, and counts what is open."""

    shared = True

    def __init__(self):
        super().__init__(Limits(usd=1))
        self.open = 0

    async def confirm(self, reservation, at_least):
        await asyncio.sleep(0)
        if at_least.usd > 0.5:
            raise BudgetExhausted("usd", 0.5)
        self.open += 1
        reservation.shrink(reservation.granted.usd / 2)
        reservation.on_close = self.close

    def close(self):
        self.open -= 1


async def test_a_reservation_in_a_shared_scope_is_confirmed_shrunk_and_closed_once():
    scope = SharedScope()
    run = scope.child(Limits(usd=0.9))
    held = await run.acquire(Cost(usd=0.8, tokens=5), Cost(usd=0.1))
    assert (
        held.granted == Cost(usd=0.4, tokens=5)
        and run.reserved == scope.reserved == held.granted
        and scope.open == 1
    )
    held.settle(Cost(usd=0.3, tokens=5))
    held.release()
    assert (
        run.spent == scope.spent == Cost(usd=0.3, tokens=5)
        and run.reserved == Cost()
        and scope.open == 0
    )
    with await run.acquire(Cost(usd=0.2)):
        assert scope.open == 1
    assert scope.open == 0 and run.spent == Cost(usd=0.3, tokens=5)


async def test_a_reservation_that_is_not_confirmed_holds_nothing():
    scope = SharedScope()
    run = scope.child()
    with pytest.raises(BudgetExhausted):
        await run.acquire(Cost(usd=0.8))
    waiting = asyncio.create_task(run.acquire(Cost(usd=0.2)))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert run.reserved == scope.reserved == Cost() and scope.open == 0
    with pytest.raises(RuntimeError, match="acquire"):
        run.reserve(Cost(usd=0.1))
