"""Keys, what they may spend and how often they may ask: exact, however many ask at once on however many servers."""

import asyncio
import random
import re
import time
import uuid

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from musespark.budget import Cost
from musespark.errors import BadOption, BudgetExhausted, BudgetReserved
from musespark.events import MAIN, Spent
from musespark.store.database.database import Database
from musespark.store.database.schema import SHARES
from musespark.store.keys import budgets as budgets_module
from musespark.store.keys.budgets import KeyBudgets
from musespark.store.keys.key_store import NANO, KeyStore, count_request, today
from musespark.store.runs import servers
from musespark.store.runs.record import RunCost, RunHeader
from musespark.store.runs.run_store import SqlRunStore
from musespark.usage import Usage


def made(where, name="k", **limits):
    database = Database(where)
    try:
        return KeyStore(database).create(name, **limits)
    finally:
        database.close()


def test_a_key_is_found_by_its_secret_alone_until_it_is_revoked(where):
    database = Database(where)
    keys = KeyStore(database)
    assert not keys.has_valid_key()
    key, secret = keys.create("ann", usd_per_day=1.5, per_minute=10)
    other, _ = keys.create("bob")
    assert re.fullmatch(r"muse_[0-9a-f]{12}_[\w-]{43}", secret) and keys.find(secret) == key and keys.has_valid_key()
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for guess in (wrong, "", "muse_", secret + "x", secret.replace(key.id, other.id), "\ud83d", "muse_" + "0" * 12 + secret[17:]):
        assert keys.find(guess) is None
    listed = [(each.name, each.usd_per_day, spent) for each, spent in keys.list_with_spending()]
    assert listed == [("ann", 1.5, 0), ("bob", None, 0)]
    assert keys.revoke("ann").id == key.id and keys.find(secret) is None and keys.has_valid_key()
    keys.revoke(other.id)
    assert not keys.has_valid_key()
    for name in ("ann", "nobody"):
        with pytest.raises(BadOption, match="not revoked"):
            keys.revoke(name)
    with pytest.raises(BadOption, match="no key has had"):
        keys.create("ann")
    database.close()


def test_the_secret_is_nowhere_in_the_database(tmp_path):
    key, secret = made(tmp_path / "runs.db")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert key.id.encode() in kept and secret.encode() not in kept and secret.split("_", 2)[2].encode() not in kept
    assert secret not in repr(key) and repr(key.hash) not in repr(key)


@pytest.mark.parametrize("limits", [{"usd_per_day": 0}, {"usd_per_day": float("nan")}, {"per_minute": 0}, {"name": ""},
                                    {"name": "a b"}, {"name": "x" * 65}, {"name": "-rf"}, {"usd_per_day": float("inf")}])
def test_limits_that_make_no_sense_are_told(tmp_path, limits):
    with pytest.raises(BadOption):
        made(tmp_path / "runs.db", **limits)


async def test_no_more_requests_pass_than_may_on_two_servers_at_once(where):
    key, _ = made(where, per_minute=25)
    async with SqlRunStore(Database(where)).open() as one, SqlRunStore(Database(where)).open() as two:
        def ask(runs, minute):
            return runs.writer.run(lambda connection: count_request(connection, key.id, 25, minute))

        for minute in (100, 101, 110):
            passed = await asyncio.gather(*(ask((one, two)[number % 2], minute) for number in range(80)))
            assert sum(passed) == 25


async def test_a_request_too_many_is_told_when_to_come_again(tmp_path):
    key, _ = made(tmp_path / "runs.db", per_minute=2)
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs, KeyBudgets(runs).open() as purses:
        waits = [wait for _ in range(6) if (wait := await purses.counted(key)) is not None]
        assert len(waits) >= 2 and all(0 < wait <= 60 for wait in waits)  # the minute may have changed once


