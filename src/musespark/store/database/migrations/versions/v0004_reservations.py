"""Reservations of calls instead of shares of servers; amounts spent are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Replace the table of shares."""
    op.create_table(
        "spending",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("server", sa.Text, primary_key=True),
        sa.Column("nanousd", sa.BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO spending (key, day, server, nanousd) SELECT key, day, server, spent FROM shares"
    )
    op.drop_table("shares")
    op.create_table(
        "reservations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("nanousd", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
    )
    op.create_index("reservations_of_key", "reservations", ["key", "day"])
    op.create_index("reservations_of_server", "reservations", ["server"])
