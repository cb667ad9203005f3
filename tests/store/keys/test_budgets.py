"""Daily budgets are exact: however many calls at once on however many servers, whatever crashes and whenever."""

import asyncio
import random
import time
import uuid

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from musespark.budget import Cost
from musespark.errors import BudgetExhausted, BudgetReserved, StoreUnusable
from musespark.events import MAIN, Spent
from musespark.store.database.database import Database
from musespark.store.database.schema import RESERVATIONS, SPENDING
from musespark.store.keys import reservations
from musespark.store.keys.budgets import KeyBudgets, KeyBudgetSettings
from musespark.store.keys.key_limits import NANO
from musespark.store.runs import servers
from musespark.store.runs.record import RunCost, RunHeader
from musespark.store.runs.run_store import SqlRunStore
from musespark.usage import Usage

from .made_keys import made, spent_today


async def spend(budget, usd):
    """A call that costs all that it reserves."""
    with await budget.child().acquire(Cost(usd=usd)) as held:
        held.settle(Cost(usd=usd))


async def spend_randomly(keyed, key, costs, chance):
    """Concurrent calls of a key; returns what they cost together, in billionths of a dollar."""

    async def call(cost):
        try:
            budget = (await keyed.budget_of(key)).child()
            at_least = chance.choice((None, Cost(usd=cost / 10)))
            with await budget.acquire(Cost(usd=cost * 4 if at_least else cost), at_least) as held:
                await asyncio.sleep(chance.random() * 0.01)
                actual = held.granted.usd * chance.choice((0, 0.5, 1))
                held.settle(Cost(usd=actual))
                return round(actual * NANO)
        except BudgetExhausted:
            return 0

    return sum(await asyncio.gather(*map(call, costs)))


def rows(database, table):
    with database.begin_read() as connection:
        return connection.execute(table.select()).all()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    costs=st.lists(st.sampled_from([0.01, 0.1, 0.3]), min_size=1, max_size=60),
    seed=st.integers(0, 99),
)
def test_a_day_is_never_overspent_and_every_cent_is_recorded(tmp_path, costs, seed):
    often = KeyBudgetSettings(poll_interval=0.01)
    chance = random.Random(seed)
    path = tmp_path / "runs.db"
    key, _ = made(path, uuid.uuid4().hex, usd_per_day=1)

    async def two_servers():
        async with (
            SqlRunStore(Database(path)).open() as one,
            SqlRunStore(Database(path)).open() as two,
        ):
            spent = await asyncio.gather(
                spend_randomly(KeyBudgets(one, often), key, costs, chance),
                spend_randomly(KeyBudgets(two, often), key, costs, chance),
            )
        database = Database(path)
        assert (
            sum(row.nanousd for row in rows(database, SPENDING) if row.key == key.id)
            == sum(spent)
            <= NANO
        )
        assert not rows(database, RESERVATIONS)
        database.close()

    asyncio.run(two_servers())


async def test_two_servers_have_the_whole_day_between_them_without_a_refusal(where):
    key, _ = made(where, usd_per_day=3)
    async with (
        SqlRunStore(Database(where)).open() as one,
        SqlRunStore(Database(where)).open() as two,
    ):
        keyed = [KeyBudgets(each, KeyBudgetSettings(fresh=0)) for each in (one, two)]
        for number in range(3):
            with (
                await (await keyed[number % 2].budget_of(key))
                .child()
                .acquire(Cost(usd=0.93), Cost(usd=0.43)) as held
            ):
                assert held.granted.usd == 0.93  # neither refused nor cut
                held.settle(Cost(usd=0.93))
                await keyed[number % 2]._store.writer.flush()
        for each in keyed:
            assert (await each.budget_of(key)).usd_left() == pytest.approx(0.21)
    assert spent_today(where) == [2.79]


