"""API keys: shown once, stored as a hash.

A secret is 256 random bits, which cannot be guessed however fast the hash is: plain SHA-256 protects them as well as a slow hash
would. A slow one (scrypt) protects passwords, and would let anyone keep the server busy with wrong keys.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from musespark.errors import BadOption
from musespark.store.database.clock import database_time, day_of
from musespark.store.database.database import Database, lock_writers
from musespark.store.database.schema import KEYS, MINUTES, SPENDING
from musespark.store.keys.key_limits import NANO, KeyLimits, read_names

if TYPE_CHECKING:
    from sqlalchemy import Connection

MAX_GRACE = 90 * 86_400.0
"""Most seconds for which the secret before counts."""
PREFIX = "muse_"
_KEY = re.compile(PREFIX + r"([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key, without its secret."""

    id: str
    """First part of the key; not secret."""
    name: str
    created: float
    revoked: float | None = None
    nanousd_per_day: int | None = None
    """Billionths of a dollar; None is no limit."""
    per_minute: int | None = None
    expires: float | None = None
    """Time by the database's clock from which on it is refused."""
    models: tuple[str, ...] | None = None
    """Names of the models that it may ask; None is all."""
    modes: tuple[str, ...] | None = None
    hash: bytes = field(repr=False, default=b"")

    @property
    def usd_per_day(self) -> float | None:
        """Daily limit in dollars, in UTC; None is no limit."""
        return None if self.nanousd_per_day is None else self.nanousd_per_day / NANO


class KeyStore:
    """The keys of a database. Methods block, and raise `StoreUnusable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        name: str,
        *,
        usd_per_day: float | None = None,
        per_minute: int | None = None,
        expires_in: float | None = None,
        models: tuple[str, ...] | None = None,
        modes: tuple[str, ...] | None = None,
    ) -> tuple[ApiKey, str]:
        """Create a key; returns it and its secret, which is shown this once. Raises `BadOption`."""
        limits = KeyLimits(
            usd_per_day=usd_per_day,
            per_minute=per_minute,
            expires_in=expires_in,
            models=models,
            modes=modes,
        )
        if not _NAME.fullmatch(name):
            raise BadOption(
                "NAME",
                name[:80],
                "up to 64 letters, digits and . _ @ -, and begin with a letter or a digit",
            )
        id = secrets.token_hex(6)
        secret = _new_secret(id)
        with self._database.begin_write() as connection:
            if connection.execute(
                select(KEYS.c.id).where((KEYS.c.name == name) | (KEYS.c.id == name))
            ).first():
                raise BadOption("NAME", name, "one that no key has had, revoked ones included")
            columns = limits.columns(database_time(connection))
            connection.execute(
                insert(KEYS).values(
                    id=id, name=name, hash=hash_of(secret), created=time.time(), **columns
                )
            )
            return _key(connection.execute(select(KEYS).where(KEYS.c.id == id)).one()), secret

    def change(self, name: str, **limits: Any) -> ApiKey:
        """Change limits of a key, named as in `create`; None lifts one, and those that are not given stay. Raises `BadOption`."""
        checked = KeyLimits(**limits)
        with self._database.begin_write() as connection:
            found = _valid(connection, name)
            columns = KeyLimits.changes(limits, checked, database_time(connection))
            if columns:
                connection.execute(update(KEYS).where(KEYS.c.id == found.id).values(**columns))
            return _key(connection.execute(select(KEYS).where(KEYS.c.id == found.id)).one())

    def rotate(self, name: str, grace: float) -> tuple[ApiKey, str, float]:
        """Give a key another secret, which is shown this once; returns until when the one before it counts, too.

        grace: seconds from now until then. Raises `BadOption`.
        """
        if not 0 <= grace <= MAX_GRACE:
            raise BadOption("--grace", grace, "at most 90 days")
        with self._database.begin_write() as connection:
            found = _valid(connection, name)
            secret, until = _new_secret(found.id), database_time(connection) + grace
            connection.execute(
                update(KEYS)
                .where(KEYS.c.id == found.id)
                .values(hash=hash_of(secret), hash_before=found.hash, before_until=until)
            )
            return (
                _key(connection.execute(select(KEYS).where(KEYS.c.id == found.id)).one()),
                secret,
                until,
            )

    def revoke(self, name: str) -> ApiKey:
        """Revoke a key by its name or id. Raises `BadOption` if there is none that is valid."""
        with self._database.begin_write() as connection:
            found = _valid(connection, name)
            connection.execute(
                update(KEYS).where(KEYS.c.id == found.id).values(revoked=time.time())
            )
        return _key(found)

    def list_with_spending(self) -> list[tuple[ApiKey, float]]:
        """Every key, oldest first, and its spending of today in dollars."""
        with self._database.begin_read() as connection:
            rows = connection.execute(select(KEYS).order_by(KEYS.c.created)).all()
            today = SPENDING.c.day == day_of(database_time(connection))
            spending = connection.execute(
                select(SPENDING.c.key, SPENDING.c.nanousd).where(today)
            ).all()
        return [
            (_key(row), sum(spent for id, spent in spending if id == row.id) / NANO) for row in rows
        ]

    def now(self) -> float:
        """Seconds since 1970 by the database's clock."""
        with self._database.begin_read() as connection:
            return database_time(connection)

    def has_valid_key(self) -> bool:
        """True if there is a key that is neither revoked nor expired."""
        with self._database.begin_read() as connection:
            now = database_time(connection)
            valid = KEYS.c.revoked.is_(None) & (KEYS.c.expires.is_(None) | (KEYS.c.expires > now))
            return connection.execute(select(KEYS.c.id).where(valid).limit(1)).first() is not None

    def find(self, secret: str) -> ApiKey | None:
        """The key of a secret; None if it is unknown, revoked or expired. Compared in constant time."""
        parts = _KEY.fullmatch(secret)
        row, now = None, 0.0
        if parts is not None:
            with self._database.begin_read() as connection:
                row = connection.execute(select(KEYS).where(KEYS.c.id == parts[1])).one_or_none()
                now = database_time(connection)
        hashed = hash_of(secret)
        same = hmac.compare_digest(hashed, row.hash if row is not None else bytes(32))
        if row is not None and row.before_until is not None and now < row.before_until:
            same |= hmac.compare_digest(hashed, row.hash_before)
        if row is None or not same or row.revoked is not None:
            return None
        return None if row.expires is not None and now >= row.expires else _key(row)


