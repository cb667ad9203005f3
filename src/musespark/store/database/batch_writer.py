"""The one thread of a process that writes to its database. Everything that waits is written in one transaction.

A transaction costs the same for one row as for a hundred. Rows that arrive while one is under way form the next, so batches grow
with the load, and no waiting call waits for a timer (group commit).
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy.exc import DataError, IntegrityError

from musespark.store.database.database import Database
from musespark.store.database.statements import Cursor, Row, end_statement, insert

if TYPE_CHECKING:
    from sqlalchemy import Connection

_Result = TypeVar("_Result")
_UNRETRYABLE = (DataError, IntegrityError, ValueError, TypeError, ArithmeticError)
"""Errors caused by a value, which a retry would meet again."""
_LOG = logging.getLogger(__name__)
FLUSH_DELAY = 0.05
"""Seconds within which rows are written that no call waits for."""
Work: TypeAlias = "Callable[[Connection], Any]"


@dataclass(slots=True)
class _Batch:
    """Rows and work of one transaction, in this order: a run before its events, its events before its end."""

    rows: dict[str, list[Row]] = field(
        default_factory=lambda: {"runs": [], "pictures": [], "events": []}
    )
    ends: list[Row] = field(default_factory=list)
    work: list[tuple[Work, asyncio.Future[Any] | None]] = field(default_factory=list)
    waiting: list[tuple[str, asyncio.Future[None]]] = field(default_factory=list)
    """Calls that wait for the commit, by run; with an empty name for no run in particular."""
    wanted: bool = False
    """True if it is to be written as soon as the thread is free."""
    due: asyncio.TimerHandle | None = None
    """Timer at whose end it is written though no call waits for it."""


@dataclass(frozen=True, slots=True)
class _LostRows:
    """Rows of a run that could not be written."""

    error: Exception
    """Reason of the loss."""
    whole: bool
    """True if the run's own row is among them."""


