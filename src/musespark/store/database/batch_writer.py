"""The one thread of a process that writes to its database. Everything that waits is written in one transaction.

A transaction costs the same for one row as for a hundred. Rows that arrive while one is under way form the next, so batches grow
with the load, and no waiting call waits for a timer (group commit).
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from musespark.errors import StoreUnusable
from musespark.store.database.database import Database
from musespark.store.database.faults import is_passing
from musespark.store.database.statements import Cursor, Row, end_statement, insert

if TYPE_CHECKING:
    from sqlalchemy import Connection

_Result = TypeVar("_Result")
_LOG = logging.getLogger(__name__)
FLUSH_DELAY = 0.05
"""Seconds within which rows are written that no call waits for."""
CLOSE_TIMEOUT = 2.0
"""Seconds that the rest may take to be written when the server stops."""
Work: TypeAlias = "Callable[[Connection], Any]"


@dataclass(slots=True)
class _Batch:
    """Rows and work of one transaction, in this order: a run before its events, its events before its end."""

    rows: dict[str, list[Row]] = field(
        default_factory=lambda: {"runs": [], "pictures": [], "events": []}
    )
    ends: list[Row] = field(default_factory=list)
    work: list[tuple[Work, asyncio.Future[Any] | None]] = field(default_factory=list)
    waiting: list[_Waiting] = field(default_factory=list)
    """Calls that wait for the commit."""
    lost: dict[str, _LostRows] = field(default_factory=dict)
    """Runs that lost rows outside of the writer."""
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


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A call that waits for the commit of its run's rows."""

    run: str
    """Empty for no run in particular."""
    future: asyncio.Future[None]
    begins: bool
    """True if nothing of its run is committed yet, so that it can still be refused."""


@dataclass(slots=True)
class _Outcome:
    """Result of one batch, for those who wait for it."""

    results: list[tuple[Any, Exception | None]] = field(default_factory=list)
    """Result or error of each piece of work."""
    error: Exception | None = None
    """Error of the whole batch."""


