"""Requests to stop a run, for the server that runs it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table of requests to stop."""
    op.create_table(
        "stops",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("server", sa.Text, nullable=False),
    )
    op.create_index("stops_of_server", "stops", ["server"])