async def test_a_day_can_be_spent_to_the_last_cent(where):
    key, _ = made(where, usd_per_day=1)
    async with SqlRunStore(Database(where)).open() as runs:
        keyed = KeyBudgets(runs)
        await spend(await keyed.budget_of(key), 0.9)
        await spend(await keyed.budget_of(key), 0.1)
        with pytest.raises(BudgetExhausted, match="1 usd a day"):
            await keyed.budget_of(key)
    async with SqlRunStore(Database(where)).open() as runs:
        with pytest.raises(BudgetExhausted) as refused:
            await KeyBudgets(runs).budget_of(key)
        assert not isinstance(refused.value, BudgetReserved)
    assert spent_today(where) == [1.0]


async def test_a_key_with_room_is_answered_while_a_dead_server_holds_a_call(where):
    key, _ = made(where, usd_per_day=5)
    async with SqlRunStore(Database(where)).open() as runs:
        await spend(await KeyBudgets(runs).budget_of(key), 0.02)
    database = Database(where)
    with (
        database.begin_write() as connection
    ):  # a container that died with a call under way, seen a moment ago
        now = reservations.database_time(connection)
        connection.exec_driver_sql(
            f"INSERT INTO servers VALUES ('dead', 'another container', '1@1', {now})"
        )
        connection.execute(
            RESERVATIONS.insert().values(
                id="r",
                key=key.id,
                day=reservations.day_of(now),
                server="dead",
                nanousd=NANO,
                expires=now + 60,
            )
        )
    database.close()
    async with SqlRunStore(Database(where)).open() as runs:
        budget = await KeyBudgets(runs).budget_of(key)
        assert budget.usd_left() == pytest.approx(3.98)
        await spend(budget, 3.98)
        with pytest.raises(BudgetReserved):
            await spend(budget, 0.5)


async def test_a_call_holds_its_money_until_its_server_is_found_dead_and_no_clock_frees_it(
    where, monkeypatch
):
    key, _ = made(where, usd_per_day=1)
    async with (
        SqlRunStore(Database(where)).open() as one,
        SqlRunStore(Database(where)).open() as two,
    ):
        held = await (await KeyBudgets(one).budget_of(key)).child().acquire(Cost(usd=0.75))
        other = await KeyBudgets(two).budget_of(key)
        now = reservations.database_time

        for leap in (3600, 7 * 86_400, -3600):
            monkeypatch.setattr(
                reservations, "database_time", lambda connection, by=leap: now(connection) + by
            )
            with pytest.raises(BudgetReserved):
                await other.child().acquire(Cost(usd=0.5))
            await one.heartbeat()
        monkeypatch.setattr(reservations, "database_time", now)
        await two.writer.run(lambda connection: servers._remove(connection, one.server))
        await spend(other, 0.5)
        held.settle(Cost(usd=0.25))  # a bill that comes late is booked all the same
    assert spent_today(where) == [0.75]


async def test_a_clock_that_leaps_days_ahead_and_back_gives_no_money_twice(where, monkeypatch):
    key, _ = made(where, usd_per_day=1)
    days = [reservations.day_of(time.time() + 86_400 * ahead) for ahead in range(5)]
    async with SqlRunStore(Database(where)).open() as runs:
        keyed = KeyBudgets(runs, KeyBudgetSettings(fresh=0))
        for day in (0, 1, 2, 4, 0, 3, 0):
            monkeypatch.setattr(reservations, "day_of", lambda now, day=day: days[day])
            budget = await keyed.budget_of(key)
            if day == 0:
                await spend(budget, 0.3)
        assert (await keyed.budget_of(key)).usd_left() == pytest.approx(0.1)
        await runs.writer.flush()
        assert {row.day: row.nanousd for row in rows(runs.database, SPENDING)} == {
            days[0]: 9 * NANO // 10
        }