class BatchWriter:
    """Writes rows and runs work in the order they were given. Made and used within one event loop; only its thread is separate.

    The loop gathers a batch and hands it over when the thread is free, so that neither waits for a lock of the other's.
    """

    def __init__(
        self,
        database: Database,
        on_outcome: Callable[[Exception | None], None] = lambda error: None,
    ) -> None:
        """on_outcome: called on the event loop after each batch, with its error if it failed."""
        self._database = database
        self._on_outcome = on_outcome
        self._loop = asyncio.get_running_loop()
        self._batch = _Batch()
        self._written_now: _Batch | None = None
        """Batch that the thread has."""
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

    async def flush(self, run: str = "", *, begins: bool = False) -> None:
        """Wait until everything added so far is committed.

        begins: true if nothing of the run is committed yet. Raises `StoreUnusable` if it cannot be, and then none of it is; also
        if the run has lost rows before.
        """
        future: asyncio.Future[None] = self._loop.create_future()
        self._batch.waiting.append(_Waiting(run, future, begins))
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

    def refuse_waiting(self, error: StoreUnusable) -> None:
        """Raise an error in all calls that wait and have nothing under way: work, and the beginnings of runs.

        What they wait for may be written all the same.
        """
        for batch in (self._written_now, self._batch):
            if batch is not None:
                for waiting in batch.waiting:
                    if waiting.begins:
                        _settle(waiting.future, None, error)
                for _, promised in batch.work:
                    if promised is not None:
                        _settle(promised, None, error)

    def lose(self, runs: Iterable[str], error: Exception) -> None:
        """Write nothing more of runs whose rows are gone."""
        self._batch.lost |= {run: _LostRows(error, True) for run in runs}
        self._soon()

    async def aclose(self) -> None:
        """Write the rest, within `CLOSE_TIMEOUT` seconds, and end the thread. Nothing may be added any more."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self.flush()
        except TimeoutError:
            _LOG.error("The store does not take what the server had still to write; it is lost.")
        except Exception:  # calls that wait get the error
            _LOG.error("The store did not take what the server had still to write; it is lost.")
        finally:
            self._handed.put(None)
            await asyncio.to_thread(self._thread.join, CLOSE_TIMEOUT)

    def _want(self) -> None:
        if not self._batch.wanted:
            self._batch.wanted = True
            self._loop.call_soon(self._hand_over)  # rows of this same turn of the loop go along

    def _soon(self) -> None:
        if self._batch.due is None:
            self._batch.due = self._loop.call_later(FLUSH_DELAY, self._want)

    def _hand_over(self) -> None:
        if self._batch.wanted and self._written_now is None:
            batch, self._batch = self._batch, _Batch()
            self._written_now = batch
            if batch.due is not None:
                batch.due.cancel()
            self._handed.put(batch)

    def _written(self, batch: _Batch, outcome: _Outcome, lost: Mapping[str, _LostRows]) -> None:
        self._written_now = None
        self._on_outcome(outcome.error)
        self._hand_over()
        for waiting in batch.waiting:
            run = waiting.run
            _settle(
                waiting.future, None, outcome.error or (lost[run].error if run in lost else None)
            )
        for (_, promised), (result, error) in zip(batch.work, outcome.results, strict=True):
            if promised is not None:
                _settle(promised, result, error)

    def _write_all(self) -> None:
        while (batch := self._handed.get()) is not None:
            self._lost |= batch.lost
            outcome = self._write_or_lose(batch)
            lost = dict(self._lost)
            for end in batch.ends:
                self._lost.pop(end[-1], None)
            with suppress(RuntimeError):  # the loop is closed: nothing waits any more
                self._loop.call_soon_threadsafe(self._written, batch, outcome, lost)

    def _write_or_lose(self, batch: _Batch) -> _Outcome:
        """Write a batch. If one value in it cannot be written, everything else is, each part in a savepoint of its own."""
        outcome = _Outcome()
        try:
            try:
                self._write(batch, outcome)
            except Exception as caught:
                if is_passing(caught):
                    raise
                outcome.results.clear()  # rolled back
                self._write_apart(batch, outcome)
        except Exception as caught:  # calls that wait get it; the thread goes on
            outcome.error = caught
            outcome.results = [(None, caught)] * len(batch.work)
            self._lose(batch, caught)
        return outcome

    def _write(self, batch: _Batch, outcome: _Outcome) -> None:
        if self._retries or batch.work:
            with self._database.begin_write() as connection:
                self._append(connection.connection.cursor(), batch)
                for owed in self._retries:
                    self._retry(connection, owed)
                for work, _ in batch.work:
                    outcome.results.append((work(connection), None))
        elif batch.ends or any(batch.rows.values()):
            with self._database.raw_cursor() as cursor:
                self._append(cursor, batch)
        self._retries = []

    def _write_apart(self, batch: _Batch, outcome: _Outcome) -> None:
        runs = dict.fromkeys(row[0] for rows in batch.rows.values() for row in rows)
        ends = {end[-1]: end for end in batch.ends}
        begun = {row[0] for row in batch.rows["runs"]}
        with self._database.begin_write() as connection:
            for run in (*runs, *(run for run in ends if run not in runs)):
                part = _Batch(
                    rows={
                        table: [row for row in rows if row[0] == run]
                        for table, rows in batch.rows.items()
                    },
                    ends=[ends[run]] if run in ends else [],
                )
                error = self._attempt(connection, partial(self._append_part, part=part))[1]
                if error is not None:
                    _LOG.error(
                        "The store cannot take the run %s, which is left out: %s", run, error
                    )
                    self._lost.setdefault(run, _LostRows(error, run in begun))
                    self._retries += [
                        _statement(end_statement(self._database.placeholder), end)
                        for end in self._ends(part)
                    ]
            retries, self._retries = self._retries, []
            for owed in retries:
                self._retry(connection, owed)
            for work, promised in batch.work:
                result, error = self._attempt(connection, work)
                if error is not None and promised is None:
                    _LOG.error("The store gives up a row that it cannot write: %s", error)
                outcome.results.append((result, error))

    def _append_part(self, connection: Connection, part: _Batch) -> None:
        self._append(connection.connection.cursor(), part)

    def _attempt(self, connection: Connection, work: Work) -> tuple[Any, Exception | None]:
        """Result of work in a savepoint of its own, or the error of a value in it. Raises what is a fault of the database."""
        try:
            with self._database.translating_errors(), connection.begin_nested():
                return work(connection), None
        except Exception as error:
            if is_passing(error):
                raise
            return None, error

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
        error = self._attempt(connection, owed)[1]
        if error is not None:
            _LOG.error("The store gives up a row that it cannot write: %s", error)


def _statement(statement: str, values: Row) -> Work:
    return lambda connection: connection.exec_driver_sql(statement, values)


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return  # the waiting call was cancelled
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
