"""Time of the engine's steps with one BLAS thread and with as many as the process allows, in one run.

    python benchmarks/blas_threads.py [--busy 2] [--rounds 30]

Steps with the engine's limit and steps without it take turns, first on the machine as it is, then beside `--busy` processes that
compute without pause. The table shows the median of the wall times, and the ratio without to with the limit.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from unittest.mock import patch

import numpy as np
from weights_of import engine_of

from musespark.nano import network
from musespark.nano.decode_session import StepInput
from musespark.nano.network import NumpyDecodeSession

THREADS = 8
"""Sequences that are decoded in one step."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--busy",
        type=int,
        default=os.cpu_count() or 1,
        help="processes that compute beside the engine",
    )
    parser.add_argument("--rounds", type=int, default=30, help="steps of each kind")
    options = parser.parse_args()
    engine, described = engine_of(None)
    print(f"{described}; {THREADS} sequences a step")
    print(f"{'beside it':>16} {'limited, ms':>12} {'unlimited, ms':>14} {'ratio':>6}")
    measure("nothing", engine.network.new_session(), options.rounds)
    with busy(options.busy):
        measure(f"{options.busy} processes", engine.network.new_session(), options.rounds)


def measure(beside: str, session: NumpyDecodeSession, rounds: int) -> None:
    """Print one line of the table."""
    rng = np.random.default_rng(0)
    inputs = [StepInput(session.open(), rng.integers(30, 120, 64).tolist()) for _ in range(THREADS)]
    session.step(inputs)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds):
        for limited in (True, False):
            with limit(limited):
                seconds[limited].append(step(session, inputs))
    one, all_threads = (float(np.median(seconds[limited])) * 1e3 for limited in (True, False))
    print(f"{beside:>16} {one:12.2f} {all_threads:14.2f} {all_threads / one:6.2f}", flush=True)


def limit(limited: bool) -> AbstractContextManager[object]:
    """The engine's own limit, or a limit that does nothing."""
    return (
        contextlib.nullcontext()
        if limited
        else patch.object(network, "single_blas_thread", contextlib.nullcontext())
    )


def step(session: NumpyDecodeSession, inputs: list[StepInput]) -> float:
    """Seconds of one step of one token each; it is taken back, so that every round measures the same."""
    fed = [StepInput(each.sequence, [50]) for each in inputs]
    start = time.perf_counter()
    session.step(fed)
    taken = time.perf_counter() - start
    for each in fed:
        each.sequence.tail -= 1
    return taken


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Processes that compute without pause until the block ends."""
    processes = [
        multiprocessing.get_context("spawn").Process(target=spin, daemon=True) for _ in range(count)
    ]
    for process in processes:
        process.start()
    time.sleep(1)
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def spin() -> None:
    """Compute for ever."""
    while True:
        sum(range(10_000))


if __name__ == "__main__":
    main()
