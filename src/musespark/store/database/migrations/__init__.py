"""Alembic's migrations from any earlier version, applied when a server starts."""