async def spend(purses, key, costs, chance):
    """Runs of a key: each reserves what a call may cost at most, and settles what it cost."""
    async def call(cost):
        try:
            budget = (await purses.of(key)).child()
            at_least = chance.choice((None, Cost(usd=cost / 10)))
            with budget.reserve(Cost(usd=cost * 4 if at_least else cost), at_least) as held:
                await asyncio.sleep(chance.random() * 0.01)
                actual = held.granted.usd * chance.choice((0, 0.5, 1))
                held.settle(Cost(usd=actual))
                return round(actual * NANO)
        except BudgetExhausted:
            return 0

    return sum(await asyncio.gather(*map(call, costs)))


async def shares_of(runs, key):
    with runs.database.begin_read() as connection:
        return connection.execute(SHARES.select().where(SHARES.c.key == key.id)).all()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(costs=st.lists(st.sampled_from([0.01, 0.1, 0.3]), min_size=1, max_size=60), seed=st.integers(0, 99))
def test_a_day_is_never_overspent_and_every_cent_is_written_down(tmp_path, costs, seed, monkeypatch):
    monkeypatch.setattr(budgets_module, "TICK", 0.01)
    chance = random.Random(seed)
    path = tmp_path / "runs.db"
    key, _ = made(path, uuid.uuid4().hex, usd_per_day=1)

    async def two_servers():
        async with (SqlRunStore(Database(path)).open() as one, KeyBudgets(one).open() as first,
                    SqlRunStore(Database(path)).open() as two, KeyBudgets(two).open() as second):
            spent = await asyncio.gather(spend(first, key, costs, chance), spend(second, key, costs, chance))
            assert sum(share.granted for share in await shares_of(one, key)) <= NANO
        async with SqlRunStore(Database(path)).open() as runs:
            shares = await shares_of(runs, key)
            assert sum(share.spent for share in shares) == sum(spent) <= NANO
            assert all(share.granted == share.spent for share in shares)

    asyncio.run(two_servers())


async def test_alone_a_server_can_spend_the_whole_day_to_the_last_cent(where):
    key, _ = made(where, usd_per_day=1)
    async with SqlRunStore(Database(where)).open() as runs, KeyBudgets(runs).open() as purses:
        first = await purses.of(key)
        with first.child().reserve(Cost(usd=0.9)) as most:
            most.settle(Cost(usd=0.9))
        with (await purses.of(key)).reserve(Cost(usd=0.1)) as rest:
            rest.settle(Cost(usd=0.1))
        with pytest.raises(BudgetExhausted, match="1 usd a day"):
            await purses.of(key)
    async with SqlRunStore(Database(where)).open() as runs, KeyBudgets(runs).open() as purses:
        with pytest.raises(BudgetExhausted):
            await purses.of(key)
    database = Database(where)
    assert [spent for _, spent in KeyStore(database).list_with_spending()] == [1.0]
    database.close()


async def test_what_lies_idle_goes_to_who_needs_it(tmp_path, monkeypatch):
    monkeypatch.setattr(budgets_module, "TICK", 0.01)
    path = tmp_path / "runs.db"
    key, _ = made(path, usd_per_day=8)
    async with SqlRunStore(Database(path)).open() as one, KeyBudgets(one).open() as first:
        assert (await first.of(key)).usd_left() == 8
        async with SqlRunStore(Database(path)).open() as two, KeyBudgets(two).open() as second:
            assert 0 < (await second.of(key)).usd_left() < 8
            assert sum(share.granted for share in await shares_of(one, key)) <= 8 * NANO


async def test_a_dead_server_holds_nothing_but_what_it_spent(tmp_path):
    path = tmp_path / "runs.db"
    key, _ = made(path, usd_per_day=2)
    database = Database(path)
    with database.begin_write() as connection:
        connection.exec_driver_sql("INSERT INTO servers VALUES ('dead', 'elsewhere', '1@1', 0)")
        connection.exec_driver_sql(f"INSERT INTO shares VALUES ('{key.id}', '{today()}', 'dead', {2 * NANO}, {NANO // 2})")
    database.close()
    async with SqlRunStore(Database(path)).open() as runs, KeyBudgets(runs).open() as purses:
        assert (await purses.of(key)).usd_left() == 1.5


