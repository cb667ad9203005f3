"""Runs, their events and their images."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
_Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "servers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("seen", sa.Float, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("seq", _Serial, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("protocol", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("usd", sa.Float, nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("runs_of_caller", "runs", ["caller", "seq"])
    op.create_index("runs_by_how", "runs", ["how", "seq"])
    op.create_index("runs_by_created", "runs", ["created"])
    op.create_table(
        "events",
        sa.Column("seq", _Serial, primary_key=True, autoincrement=True),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("events_of_run", "events", ["run", "number"], unique=True)
    op.create_table(
        "pictures",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("place", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
