"""How a database of any earlier version becomes one of this: Alembic's steps, applied when a server starts."""