async def test_a_key_without_a_limit_has_its_spending_written_down(tmp_path):
    key, _ = made(tmp_path / "runs.db")
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs, KeyBudgets(runs).open() as purses:
        with (await purses.of(key)).reserve(Cost(usd=100)) as held:
            held.settle(Cost(usd=12.5))
    database = Database(tmp_path / "runs.db")
    assert [spent for _, spent in KeyStore(database).list_with_spending()] == [12.5]
    database.close()


async def test_servers_that_count_the_same_keys_in_another_order_do_not_wait_for_each_other(where):
    keys = [made(where, f"k{number}", per_minute=1000)[0].id for number in range(8)]
    async with SqlRunStore(Database(where)).open() as one, SqlRunStore(Database(where)).open() as two:
        def ask(runs, key):
            return runs.writer.run(lambda connection: count_request(connection, key, 1000, 100))

        for _ in range(30):
            async with asyncio.timeout(30):
                passed = await asyncio.gather(*(ask(one, key) for key in keys), *(ask(two, key) for key in reversed(keys)))
            assert all(passed)


async def test_a_run_goes_on_after_midnight_with_what_its_day_has_left(tmp_path, monkeypatch):
    monkeypatch.setattr(budgets_module, "TICK", 0.01)
    key, _ = made(tmp_path / "runs.db", usd_per_day=1)
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs, KeyBudgets(runs).open() as purses:
        run = (await purses.of(key)).child()
        with run.reserve(Cost(usd=0.1)) as held:
            held.settle(Cost(usd=0.1))
        tomorrow = today(time.time() + 86400)
        monkeypatch.setattr(budgets_module, "today", lambda now=None: tomorrow if now is None else today(now + 86400))
        assert (await purses.of(key)).usd_left() == 1
        await asyncio.sleep(0.2)
        with run.reserve(Cost(usd=0.9)) as held:
            await asyncio.sleep(0.2)
            held.settle(Cost(usd=0.9))
        with pytest.raises(BudgetExhausted):
            run.reserve(Cost(usd=0.1))
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs:
        assert {share.day: share.spent for share in await shares_of(runs, key)} == {today(): NANO, tomorrow: 0}


async def test_a_server_that_was_taken_for_dead_spends_nothing_that_another_has(tmp_path, monkeypatch):
    monkeypatch.setattr(budgets_module, "TICK", 0.01)
    path = tmp_path / "runs.db"
    key, _ = made(path, usd_per_day=1)
    async with SqlRunStore(Database(path)).open() as one, KeyBudgets(one).open() as first:
        late = (await first.of(key)).child()
        monkeypatch.setattr(one, "_signed", one._signed - servers.DEAD_AFTER)  # it was suspended, and does not know
        async with SqlRunStore(Database(path)).open() as two, KeyBudgets(two).open() as second:
            await two.writer.run(lambda connection: servers._interrupt_runs(connection, one.server))
            other = await second.of(key)
            assert other.usd_left() == 1
            with pytest.raises(BudgetExhausted, match="1 usd a day"):
                late.reserve(Cost(usd=0.5))
            with other.reserve(Cost(usd=0.75)) as held:
                held.settle(Cost(usd=0.75))
            again = await first.of(key)
            assert 0 < again.usd_left() <= 0.25
            assert sum(share.granted for share in await shares_of(one, key)) <= NANO


