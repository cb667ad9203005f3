"""The one thread of a process that writes to its database, and what makes that cheap: everything that waits is one transaction.

A transaction costs the same for one row as for a hundred. While one is under way, what others want kept gathers, and is the next;
so under load the batches grow by themselves, and nobody waits for a timer.
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
"""What is the fault of a value, and will be the next time."""
_LOG = logging.getLogger(__name__)
FLUSH_DELAY = 0.05
"""Seconds within which what nobody waits for is written."""
Work: TypeAlias = "Callable[[Connection], Any]"


@dataclass(slots=True)
class _Batch:
    """What is written together, in this order: a run before its events, its events before its end."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {"runs": [], "pictures": [], "events": []})
    ends: list[Row] = field(default_factory=list)
    work: list[tuple[Work, asyncio.Future[Any] | None]] = field(default_factory=list)
    waiting: list[tuple[str, asyncio.Future[None]]] = field(default_factory=list)
    """By run; the empty name is nobody's."""
    wanted: bool = False
    """Whether it is written as soon as may be."""
    due: asyncio.TimerHandle | None = None
    """When it is written although nobody waits for it."""


@dataclass(frozen=True, slots=True)
class _LostRows:
    """What could not be written of a run."""

    error: Exception
    """Why."""
    whole: bool
    """Whether it is all of it, from its beginning."""


class BatchWriter:
    """Writes what it is given, in the order it was given. Made and used within one event loop; only its thread is another.

    The loop gathers a batch and hands it over when the thread has nothing to do, so that neither waits for a lock of the other's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loop = asyncio.get_running_loop()
        self._batch = _Batch()
        self._busy = False
        """Whether the thread has a batch."""
        self._retries: list[Work] = []
        """What must be written sooner or later, and could not be so far. The thread's own."""
        self._lost: dict[str, _LostRows] = {}
        """Of runs that go on, those of which something could not be written: nothing that follows is, or they would have gaps. The
        thread's own."""
        self._handed: SimpleQueue[_Batch | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="musespark-journal", daemon=True)
        self._thread.start()

    def add(self, table: str, row: Row) -> None:
        """A row for the next transaction, which begins soon, or when somebody waits for it. A run's rows begin with its id."""
        self._batch.rows[table].append(row)
        self._soon()

    async def flush(self, run: str = "") -> None:
        """Wait until all that was added is committed. Raises `StoreUnusable` where it cannot be, and then nothing of it is; and
        where something of that run could not be before."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._batch.waiting.append((run, future))
        self._want()
        await future

    async def run(self, work: Callable[[Connection], _Result]) -> _Result:
        """Work in the next transaction, after the rows; returns what it returned, once that is committed.

        Work raises nothing but what the database raises. Raises `StoreUnusable`.
        """
        future: asyncio.Future[_Result] = self._loop.create_future()
        self._batch.work.append((work, future))
        self._want()
        return await future

    def end_run(self, status: str, tokens: int, usd: float, calls: int, run: str) -> None:
        """The run is over: that is written, soon, in the next transaction that succeeds, and nobody waits for it."""
        self._batch.ends.append((status, tokens, usd, calls, run))
        self._soon()

    def enqueue(self, work: Work) -> None:
        """Work that is done, soon, in the next transaction that succeeds, and that nobody waits for."""
        self._batch.work.append((work, None))
        self._soon()

    async def aclose(self) -> None:
        """Write what is left, and end the thread. Nobody may write any more."""
        try:
            with suppress(Exception):  # whoever waits for it is told
                await self.flush()
        finally:
            self._handed.put(None)
            await asyncio.to_thread(self._thread.join)

    def _want(self) -> None:
        if not self._batch.wanted:
            self._batch.wanted = True
            self._loop.call_soon(self._hand_over)  # what others want kept in this same turn of the loop goes along

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

    def _written(self, batch: _Batch, results: list[Any], error: Exception | None, lost: Mapping[str, _LostRows]) -> None:
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
            except Exception as caught:  # it goes to everyone who waits; the thread lives on
                error, results = caught, [None] * len(batch.work)  # nothing of it has happened
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
        """Those of runs that are there."""
        return [end for end in batch.ends if end[-1] not in self._lost or not self._lost[end[-1]].whole]

    def _lose(self, batch: _Batch, error: Exception) -> None:
        """Nothing of this was written; what must be is owed."""
        begun = {row[0] for row in batch.rows["runs"]}
        for run in dict.fromkeys(row[0] for rows in batch.rows.values() for row in rows):
            self._lost.setdefault(run, _LostRows(error, run in begun))
        self._retries += [_statement(end_statement(self._database.placeholder), end) for end in self._ends(batch)]
        self._retries += [work for work, future in batch.work if future is None]

    def _retry(self, connection: Connection, owed: Work) -> None:
        """What failed before, once more: by itself, so that what will never succeed holds up nothing else."""
        try:
            with connection.begin_nested():
                owed(connection)
        except _UNRETRYABLE as error:
            _LOG.error("The store gives up something that it cannot write: %s", getattr(error, "orig", error))


def _statement(statement: str, values: Row) -> Work:
    return lambda connection: connection.exec_driver_sql(statement, values)


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return  # whoever waited has left
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
