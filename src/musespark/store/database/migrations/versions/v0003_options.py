"""Options of a run, so that its question can be asked again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; older runs have no options."""
    op.add_column("runs", sa.Column("options", sa.Text, nullable=False, server_default="{}"))