async def test_what_a_server_spent_just_before_it_was_killed_counts(tmp_path):
    path = tmp_path / "runs.db"
    key, _ = made(path, usd_per_day=1)
    database = Database(path)
    async with SqlRunStore(database).open() as runs:
        for id, usd in (("r", 0.25), ("s", 0.5)):
            await runs.start(RunHeader(id=id, protocol="chat", model="m", conversation=(), caller=key.id))
            await runs.append_events(id, [Spent(MAIN, Usage(usd=usd))])
            await runs.flush(id)
        runs.end("r", "finished", RunCost(usd=0.25))
        await runs.writer.run(lambda connection: connection.exec_driver_sql(
            "INSERT INTO shares (key, day, server, granted, spent) VALUES (?, ?, ?, ?, ?)",
            (key.id, today(), runs.server, NANO, NANO // 10)))
        await runs.writer.run(lambda connection: connection.exec_driver_sql("UPDATE servers SET process = '999999999@1'"))
        async with SqlRunStore(Database(path)).open() as next_one, KeyBudgets(next_one).open() as purses:
            assert (await purses.of(key)).usd_left() == 0.25


async def test_a_run_whose_price_nobody_knows_beforehand_ends_with_the_money(tmp_path):
    key, _ = made(tmp_path / "runs.db", usd_per_day=1)
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs, KeyBudgets(runs).open() as purses:
        run = (await purses.of(key)).child()
        for _ in range(4):
            with run.reserve(Cost(calls=1)) as held:
                held.settle(Cost(usd=0.3, calls=1))
        with pytest.raises(BudgetExhausted, match="1 usd a day"):
            run.reserve(Cost(calls=1))


async def test_keys_that_nobody_uses_cost_a_look_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(budgets_module, "TICK", 0.05)
    keys = [made(tmp_path / "runs.db", f"k{number}", usd_per_day=1)[0] for number in range(20)]
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs, KeyBudgets(runs).open() as purses:
        for key in keys:
            await purses.of(key)
        done = []
        do = runs.writer.run
        monkeypatch.setattr(runs.writer, "run", lambda work: done.append(work) or do(work))
        await asyncio.sleep(0.5)
        assert 1 <= len(done) <= 20


def test_a_limit_that_rounds_to_nothing_is_told(tmp_path):
    with pytest.raises(BadOption, match="more than 0"):
        made(tmp_path / "runs.db", usd_per_day=1e-10)


def test_the_id_of_a_key_ends_that_key_and_no_other(tmp_path):
    database = Database(tmp_path / "runs.db")
    keys = KeyStore(database)
    first, _ = keys.create("ann")
    with pytest.raises(BadOption, match="no key has had"):
        keys.create(first.id)
    database.close()


async def test_a_call_that_may_cost_more_than_is_left_leaves_half_of_it_to_others(tmp_path):
    key, _ = made(tmp_path / "runs.db", usd_per_day=1)
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs, KeyBudgets(runs).open() as purses:
        purse = await purses.of(key)
        wide, least = Cost(usd=5), Cost(usd=0.01)
        granted = [purse.child().reserve(wide, least).granted.usd for _ in range(3)]
        assert granted == [0.5, 0.25, 0.125]
        assert purse.child().reserve(Cost(usd=0.1), least).granted.usd == 0.1  # what fits is granted whole
        assert purse.child().reserve(wide, least).granted.usd == 0.025  # so is the rest, of which halves would be of no use
        with pytest.raises(BudgetReserved, match="have reserved 1, the most"):
            purse.child().reserve(wide, least)
        with pytest.raises(BudgetExhausted, match="is used up") as refused:
            purse.child().reserve(wide, Cost(usd=2))
        assert not isinstance(refused.value, BudgetReserved)


async def test_who_comes_while_calls_hold_nearly_everything_waits_for_them_a_moment(tmp_path, monkeypatch):
    monkeypatch.setattr(budgets_module, "TICK", 0.05)
    key, _ = made(tmp_path / "runs.db", usd_per_day=1)
    async with SqlRunStore(Database(tmp_path / "runs.db")).open() as runs, KeyBudgets(runs).open() as purses:
        held = (await purses.of(key)).child().reserve(Cost(usd=1))
        waiting = asyncio.create_task(purses.of(key))
        await asyncio.sleep(0.12)
        assert not waiting.done()
        held.settle(Cost(usd=0.25))
        assert (await waiting).usd_left() == 0.75
        for left in (0.0, 0.01):
            with (await purses.of(key)).child().reserve(Cost(usd=0.75 - left)):
                if left:  # little, but something
                    assert (await purses.of(key)).usd_left() == pytest.approx(left)
                else:
                    with pytest.raises(BudgetReserved, match="ask again in a moment"):
                        await purses.of(key)
