"""Votes and strategies, stored between runs as facts that are only ever added to.

A vote says that a model's answer to a question of some kind fell into a group, and whether that was right if that is known.
Reliability and error correlation are derived from votes, never stored. One SQLite file; any number of processes may add to it
at once.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from musespark.config import home_folder
from musespark.errors import StoreUnusable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS votes (
    kind TEXT NOT NULL, question TEXT NOT NULL, model TEXT NOT NULL, answer TEXT, correct INTEGER,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')));
CREATE INDEX IF NOT EXISTS votes_of_kind ON votes (kind);
CREATE TABLE IF NOT EXISTS strategies (
    kind TEXT NOT NULL, model TEXT NOT NULL, strategy TEXT NOT NULL,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')));
"""
BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process that writes."""


@dataclass(frozen=True, slots=True)
class Vote:
    """The answer of one model to one question."""

    task_kind: str
    """Kind of task; reliability is estimated for a model and a kind."""
    question: str
    """Id of the question: votes on one question can be compared."""
    model: str
    group: str | None
    """Representative of the group the answer fell into; None if the model answered nothing."""
    right: bool | None = None
    """None if unknown."""


class VoteStore:
    """Votes in an SQLite file, made if need be. Use it with `with`, or close it."""

    def __init__(self, path: str | Path | None = None) -> None:
        """path: the file; None is `votes.db` in `$XDG_DATA_HOME/musespark`. Raises `StoreUnusable`."""
        self.path = Path(path) if path is not None else default_votes_path()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self.path, timeout=BUSY_TIMEOUT, isolation_level=None
            )
        except (OSError, sqlite3.Error) as error:
            raise StoreUnusable(self.path, str(error)) from error
        try:
            enable_wal(self._connection)
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._connection.close()
            raise StoreUnusable(self.path, str(error)) from error

    def add(self, votes: Iterable[Vote]) -> None:
        """Add votes, all of them or none. Raises `StoreUnusable`."""
        rows = [
            (vote.task_kind, vote.question, vote.model, vote.group, vote.right) for vote in votes
        ]
        try:
            with closing(self._connection.cursor()) as cursor:
                cursor.execute("BEGIN IMMEDIATE")
                try:
                    cursor.executemany(
                        "INSERT INTO votes (kind, question, model, answer, correct) VALUES (?, ?, ?, ?, ?)",
                        rows,
                    )
                except BaseException:
                    cursor.execute("ROLLBACK")
                    raise
                cursor.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreUnusable(self.path, str(error)) from error

    def votes(self, kind: str) -> list[Vote]:
        """All votes on tasks of a kind, oldest first; only the newest of a model on a question counts."""
        query = (
            "SELECT question, model, answer, correct FROM votes WHERE rowid IN "
            "(SELECT max(rowid) FROM votes WHERE kind = ? GROUP BY question, model) ORDER BY rowid"
        )
        try:
            rows = self._connection.execute(query, (kind,)).fetchall()
        except sqlite3.Error as error:
            raise StoreUnusable(self.path, str(error)) from error
        return [
            Vote(kind, question, model, group, None if right is None else bool(right))
            for question, model, group, right in rows
        ]

    def add_strategy(self, kind: str, model: str, strategy: str) -> None:
        """Add a strategy for tasks of a kind with a model, as JSON text; the newest counts. Raises `StoreUnusable`."""
        try:
            self._connection.execute(
                "INSERT INTO strategies (kind, model, strategy) VALUES (?, ?, ?)",
                (kind, model, strategy),
            )
        except sqlite3.Error as error:
            raise StoreUnusable(self.path, str(error)) from error

    def strategy(self, kind: str, model: str) -> str | None:
        """The newest strategy for tasks of a kind with a model; None if there is none. Raises `StoreUnusable`."""
        query = "SELECT strategy FROM strategies WHERE kind = ? AND model = ? ORDER BY rowid DESC LIMIT 1"
        try:
            row = self._connection.execute(query, (kind, model)).fetchone()
        except sqlite3.Error as error:
            raise StoreUnusable(self.path, str(error)) from error
        return None if row is None else str(row[0])

    def kinds(self) -> list[str]:
        """The kinds of task that there are votes on."""
        return [
            kind
            for (kind,) in self._connection.execute("SELECT DISTINCT kind FROM votes ORDER BY kind")
        ]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()


def enable_wal(connection: Any) -> None:
    """Turn a file to WAL. SQLite refuses that at once while another process opens the file, whatever the timeout is."""
    until = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def default_votes_path() -> Path:
    """Default file of votes, in the user's data directory."""
    named = os.environ.get("XDG_DATA_HOME")
    home = Path(named).expanduser() if named else home_folder() / ".local" / "share"
    return home / "musespark" / "votes.db"