def count_request_now(connection: Connection, key: str, most: int) -> float | None:
    """Count a request of a key in this minute of the database's clock; None if it may pass, else the seconds until the next."""
    now = database_time(connection)
    return None if count_request(connection, key, most, int(now // 60)) else 60 - now % 60


def count_request(connection: Connection, key: str, most: int, minute: int) -> bool:
    """Count a request of a key in a minute, up to a maximum; True if it was counted."""
    lock_writers(connection)
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    one_more = dialect.insert(MINUTES).values(key=key, minute=minute, requests=1)
    unless_full = one_more.on_conflict_do_update(
        index_elements=["key", "minute"],
        set_={"requests": MINUTES.c.requests + 1},
        where=MINUTES.c.requests < most,
    )
    counted = connection.execute(unless_full.returning(MINUTES.c.requests)).first() is not None
    if counted and minute % 10 == 0:
        connection.execute(
            MINUTES.delete().where(MINUTES.c.key == key, MINUTES.c.minute < minute - 10)
        )
    return counted


def _valid(connection: Connection, name: str) -> Row[Any]:
    """The key of a name or an id. Raises `BadOption` if there is none that is not revoked."""
    for row in connection.execute(select(KEYS).where(KEYS.c.revoked.is_(None))):
        if name in (row.name, row.id):
            return row
    raise BadOption(
        "NAME", name[:80], "the name or the id of a key that is not revoked; see muse keys list"
    )


def _new_secret(id: str) -> str:
    return f"{PREFIX}{id}_{secrets.token_urlsafe(32)}"


def hash_of(secret: str) -> bytes:
    """Hash of a secret, which is what is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        created=row.created,
        revoked=row.revoked,
        nanousd_per_day=row.nanousd_per_day,
        per_minute=row.per_minute,
        expires=row.expires,
        models=read_names(row.models),
        modes=read_names(row.modes),
        hash=row.hash,
    )
