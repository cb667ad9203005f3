"""Faults of a database, each with a code for programs and a sentence for clients, which tells nothing of where the database is."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from musespark.errors import StoreUnusable

CLIENT_SENTENCES: Mapping[str, str] = {
    "missing": "the file of the store is gone",
    "replaced": "the file of the store was replaced",
    "read_only": "the store is read-only",
    "full": "the disk is full",
    "disk": "the disk reports an error",
    "locked": "another program keeps the store locked",
    "unreachable": "the store cannot be reached",
    "damaged": "the store is damaged",
    "other": "the store reports an error",
}
"""Every fault, in words for clients; the log has the database's own."""
_SQLITE = {
    "SQLITE_FULL": "full",
    "SQLITE_READONLY": "read_only",
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_CORRUPT": "damaged",
    "SQLITE_NOTADB": "damaged",
    "SQLITE_CANTOPEN": "unreachable",
    "SQLITE_IOERR": "disk",
    "SQLITE_PERM": "unreachable",
}
_ERRNOS = {
    errno.ENOSPC: "full",
    getattr(errno, "EDQUOT", errno.ENOSPC): "full",
    errno.EROFS: "read_only",
    errno.EACCES: "read_only",
    errno.EIO: "disk",
}
_SQLSTATES = (
    ("25006", "read_only"),
    ("53100", "full"),
    ("55P03", "locked"),
    ("57014", "locked"),
    ("40P01", "locked"),
    ("25P03", "locked"),
    ("XX001", "damaged"),
    ("XX002", "damaged"),
    ("3D000", "missing"),
    ("42P01", "damaged"),
    ("53", "unreachable"),
    ("57P", "unreachable"),
    ("58", "disk"),
    ("08", "unreachable"),
    ("28", "unreachable"),
)
"""Beginnings of Postgres's codes."""
PASSING = frozenset(CLIENT_SENTENCES) - {"other"}
"""Faults of the database itself, which no other value would avoid."""


def is_passing(error: BaseException) -> bool:
    """True for a fault of the database itself: the same statement may succeed once that is mended."""
    return isinstance(error, StoreUnusable) and error.fault in PASSING


def classify(error: BaseException) -> str:
    """The fault that an error of a driver, of SQLAlchemy or of the system means."""
    cause = getattr(error, "orig", None) or error
    name = getattr(cause, "sqlite_errorname", None) or ""
    state = getattr(cause, "sqlstate", None) or ""
    if name == "SQLITE_ERROR" and str(cause).startswith("no such table"):
        return "damaged"
    if name:
        return next((fault for start, fault in _SQLITE.items() if name.startswith(start)), "other")
    if state:
        return next((fault for start, fault in _SQLSTATES if state.startswith(start)), "other")
    if isinstance(cause, OSError):
        return _ERRNOS.get(cause.errno or 0, "unreachable")
    kind = type(cause)
    if kind.__module__.startswith("psycopg") and kind.__name__ in (
        "OperationalError",
        "ConnectionTimeout",
    ):
        return "unreachable"  # the connection failed before the server could give a code
    if kind.__module__.startswith("sqlalchemy") and kind.__name__ in (
        "TimeoutError",
        "DisconnectionError",
    ):
        return "unreachable"  # every connection of the pool is in use
    return "other"
