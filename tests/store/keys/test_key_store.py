"""Keys: found by their secret, and their requests counted exactly, on any number of servers."""

import asyncio
import re

import pytest

from musespark.errors import BadOption
from musespark.store.database.database import Database
from musespark.store.database.schema import KEYS
from musespark.store.keys.key_store import KeyStore, count_request
from musespark.store.runs.run_store import SqlRunStore

from .made_keys import made


def test_a_key_is_found_by_its_secret_alone_until_it_is_revoked(where):
    database = Database(where)
    keys = KeyStore(database)
    assert not keys.has_valid_key()
    key, secret = keys.create("ann", usd_per_day=1.5, per_minute=10)
    other, _ = keys.create("bob")
    assert (
        re.fullmatch(r"muse_[0-9a-f]{12}_[\w-]{43}", secret)
        and keys.find(secret) == key
        and keys.has_valid_key()
    )
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for guess in (
        wrong,
        "",
        "muse_",
        secret + "x",
        secret.replace(key.id, other.id),
        "\ud83d",
        "muse_" + "0" * 12 + secret[17:],
    ):
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
    assert (
        key.id.encode() in kept
        and secret.encode() not in kept
        and secret.split("_", 2)[2].encode() not in kept
    )
    assert secret not in repr(key) and repr(key.hash) not in repr(key)


@pytest.mark.parametrize(
    "limits",
    [
        {"usd_per_day": 0},
        {"usd_per_day": float("nan")},
        {"per_minute": 0},
        {"name": ""},
        {"name": "a b"},
        {"name": "x" * 65},
        {"name": "-rf"},
        {"usd_per_day": float("inf")},
    ],
)
def test_limits_that_make_no_sense_are_told(tmp_path, limits):
    with pytest.raises(BadOption):
        made(tmp_path / "runs.db", **limits)


async def test_no_more_requests_pass_than_may_on_two_servers_at_once(where):
    key, _ = made(where, per_minute=25)
    async with (
        SqlRunStore(Database(where)).open() as one,
        SqlRunStore(Database(where)).open() as two,
    ):

        def ask(runs, minute):
            return runs.writer.run(lambda connection: count_request(connection, key.id, 25, minute))

        for minute in (100, 101, 110):
            passed = await asyncio.gather(
                *(ask((one, two)[number % 2], minute) for number in range(80))
            )
            assert sum(passed) == 25


async def test_servers_that_count_the_same_keys_in_another_order_do_not_wait_for_each_other(where):
    keys = [made(where, f"k{number}", per_minute=1000)[0].id for number in range(8)]
    async with (
        SqlRunStore(Database(where)).open() as one,
        SqlRunStore(Database(where)).open() as two,
    ):

        def ask(runs, key):
            return runs.writer.run(lambda connection: count_request(connection, key, 1000, 100))

        for _ in range(30):
            async with asyncio.timeout(30):
                passed = await asyncio.gather(
                    *(ask(one, key) for key in keys), *(ask(two, key) for key in reversed(keys))
                )
            assert all(passed)


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


def test_a_key_that_has_expired_opens_nothing(where):
    database = Database(where)
    keys = KeyStore(database)
    _, secret = keys.create("ann", expires_in=3600, models=("a", "b"), modes=("thinking",))
    found = keys.find(secret)
    assert found.models == ("a", "b") and found.modes == ("thinking",)
    assert 3590 < found.expires - keys.now() <= 3600
    with database.begin_write() as connection:
        connection.execute(KEYS.update().values(expires=keys.now() - 1))
    assert keys.find(secret) is None and not keys.has_valid_key()
    keys.change("ann", expires_in=60)
    assert keys.find(secret).models == ("a", "b") and keys.has_valid_key()
    database.close()


def test_two_secrets_open_a_key_until_the_grace_ends(where):
    database = Database(where)
    keys = KeyStore(database)
    key, first = keys.create("ann", per_minute=3)
    same, second, until = keys.rotate("ann", grace=60)
    assert same.id == key.id and 50 < until - keys.now() <= 60
    assert keys.find(first).id == keys.find(second).id == key.id
    with database.begin_write() as connection:
        connection.execute(KEYS.update().values(before_until=keys.now() - 1))
    assert keys.find(first) is None and keys.find(second).per_minute == 3
    keys.revoke("ann")
    assert keys.find(second) is None
    for work in (lambda: keys.rotate("ann", grace=0), lambda: keys.change("ann", per_minute=1)):
        with pytest.raises(BadOption, match="not revoked"):
            work()
    database.close()


@pytest.mark.parametrize(
    "limits",
    [
        {"usd_per_day": float("nan")},
        {"per_minute": 0},
        {"expires_in": 0},
        {"expires_in": float("inf")},
        {"models": ()},
        {"models": ("a", " ")},
        {"models": ("a",) * 101},
        {"modes": ("fast",)},
        {"modes": ()},
    ],
)
def test_limits_that_cannot_be_change_nothing(tmp_path, limits):
    database = Database(tmp_path / "runs.db")
    keys = KeyStore(database)
    key, secret = keys.create("ann")
    with pytest.raises(BadOption):
        keys.change("ann", **limits)
    with pytest.raises(BadOption):
        keys.create("bob", **limits)
    assert keys.find(secret) == key and len(keys.list_with_spending()) == 1
    database.close()
