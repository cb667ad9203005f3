"""API keys and their limits.

`key_store.py`: keys, stored as hashes, and their rate limit. `budgets.py`: daily budgets of keys.
`key_limits.py`: limits of a key, checked and stored. `reservations.py`: reservations of single calls, in the database.
"""
