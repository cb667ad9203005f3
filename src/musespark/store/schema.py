"""The tables, as SQLAlchemy Core knows them. The migrations make them; a test holds the two equal."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()
_Serial = BigInteger().with_variant(Integer, "sqlite")

SERVERS = Table(
    "servers", METADATA,
    Column("id", Text, primary_key=True),
    Column("place", Text, nullable=False),   # the machine since it was started, where its processes have these numbers
    Column("process", Text, nullable=False),  # the process's number and when it began
    Column("seen", Float, nullable=False))   # seconds since 1970, by the database's clock

RUNS = Table(
    "runs", METADATA,
    Column("seq", _Serial, primary_key=True, autoincrement=True),  # the order in which they began
    Column("id", Text, nullable=False, unique=True),
    Column("server", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("usd", Float, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("options", Text, nullable=False, server_default="{}"),  # how it was asked, as JSON
    Index("runs_of_caller", "caller", "seq"),
    Index("runs_by_how", "how", "seq"),
    Index("runs_by_created", "created"),
    sqlite_autoincrement=True)

EVENTS = Table(
    "events", METADATA,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
    Column("run", Text, nullable=False),
    Column("number", Integer, nullable=False),  # from 0, without gaps
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("events_of_run", "run", "number", unique=True))

IMAGES = Table(
    "pictures", METADATA,
    Column("run", Text, primary_key=True),
    Column("place", Text, primary_key=True),  # `drawn` in the run, or `asked` in its conversation
    Column("number", Integer, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False))

KEYS = Table(
    "keys", METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    Column("created", Float, nullable=False),
    Column("revoked", Float),
    Column("nanousd_per_day", BigInteger),
    Column("per_minute", Integer))

SHARES = Table(
    "shares", METADATA,  # what one server may spend of a key's day, and what it has spent of it
    Column("key", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # as in 2026-01-31, in UTC
    Column("server", Text, primary_key=True),
    Column("granted", BigInteger, nullable=False),  # billionths of a dollar
    Column("spent", BigInteger, nullable=False))

MINUTES = Table(
    "minutes", METADATA,  # requests of a key in a minute
    Column("key", Text, primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("requests", Integer, nullable=False))
