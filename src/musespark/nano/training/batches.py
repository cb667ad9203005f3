"""Packed batches of problems: many traces a row, each token attends only to its own branch."""

from __future__ import annotations

import multiprocessing
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, Full
from typing import Any

import numpy as np

from musespark.nano import vocabulary as v
from musespark.nano.arrays import Bools, Floats, Ints
from musespark.nano.patches import PATCH_WIDTH, patches, shrink
from musespark.nano.tasks import Task, load_task
from musespark.nano.trace import Trace, begin_trace

SHORT, LONG = 512, 864
"""Tokens of short and long rows. Attention costs the square of it, so only traces too long for a short row go into a long one."""
SHARES = {
    "countdown": 0.44,
    "code": 0.37,
    "maze": 0.07,
    "lake": 0.03,
    "shapes": 0.07,
    "decline": 0.02,
}
"""Shares of the tokens, by task."""
INSTANT_WEIGHT = 0.3
"""Loss weight of instant answers, which are mostly beyond the network: at full weight their loss would dominate."""


@dataclass
class Pack:
    """Rows of packed traces.

    tokens, positions, segments (rows, T); ancestors (rows, S, S): True if a segment may attend to another; patches (N, 256) with
    `where` (N,) their flat token indices; loss terms (M,): the flat index the prediction is made at, the token to predict, its
    weight, and the index of its task.
    """

    tokens: Ints
    positions: Ints
    segments: Ints
    ancestors: Bools
    patches: Floats
    where: Ints
    predict_at: Ints
    targets: Ints
    weights: Floats
    tasks: Ints


def traces(seed: int, shares: dict[str, float] = SHARES) -> Iterator[tuple[int, Trace]]:
    """Yield (task index, trace) endlessly, each task with its share of the tokens; a trace longer than LONG is left out."""
    rng = random.Random(seed)
    names = list(shares)
    tasks = [load_task(name) for name in names]
    written = [0.0] * len(names)
    while True:
        index = min(range(len(names)), key=lambda i: written[i] / shares[names[i]])
        trace = compose(tasks[index], rng)
        if len(trace) <= LONG:  # a dropped trace is not counted
            written[index] += len(trace)
            yield index, trace


def compose(task: Task, rng: random.Random) -> Trace:
    """Generate a problem and write the thoughts of two modes, forked from the same question."""
    problem = task.generate(rng, held_out=False)
    seen = None if problem.image is None else patches(shrink(problem.image))
    trace, question = begin_trace(problem.question, seen)
    modes = ["instant", "contemplating" if rng.random() < 0.6 else "thinking"]
    for mode in modes:
        branch = question.fork().force(v.MODES[mode])
        first = len(trace.segments) - 1
        task.write_thought(problem, mode, branch, rng)
        if mode == "instant":
            for segment in trace.segments[first:]:
                segment.weights = [weight * INSTANT_WEIGHT for weight in segment.weights]
    return trace


