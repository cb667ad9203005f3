"""Keys for tests."""

from musespark.store.database.database import Database
from musespark.store.keys.key_store import KeyStore


def made(where, name="k", **limits):
    """A new key of a database, and its secret."""
    database = Database(where)
    try:
        return KeyStore(database).create(name, **limits)
    finally:
        database.close()


def spent_today(where):
    database = Database(where)
    try:
        return [spent for _, spent in KeyStore(database).list_with_spending()]
    finally:
        database.close()
