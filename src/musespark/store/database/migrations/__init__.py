"""Alembic's migrations from any earlier version, applied when a server starts.

`env.py`: Alembic's entry. `versions/`: the steps, in order.
"""