def batches(rows: int, source: Iterator[tuple[int, Trace]]) -> Iterator[list[Pack]]:
    """Yield batches endlessly, each with the tokens of `rows` long rows: a pack of short rows, and one of long rows if needed."""
    waiting: list[tuple[int, Trace]] = []
    while True:
        while (
            sum(len(trace) for _, trace in waiting) < 1.5 * rows * LONG
        ):  # enough of a choice to fill gaps
            waiting.append(next(source))
        long = sum(len(trace) for _, trace in waiting if len(trace) > SHORT)
        long_rows = min(rows - 1, int(long / 1.5 / LONG))
        packs = []
        for length, count in ((LONG, long_rows), (SHORT, (rows - long_rows) * LONG // SHORT)):
            filled, waiting = fill(waiting, count, length)
            used = [row for row in filled if row]
            packs += [pack(used, length)] if used else []
        yield packs


def fill(
    waiting: list[tuple[int, Trace]], rows: int, length: int
) -> tuple[list[list[tuple[int, Trace]]], list[tuple[int, Trace]]]:
    """Fill rows first-fit, longest first; return the filled rows, and the traces that did not fit."""
    filled: list[list[tuple[int, Trace]]] = [[] for _ in range(rows)]
    room = [length] * rows
    left = []
    for item in sorted(
        waiting, key=lambda item: -len(item[1])
    ):  # the sort is stable: the oldest go first
        row = next((i for i in range(rows) if room[i] >= len(item[1])), None)
        if row is None:
            left.append(item)
        else:
            filled[row].append(item)
            room[row] -= len(item[1])
    return filled, left


def pack(rows: list[list[tuple[int, Trace]]], length: int) -> Pack:
    """Concatenate the traces of each row into a pack; a row holds at most `length` tokens."""
    tokens = np.full((len(rows), length), v.PAD, np.int64)
    positions = np.zeros((len(rows), length), np.int64)
    segments = np.zeros(
        (len(rows), length), np.int64
    )  # segment 0 is the padding, which sees only itself
    most = 1 + max(sum(len(trace.segments) for _, trace in row) for row in rows)
    ancestors = np.zeros((len(rows), most, most), bool)
    ancestors[:, 0, 0] = True
    images, where = [], []
    terms: list[tuple[int, int, float, int]] = []
    for index, row in enumerate(rows):
        column, segment = 0, 1
        for task, trace in row:
            if trace.patches is not None:
                images.append(trace.patches)
                where.append(index * length + column + 1 + np.arange(v.PLACES))
            ends: list[
                int
            ] = []  # flat index at which the first token of a segment's children is predicted
            for number, piece in enumerate(trace.segments):
                mine = segment + number
                parent = None if piece.parent is None else segment + piece.parent
                if parent is not None:
                    ancestors[index, mine] = ancestors[index, parent]
                ancestors[index, mine, mine] = True
                size = len(piece.tokens)
                tokens[index, column : column + size] = piece.tokens
                positions[index, column : column + size] = np.arange(
                    piece.start, piece.start + size
                )
                segments[index, column : column + size] = mine
                before = -1 if piece.parent is None else ends[piece.parent]
                for offset, weight in enumerate(piece.weights):
                    if weight:
                        at = index * length + column + offset - 1 if offset else before
                        terms.append((at, piece.tokens[offset], weight, task))
                ends.append(index * length + column + size - 1 if size else before)
                column += size
            segment += len(trace.segments)
    predict_at, targets, weights, tasks = (np.array(values) for values in zip(*terms, strict=True))
    return Pack(
        tokens, positions, segments, ancestors,
        np.concatenate(images) if images else np.zeros((0, PATCH_WIDTH), np.float32),
        np.concatenate(where) if where else np.zeros(0, np.int64),
        predict_at, targets, weights.astype(np.float32), tasks,
    )  # fmt: skip


_WATCH = 5.0
"""Seconds between two checks that the other process lives."""


@contextmanager
def in_background(
    rows: int,
    seed: int,
    shares: dict[str, float] = SHARES,
    ahead: int = 6,
    watch: float = _WATCH,
) -> Iterator[Callable[[], list[Pack]]]:
    """Yield a function that returns the next batch, made in another process while this one trains; the process ends with the block.

    The function raises RuntimeError once that process has died; it looks every `watch` seconds.
    """
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(ahead)
    process = context.Process(target=_fill, args=(queue, rows, seed, shares), daemon=True)
    with _interrupts_ignored():
        process.start()

    def following() -> list[Pack]:
        while True:
            try:
                batch: list[Pack] = queue.get(timeout=watch)
                return batch
            except Empty:
                if not process.is_alive():
                    raise RuntimeError("the process that makes the batches has died") from None

    try:
        yield following
    finally:
        process.terminate()
        process.join()
        queue.close()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C in processes that start in this block: only the training process handles it."""
    if threading.current_thread() is not threading.main_thread():  # signals cannot be set here
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _fill(queue: Any, rows: int, seed: int, shares: dict[str, float]) -> None:
    parent = multiprocessing.parent_process()
    for batch in batches(rows, traces(seed, shares)):
        while True:
            try:
                queue.put(batch, timeout=_WATCH)
                break
            except Full:
                if parent is not None and not parent.is_alive():  # the parent was killed
                    queue.cancel_join_thread()
                    return
