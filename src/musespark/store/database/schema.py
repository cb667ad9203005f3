"""The tables, for SQLAlchemy Core. The migrations create them; a test holds the two equal."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()
_Serial = BigInteger().with_variant(Integer, "sqlite")

SERVERS = Table(
    "servers",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("place", Text, nullable=False),  # the machine since it was booted, or the container
    Column("process", Text, nullable=False),  # process number and start time
    Column("seen", Float, nullable=False),
)  # seconds since 1970, by the database's clock

RUNS = Table(
    "runs",
    METADATA,
    Column("seq", _Serial, primary_key=True, autoincrement=True),  # order of their start
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
    Column("options", Text, nullable=False, server_default="{}"),  # options of the request, as JSON
    Index("runs_of_caller", "caller", "seq"),
    Index("runs_by_how", "how", "seq"),
    Index("runs_by_created", "created"),
    sqlite_autoincrement=True,
)

EVENTS = Table(
    "events",
    METADATA,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
    Column("run", Text, nullable=False),
    Column("number", Integer, nullable=False),  # from 0, without gaps
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("events_of_run", "run", "number", unique=True),
)

IMAGES = Table(
    "pictures",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("place", Text, primary_key=True),  # `drawn` by the run, or `asked` in its conversation
    Column("number", Integer, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

KEYS = Table(
    "keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    Column("created", Float, nullable=False),
    Column("revoked", Float),
    Column("nanousd_per_day", BigInteger),
    Column("per_minute", Integer),
    Column("expires", Float),  # seconds since 1970, by the database's clock
    Column("models", Text),  # names, as JSON; NULL is all
    Column("modes", Text),
    Column("hash_before", LargeBinary),  # of the secret before the present one,
    Column("before_until", Float),  # which counts until then
)

SPENDING = Table(
    "spending",
    METADATA,  # amount that one server has spent of a key's day
    Column("key", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # as in 2026-01-31, in UTC
    Column("server", Text, primary_key=True),
    Column("nanousd", BigInteger, nullable=False),
)  # billionths of a dollar

RESERVATIONS = Table(
    "reservations",
    METADATA,  # amounts that calls under way may cost
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("nanousd", BigInteger, nullable=False),
    Column("expires", Float, nullable=False),  # seconds since 1970, by the database's clock
    Index("reservations_of_key", "key", "day"),
    Index("reservations_of_server", "server"),
)

STOPS = Table(
    "stops",
    METADATA,  # runs that their servers are to stop
    Column("run", Text, primary_key=True),
    Column("server", Text, nullable=False),
    Index("stops_of_server", "server"),
)

MINUTES = Table(
    "minutes",
    METADATA,  # requests of a key in a minute
    Column("key", Text, primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("requests", Integer, nullable=False),
)
