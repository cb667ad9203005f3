"""The database itself: connections, tables and the thread that writes.

`database.py`: an SQLite file or a Postgres database, its transactions and errors. `sqlite_file.py` and `postgres.py`: connections
to each. `faults.py`: kinds of faults. `clock.py`: the database's own time. `schema.py`: the tables. `statements.py`: the driver's
statements of the hot path, derived from the schema. `batch_writer.py`: the one thread that writes, a batch a transaction.
`maintenance.py`: copies, checks and vacuums. `migrations/`: Alembic's steps from any earlier version to today's tables.
"""