async def test_a_call_that_is_cancelled_while_it_reserves_holds_nothing(where):
    key, _ = made(where, usd_per_day=1)
    async with SqlRunStore(Database(where)).open() as runs:
        budget = await KeyBudgets(runs).budget_of(key)
        calls = [asyncio.create_task(budget.child().acquire(Cost(usd=0.25))) for _ in range(4)]
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        assert all(
            isinstance(found, asyncio.CancelledError)
            for found in await asyncio.gather(*calls, return_exceptions=True)
        )
        await runs.writer.flush()
        assert not rows(runs.database, RESERVATIONS) and budget.reserved.usd == 0
        await spend(budget, 1)


async def test_a_call_that_cannot_be_reserved_does_not_start(tmp_path):
    key, _ = made(tmp_path / "runs.db", usd_per_day=1)
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        budget = await KeyBudgets(runs).budget_of(key)
        from sqlalchemy import event

        broken = [True]

        @event.listens_for(runs.database.engine, "checkout")
        def fails(connection, *_):
            connection.execute(f"PRAGMA query_only = {len(broken)}")

        with pytest.raises(StoreUnusable):
            await budget.child().acquire(Cost(usd=0.5))
        broken.clear()
        await spend(budget, 1)


async def test_a_key_without_a_limit_has_its_spending_recorded(where):
    key, _ = made(where)
    async with SqlRunStore(Database(where)).open() as runs:
        budget = await KeyBudgets(runs).budget_of(key)
        for _ in range(3):
            with await budget.child().acquire(Cost(usd=100)) as held:
                held.settle(Cost(usd=12.5))
        assert not rows(runs.database, RESERVATIONS)
    assert spent_today(where) == [37.5]


async def test_an_absurd_bill_spoils_the_books_of_no_other_key(where):
    absurd, _ = made(where, "absurd")
    other, _ = made(where, "other", usd_per_day=1)
    async with SqlRunStore(Database(where)).open() as runs:
        keyed = KeyBudgets(runs)
        with await (await keyed.budget_of(absurd)).child().acquire(Cost(calls=1)) as held:
            held.settle(Cost(usd=1e17))
        await spend(await keyed.budget_of(other), 0.5)
    assert spent_today(where)[1] == 0.5


async def test_a_run_goes_on_after_midnight_with_what_its_day_has_left(where, monkeypatch):
    key, _ = made(where, usd_per_day=1)
    today, tomorrow = reservations.day_of(time.time()), reservations.day_of(time.time() + 86400)
    async with SqlRunStore(Database(where)).open() as runs:
        keyed = KeyBudgets(runs, KeyBudgetSettings(fresh=0))
        run = (await keyed.budget_of(key)).child()
        with await run.acquire(Cost(usd=0.1)) as held:
            held.settle(Cost(usd=0.1))
        monkeypatch.setattr(reservations, "day_of", lambda now: tomorrow)
        assert (await keyed.budget_of(key)).usd_left() == 1
        with await run.acquire(Cost(usd=0.9)) as held:
            held.settle(Cost(usd=0.9))
        with pytest.raises(BudgetExhausted):
            await run.acquire(Cost(usd=0.1))
        await spend(await keyed.budget_of(key), 0.5)
        await runs.writer.flush()
        assert {row.day: row.nanousd for row in rows(runs.database, SPENDING)} == {
            today: NANO,
            tomorrow: NANO // 2,
        }


async def test_what_a_server_spent_just_before_it_was_killed_counts(where):
    key, _ = made(where, usd_per_day=1)
    async with SqlRunStore(Database(where)).open() as runs:
        for id, usd in (("r", 0.25), ("s", 0.5)):
            await runs.start(
                RunHeader(id=id, protocol="chat", model="m", conversation=(), caller=key.id)
            )
            await runs.append_events(id, [Spent(MAIN, Usage(usd=usd))])
            await runs.flush(id)
        runs.end("r", "finished", RunCost(usd=0.25))
        budget = await KeyBudgets(runs).budget_of(key)
        await spend(budget, 0.1)
        await budget.child().acquire(Cost(usd=0.9))
        await runs.writer.run(
            lambda connection: connection.exec_driver_sql(
                "UPDATE servers SET process = '999999999@1'"
            )
        )
        async with SqlRunStore(Database(where)).open() as next_one:
            assert (await KeyBudgets(next_one).budget_of(key)).usd_left() == 0.25


