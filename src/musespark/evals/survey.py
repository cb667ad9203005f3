"""Many sittings, side by side in processes of their own: one core each, for the engine is at its best with one."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import Empty
from typing import Any

from musespark.evals.native import Sitting, Tally, sit
from musespark.evals.report import Row

IMAGED = ("lake", "maze")
ASIDE = 300
"""Problems of a comparison beside the table at the most: thoughts without their pictures run to their limit, votes multiply."""


@dataclass(frozen=True)
class Step:
    """One more problem of a sitting is done; `row` comes with the last one."""

    sitting: int
    done: int
    right: int
    row: Row | None = None


def plan(worlds: Sequence[str], modes: Sequence[str], like: Sitting, ablate: bool = True) -> list[Sitting]:
    """Every world in every mode; where pictures are imagined, also with those blanked."""
    sittings = [replace(like, world=world, mode=mode) for world in worlds for mode in modes]
    seen = [sitting for sitting in sittings if sitting.world in IMAGED and sitting.mode == "contemplating"]
    blanked = [replace(sitting, blank_images=True, problems=min(sitting.problems, ASIDE)) for sitting in seen]
    return sittings + (blanked if ablate else [])


def vote(rows: Sequence[Row], like: Sitting) -> Sitting | None:
    """A majority vote over thinking on countdown-4 that costs as many tokens as contemplating; None where neither was measured."""
    tokens = {row.mode: row.tokens for row in rows if row.world == "countdown-4"}
    if not {"thinking", "contemplating"} <= tokens.keys():
        return None
    votes = max(2, round(tokens["contemplating"] / tokens["thinking"]))
    return replace(like, world="countdown-4", mode="thinking", votes=votes, problems=min(like.problems, ASIDE))


def survey(sittings: Sequence[Sitting], weights: str | None, jobs: int) -> Iterator[Step]:
    """The steps of all sittings as they happen, `jobs` sittings at a time. What a sitting raises is raised here."""
    context = multiprocessing.get_context("spawn")
    with one_thread_each(), context.Manager() as manager, ProcessPoolExecutor(jobs, context) as pool:
        steps, stop = manager.Queue(), manager.Event()
        futures = [pool.submit(_work, number, sitting, weights, steps, stop) for number, sitting in enumerate(sittings)]
        waiting: set[Future[Row]] = set(futures)
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                yield from _drain(steps)
                for future in done:
                    row = future.result()
                    yield Step(futures.index(future), row.problems, row.right, row)
        finally:  # also where the listener went away: the workers end with their problem in hand
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes that start in here compute with one thread: the variables are read when a process imports NumPy."""
    saved = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in saved.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def _work(number: int, sitting: Sitting, weights: str | None, steps: Any, stop: Any) -> Row:
    from musespark.nano.engine import Engine

    engine = Engine.from_file() if weights is None else Engine.from_file(weights)
    tally = Tally(sitting)
    right = 0
    for done, result in enumerate(sit(engine, sitting), 1):
        right += tally.add(result)
        if done % 5 == 0:
            steps.put(Step(number, done, right))
            if stop.is_set():
                break
    return tally.row


def _drain(steps: Any) -> Iterator[Step]:
    while True:
        try:
            yield steps.get_nowait()
        except Empty:
            return