class BatchWriter:
    """Writes rows and runs work in the order they were given. Made and used within one event loop; only its thread is separate.

    The loop gathers a batch and hands it over when the thread is free, so that neither waits for a lock of the other's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loop = asyncio.get_running_loop()
        self._batch = _Batch()
        self._busy = False
        """True while the thread has a batch."""
        self._retries: list[Work] = []
        """Work that failed and is retried with the next transaction. Only the thread uses it."""
        self._lost: dict[str, _LostRows] = {}
        """Running runs that lost rows: nothing more of them is written, or they would have gaps. Only the thread uses it."""
        self._handed: SimpleQueue[_Batch | None] = SimpleQueue()
        self._thread = threading.Thread(
            target=self._write_all, name="musespark-batch-writer", daemon=True
        )
        self._thread.start()

    def add(self, table: str, row: Row) -> None:
        """Add a row to the next transaction, which begins soon, or at once if a call waits. A run's rows begin with its id."""
        self._batch.rows[table].append(row)
        self._soon()

    async def flush(self, run: str = "") -> None:
        """Wait until everything added so far is committed.

        Raises `StoreUnusable` if it cannot be, and then none of it is; also if the run has lost rows before.
        """
        future: asyncio.Future[None] = self._loop.create_future()
        self._batch.waiting.append((run, future))
        self._want()
        await future

    async def run(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run work in the next transaction, after its rows; returns the work's result once it is committed.

        Work may raise database errors only. Raises `StoreUnusable`.
        """
        future: asyncio.Future[_Result] = self._loop.create_future()
        self._batch.work.append((work, future))
        self._want()
        return await future

    def end_run(self, status: str, tokens: int, usd: float, calls: int, run: str) -> None:
        """Write the end of a run with the next transaction that succeeds, without waiting for it."""
        self._batch.ends.append((status, tokens, usd, calls, run))
        self._soon()

    def enqueue(self, work: Work) -> None:
        """Run work in the next transaction that succeeds, without waiting for it."""
        self._batch.work.append((work, None))
        self._soon()

    async def aclose(self) -> None:
        """Write the rest and end the thread. Nothing may be added any more."""
        try:
            with suppress(Exception):  # calls that wait get the error
                await self.flush()
        finally:
            self._handed.put(None)
            await asyncio.to_thread(self._thread.join)

    def _want(self) -> None:
        if not self._batch.wanted:
            self._batch.wanted = True
            self._loop.call_soon(self._hand_over)  # rows of this same turn of the loop go along

    def _soon(self) -> None:
        if self._batch.due is None:
            self._batch.due = self._loop.call_later(FLUSH_DELAY, self._want)

    def _hand_over(self) -> None:
        if self._batch.wanted and not self._busy:
            self._busy = True
            batch, self._batch = self._batch, _Batch()
            if batch.due is not None:
                batch.due.cancel()
            self._handed.put(batch)

    def _written(
        self,
        batch: _Batch,
        results: list[Any],
        error: Exception | None,
        lost: Mapping[str, _LostRows],
    ) -> None:
        self._busy = False
        self._hand_over()
        for run, future in batch.waiting:
            _settle(future, None, error or (lost[run].error if run in lost else None))
        for (_, promised), result in zip(batch.work, results, strict=True):
            if promised is not None:
                _settle(promised, result, error)

    def _write_all(self) -> None:
        while (batch := self._handed.get()) is not None:
            results: list[Any] = []
            error: Exception | None = None
            try:
                self._write(batch, results)
            except Exception as caught:  # calls that wait get it; the thread goes on
                error, results = caught, [None] * len(batch.work)  # rolled back
                self._lose(batch, caught)
            lost = dict(self._lost)
            for end in batch.ends:
                self._lost.pop(end[-1], None)
            self._loop.call_soon_threadsafe(self._written, batch, results, error, lost)

    def _write(self, batch: _Batch, results: list[Any]) -> None:
        if self._retries or batch.work:
            with self._database.begin_write() as connection:
                self._append(connection.connection.cursor(), batch)
                for owed in self._retries:
                    self._retry(connection, owed)
                for work, _ in batch.work:
                    results.append(work(connection))
        elif batch.ends or any(batch.rows.values()):
            with self._database.raw_cursor() as cursor:
                self._append(cursor, batch)
        self._retries = []

    def _append(self, cursor: Cursor, batch: _Batch) -> None:
        for table, rows in batch.rows.items():
            whole = [row for row in rows if row[0] not in self._lost] if self._lost else rows
            insert(cursor, self._database.placeholder, table, whole)
        for end in self._ends(batch):
            cursor.execute(end_statement(self._database.placeholder), end)

    def _ends(self, batch: _Batch) -> list[Row]:
        """Ends of runs whose own row was written."""
        return [
            end for end in batch.ends if end[-1] not in self._lost or not self._lost[end[-1]].whole
        ]

    def _lose(self, batch: _Batch, error: Exception) -> None:
        """Note what a failed batch lost, and keep its work for a retry."""
        begun = {row[0] for row in batch.rows["runs"]}
        for run in dict.fromkeys(row[0] for rows in batch.rows.values() for row in rows):
            self._lost.setdefault(run, _LostRows(error, run in begun))
        self._retries += [
            _statement(end_statement(self._database.placeholder), end) for end in self._ends(batch)
        ]
        self._retries += [work for work, future in batch.work if future is None]

    def _retry(self, connection: Connection, owed: Work) -> None:
        """Retry work that failed, in a savepoint of its own, so that work that never succeeds holds up nothing else."""
        try:
            with connection.begin_nested():
                owed(connection)
        except _UNRETRYABLE as error:
            _LOG.error(
                "The store gives up a row that it cannot write: %s", getattr(error, "orig", error)
            )


def _statement(statement: str, values: Row) -> Work:
    return lambda connection: connection.exec_driver_sql(statement, values)


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return  # the waiting call was cancelled
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