async def test_a_run_of_unknown_price_ends_with_the_money(where):
    key, _ = made(where, usd_per_day=1)
    async with SqlRunStore(Database(where)).open() as runs:
        run = (await KeyBudgets(runs).budget_of(key)).child()
        for _ in range(4):
            with await run.acquire(Cost(calls=1)) as held:
                held.settle(Cost(usd=0.3, calls=1))
        with pytest.raises(BudgetExhausted, match="1 usd a day"):
            await run.acquire(Cost(calls=1))


async def test_a_shared_scope_is_not_reserved_from_without_its_database(where):
    key, _ = made(where, usd_per_day=1)
    async with SqlRunStore(Database(where)).open() as runs:
        with pytest.raises(RuntimeError, match="acquire"):
            (await KeyBudgets(runs).budget_of(key)).child().reserve(Cost(usd=0.1))


async def test_a_call_that_may_cost_more_than_is_left_leaves_half_of_it_to_others(tmp_path):
    key, _ = made(tmp_path / "runs.db", usd_per_day=1)
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        budget = await KeyBudgets(runs).budget_of(key)
        wide, least = Cost(usd=5), Cost(usd=0.01)
        granted = [(await budget.child().acquire(wide, least)).granted.usd for _ in range(3)]
        assert granted == [0.5, 0.25, 0.125]
        assert (
            await budget.child().acquire(Cost(usd=0.1), least)
        ).granted.usd == 0.1  # what fits is granted whole
        assert (
            await budget.child().acquire(wide, least)
        ).granted.usd == 0.025  # so is a rest too small to be split
        with pytest.raises(BudgetReserved, match="have reserved 1, the most"):
            await budget.child().acquire(wide, least)
        with pytest.raises(BudgetExhausted, match="is used up") as refused:
            await budget.child().acquire(wide, Cost(usd=2))
        assert not isinstance(refused.value, BudgetReserved)


async def test_a_request_waits_a_moment_while_calls_hold_nearly_everything(tmp_path):
    key, _ = made(tmp_path / "runs.db", usd_per_day=1)
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        keyed = KeyBudgets(runs, KeyBudgetSettings(poll_interval=0.05))
        held = await (await keyed.budget_of(key)).child().acquire(Cost(usd=1))
        waiting = asyncio.create_task(keyed.budget_of(key))
        await asyncio.sleep(0.12)
        assert not waiting.done()
        held.settle(Cost(usd=0.25))
        assert (await waiting).usd_left() == 0.75
        for left in (0.0, 0.01):
            with await (await keyed.budget_of(key)).child().acquire(Cost(usd=0.75 - left)):
                if left:  # little, but something
                    assert (await keyed.budget_of(key)).usd_left() == pytest.approx(left)
                else:
                    with pytest.raises(BudgetReserved, match="ask again in a moment"):
                        await keyed.budget_of(key)


async def test_a_request_too_many_is_told_when_to_come_again(where):
    key, _ = made(where, per_minute=2)
    async with SqlRunStore(Database(where)).open() as runs:
        keyed = KeyBudgets(runs)
        waits = [wait for _ in range(6) if (wait := await keyed.count_request(key)) is not None]
        assert len(waits) >= 2 and all(
            0 < wait <= 60 for wait in waits
        )  # the minute may have changed once


async def test_keys_that_are_not_used_cost_nothing(tmp_path, monkeypatch):
    keys = [made(tmp_path / "runs.db", f"k{number}", usd_per_day=1)[0] for number in range(5)]
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        keyed = KeyBudgets(runs)
        for key in keys:
            await keyed.budget_of(key)
        done = []
        monkeypatch.setattr(runs.writer, "run", lambda work: done.append(work))
        await asyncio.sleep(0.2)
        assert not done
