"""Many specs, side by side in processes of their own: one core each, for the engine is at its best with one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from queue import Empty
from typing import Any

from musespark.evals.native import EvalSpec, Tally, run_eval
from musespark.evals.report import EvalRow

VISUAL_TASKS = ("lake", "maze")
MAX_COMPARED = 300
"""Problems of a comparison beside the table at the most: thoughts without their pictures run to their limit, votes multiply."""


@dataclass(frozen=True)
class EvalProgress:
    """One more problem of a spec is done; `row` comes with the last one."""

    spec: int
    done: int
    right: int
    row: EvalRow | None = None


def plan_evals(tasks: Sequence[str], modes: Sequence[str], like: EvalSpec, ablate: bool = True) -> list[EvalSpec]:
    """Every task in every mode; where pictures are imagined, also with those blanked."""
    specs = [replace(like, task=task, mode=mode) for task in tasks for mode in modes]
    seen = [spec for spec in specs if spec.task in VISUAL_TASKS and spec.mode == "contemplating"]
    blanked = [replace(spec, blank_pictures=True, problems=min(spec.problems, MAX_COMPARED)) for spec in seen]
    return specs + (blanked if ablate else [])


def plan_vote(rows: Sequence[EvalRow], like: EvalSpec) -> EvalSpec | None:
    """A majority vote over thinking on countdown-4 that costs as many tokens as contemplating; None where neither was measured."""
    tokens = {row.mode: row.tokens for row in rows if row.task == "countdown-4"}
    if not {"thinking", "contemplating"} <= tokens.keys():
        return None
    votes = max(2, round(tokens["contemplating"] / tokens["thinking"]))
    return replace(like, task="countdown-4", mode="thinking", votes=votes, problems=min(like.problems, MAX_COMPARED))


def run_evals(specs: Sequence[EvalSpec], weights: str | None, jobs: int) -> Iterator[EvalProgress]:
    """The steps of all specs as they happen, `jobs` specs at a time. What a spec raises is raised here."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(jobs, context) as pool:
        steps, stop = manager.Queue(), manager.Event()
        futures = [pool.submit(_work, number, spec, weights, steps, stop) for number, spec in enumerate(specs)]
        waiting: set[Future[EvalRow]] = set(futures)
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                yield from _drain(steps)
                for future in done:
                    row = future.result()
                    yield EvalProgress(futures.index(future), row.problems, row.right, row)
        finally:  # also where the listener went away: the workers end with their problem in hand
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _work(number: int, spec: EvalSpec, weights: str | None, steps: Any, stop: Any) -> EvalRow:
    from musespark.nano.engine import Engine

    engine = Engine.from_file() if weights is None else Engine.from_file(weights)
    tally = Tally(spec)
    right = 0
    for done, result in enumerate(run_eval(engine, spec), 1):
        right += tally.add(result)
        if done % 5 == 0:
            steps.put(EvalProgress(number, done, right))
            if stop.is_set():
                break
    return tally.row


def _drain(steps: Any) -> Iterator[EvalProgress]:
    while True:
        try:
            yield steps.get_nowait()
        except Empty:
            return
