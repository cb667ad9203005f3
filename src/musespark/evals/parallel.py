"""Several evaluations in parallel processes. The engine computes with one thread, so each process uses one core."""

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
"""Most problems of an ablation or a vote: thoughts without images run to their limit, and votes multiply the cost."""


@dataclass(frozen=True)
class EvalProgress:
    """Progress of one evaluation; `row` comes with its last problem."""

    spec: int
    done: int
    right: int
    row: EvalRow | None = None


def plan_evals(
    tasks: Sequence[str], modes: Sequence[str], like: EvalSpec, ablate: bool = True
) -> list[EvalSpec]:
    """Plan every task in every mode, and ablations of the images where they are imagined."""
    specs = [replace(like, task=task, mode=mode) for task in tasks for mode in modes]
    seen = [spec for spec in specs if spec.task in VISUAL_TASKS and spec.mode == "contemplating"]
    ablated = [
        replace(spec, ablate_images=True, problems=min(spec.problems, MAX_COMPARED))
        for spec in seen
    ]
    return specs + (ablated if ablate else [])


def plan_vote(rows: Sequence[EvalRow], like: EvalSpec) -> EvalSpec | None:
    """Plan a majority vote over thinking on countdown-4 at the token cost of contemplating; None if either was not measured."""
    tokens = {row.mode: row.tokens for row in rows if row.task == "countdown-4"}
    if not {"thinking", "contemplating"} <= tokens.keys():
        return None
    votes = max(2, round(tokens["contemplating"] / tokens["thinking"]))
    return replace(
        like,
        task="countdown-4",
        mode="thinking",
        votes=votes,
        problems=min(like.problems, MAX_COMPARED),
    )


def run_evals(specs: Sequence[EvalSpec], weights: str | None, jobs: int) -> Iterator[EvalProgress]:
    """Run evaluations, `jobs` at a time; yield their progress. An error in an evaluation is raised here."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(jobs, context) as pool:
        steps, stop = manager.Queue(), manager.Event()
        futures = [
            pool.submit(_work, number, spec, weights, steps, stop)
            for number, spec in enumerate(specs)
        ]
        waiting: set[Future[EvalRow]] = set(futures)
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                yield from _drain(steps)
                for future in done:
                    row = future.result()
                    yield EvalProgress(futures.index(future), row.problems, row.right, row)
        finally:  # also if the iterator is closed early: the workers finish their current problem
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
