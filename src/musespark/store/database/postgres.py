"""A Postgres database: its URL without a password, and connections that neither wait nor stay silent without end.

Nothing is left in a session between two transactions, so a pooler such as PgBouncer may give each transaction another connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

READ_PATIENCE = 1.0
"""Seconds that a read waits for a lock, which only a change of the tables takes."""
STATEMENT = 30
"""Seconds that a statement may take."""
IDLE = 20
"""Seconds after which Postgres ends a transaction in which nothing happens: its server is suspended and holds locks."""
_CONNECTION = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
    "application_name": "musespark",
}
"""Settings of a connection that the URL does not make itself: a host that vanished is noticed within seconds."""


def shown_url(url: URL) -> str:
    """The URL without a password, wherever in it there is one."""
    hidden = {name: "hidden" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def make_postgres_engine(url: URL) -> Engine:
    """An engine. Transactions that write have the execution options `writes` and `patience`, in seconds."""
    from sqlalchemy import create_engine, event

    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=8,
        max_overflow=12,
        pool_timeout=5,
        connect_args={
            **{name: value for name, value in _CONNECTION.items() if name not in url.query},
            "prepare_threshold": None,  # a prepared statement belongs to one connection
        },
    )

    @event.listens_for(engine, "begin")
    def begins(connection: Connection) -> None:
        options = connection.get_execution_options()
        patience = options["patience"] if options.get("writes") else READ_PATIENCE
        driver: Any = connection.connection.dbapi_connection
        driver.execute(limits_statement(patience))

    return engine


def limits_statement(patience: float) -> str:
    """The statement that limits the waits of one transaction. patience: seconds to wait for a lock; above 60 there is no limit of
    statements, as for a migration."""
    statement = STATEMENT if patience <= 60 else 0
    return (
        f"SET LOCAL lock_timeout = {round(patience * 1000)}; "
        f"SET LOCAL statement_timeout = {statement * 1000}; "
        f"SET LOCAL idle_in_transaction_session_timeout = {IDLE * 1000}"
    )
