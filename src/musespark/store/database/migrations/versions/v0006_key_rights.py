"""Keys that expire, are limited to models and modes, and have a secret before the present one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns; older keys have no such limits."""
    op.add_column("keys", sa.Column("expires", sa.Float))
    op.add_column("keys", sa.Column("models", sa.Text))
    op.add_column("keys", sa.Column("modes", sa.Text))
    op.add_column("keys", sa.Column("hash_before", sa.LargeBinary))
    op.add_column("keys", sa.Column("before_until", sa.Float))
