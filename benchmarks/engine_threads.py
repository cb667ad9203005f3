"""Time of an engine step with 1 to 16 threads that share a prefix, and the memory of their keys and values.

    python benchmarks/engine_threads.py [--weights FILE] [--prefix 512] [--own 32]

Every thread has written `own` tokens of its own since the fork. The counts take turns, so that whatever else the machine does
falls on all of them; the best of many steps is what the machine can do, the median is what it did meanwhile.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from weights_of import engine_of

from musespark.nano.decode_session import StepInput
from musespark.nano.network import NumpyDecodeSession

COUNTS = (1, 2, 4, 8, 16)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--weights",
        help="a weights file; default: the packaged one, else random weights of the same shape",
    )
    parser.add_argument("--prefix", type=int, default=512, help="tokens that all threads share")
    parser.add_argument(
        "--own", type=int, default=32, help="tokens that each thread has written since"
    )
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    engine, described = engine_of(options.weights)
    print(f"{described}; {options.prefix} tokens shared, {options.own} of each thread's own")

    forks = {
        count: fork(engine.network.new_session(), count, options.prefix, options.own)
        for count in COUNTS
    }
    seconds: dict[int, list[float]] = {count: [] for count in COUNTS}
    for _ in range(options.rounds):
        for count, (session, inputs) in forks.items():
            for _ in range(3):
                seconds[count].append(step(session, inputs))
    print(
        "threads   best ms  median ms   x one thread (best)   keys and values, MB   if each had its own prefix, MB"
    )
    for count, (session, inputs) in forks.items():
        best, median = min(seconds[count]), float(np.median(seconds[count]))
        segment = inputs[0].sequence.path[0].nbytes
        kept = session.cache.nbytes
        print(
            f"{count:7} {best * 1e3:9.2f} {median * 1e3:10.2f} {best / min(seconds[1]):14.2f}"
            f" {kept / 1e6:22.1f} {(kept + (count - 1) * segment) / 1e6:26.1f}"
        )


def fork(
    session: NumpyDecodeSession, count: int, prefix: int, own: int
) -> tuple[NumpyDecodeSession, list[StepInput]]:
    """Threads that have forked from one prefix, and what each is fed in a step."""
    rng = np.random.default_rng(0)
    stem = session.open()
    session.step([StepInput(stem, rng.integers(30, 120, prefix).tolist())])
    threads = [session.fork(stem) for _ in range(count)]
    session.close(stem)
    session.step([StepInput(thread, rng.integers(30, 120, own).tolist()) for thread in threads])
    return session, [StepInput(thread, [50]) for thread in threads]


def step(session: NumpyDecodeSession, inputs: list[StepInput]) -> float:
    """Seconds of one step, which is taken back, so that every round measures the same."""
    start = time.perf_counter()
    session.step(inputs)
    taken = time.perf_counter() - start
    for step_input in inputs:
        step_input.sequence.tail -= 1
    return taken


if __name__ == "__main__":
    main()
