"""Problems become packed batches: many traces a row, each token seeing only its own branch."""

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
from musespark.nano.picture import PATCH_WIDTH, patches, shrink
from musespark.nano.trace import Trace, begin
from musespark.nano.worlds import World, load_world

SHORT, LONG = 512, 864
"""Tokens a row. Attention costs the square of it, so only what does not fit a short row goes into a long one."""
SHARES = {"countdown": 0.44, "code": 0.37, "maze": 0.07, "lake": 0.03, "shapes": 0.07, "decline": 0.02}
"""How the tokens are divided among the worlds."""
INSTANT_WEIGHT = 0.3
"""Answering without a thought is mostly beyond the network: its loss must not drown the thoughts'."""


@dataclass
class Pack:
    """Rows of packed traces.

    tokens, positions, segments (rows, T); ancestors (rows, S, S): whether a segment may see another; patches (N, 256)
    with `where` (N,) their flat token indices; loss terms (M,): the flat index the prediction is made at, the token to
    predict, its weight, and the world it belongs to.
    """

    tokens: np.ndarray
    positions: np.ndarray
    segments: np.ndarray
    ancestors: np.ndarray
    patches: np.ndarray
    where: np.ndarray
    predict_at: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    worlds: np.ndarray


def traces(seed: int, shares: dict[str, float] = SHARES) -> Iterator[tuple[int, Trace]]:
    """Endless (world index, trace), each world getting its share of the tokens; a trace longer than LONG is left out."""
    rng = random.Random(seed)
    names = list(shares)
    worlds = [load_world(name) for name in names]
    written = [0.0] * len(names)
    while True:
        index = min(range(len(names)), key=lambda i: written[i] / shares[names[i]])
        trace = compose(worlds[index], rng)
        if len(trace) <= LONG:  # what is dropped is not charged to its world
            written[index] += len(trace)
            yield index, trace


def compose(world: World, rng: random.Random) -> Trace:
    """One problem with the thoughts of one or more modes hanging from the same question."""
    problem = world.problem(rng, held_out=False)
    seen = None if problem.image is None else patches(shrink(problem.image))
    trace, question = begin(problem.question, seen)
    modes = ["instant", "contemplating" if rng.random() < 0.6 else "thinking"]
    for mode in modes:
        branch = question.fork().given(v.MODES[mode])
        first = len(trace.segments) - 1
        world.think(problem, mode, branch, rng)
        if mode == "instant":
            for segment in trace.segments[first:]:
                segment.weights = [weight * INSTANT_WEIGHT for weight in segment.weights]
    return trace


def batches(rows: int, source: Iterator[tuple[int, Trace]]) -> Iterator[list[Pack]]:
    """Endless batches of the tokens of `rows` long rows: one pack of short rows, and one of long rows when needed."""
    waiting: list[tuple[int, Trace]] = []
    while True:
        while sum(len(trace) for _, trace in waiting) < 1.5 * rows * LONG:  # a choice to fill the gaps from
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
    """First-fit, the longest first: the filled rows, and what did not fit."""
    filled: list[list[tuple[int, Trace]]] = [[] for _ in range(rows)]
    room = [length] * rows
    left = []
    for item in sorted(waiting, key=lambda item: -len(item[1])):  # the sort is stable: the oldest go first
        row = next((i for i in range(rows) if room[i] >= len(item[1])), None)
        if row is None:
            left.append(item)
        else:
            filled[row].append(item)
            room[row] -= len(item[1])
    return filled, left


def pack(rows: list[list[tuple[int, Trace]]], length: int) -> Pack:
    """Lay the traces of each row one after the other; a row holds at most `length` tokens."""
    tokens = np.full((len(rows), length), v.PAD, np.int64)
    positions = np.zeros((len(rows), length), np.int64)
    segments = np.zeros((len(rows), length), np.int64)  # segment 0 is the padding, which sees only itself
    most = 1 + max(sum(len(trace.segments) for _, trace in row) for row in rows)
    ancestors = np.zeros((len(rows), most, most), bool)
    ancestors[:, 0, 0] = True
    images, where = [], []
    terms: list[tuple[int, int, float, int]] = []
    for index, row in enumerate(rows):
        column, segment = 0, 1
        for world, trace in row:
            if trace.patches is not None:
                images.append(trace.patches)
                where.append(index * length + column + 1 + np.arange(v.PLACES))
            ends: list[int] = []  # flat index of the last token a segment's successor is predicted at
            for number, piece in enumerate(trace.segments):
                mine = segment + number
                parent = None if piece.parent is None else segment + piece.parent
                if parent is not None:
                    ancestors[index, mine] = ancestors[index, parent]
                ancestors[index, mine, mine] = True
                size = len(piece.tokens)
                tokens[index, column : column + size] = piece.tokens
                positions[index, column : column + size] = np.arange(piece.start, piece.start + size)
                segments[index, column : column + size] = mine
                before = -1 if piece.parent is None else ends[piece.parent]
                for offset, weight in enumerate(piece.weights):
                    if weight:
                        at = index * length + column + offset - 1 if offset else before
                        terms.append((at, piece.tokens[offset], weight, world))
                ends.append(index * length + column + size - 1 if size else before)
                column += size
            segment += len(trace.segments)
    at, targets, weights, worlds = (np.array(values) for values in zip(*terms, strict=True))
    return Pack(
        tokens, positions, segments, ancestors,
        np.concatenate(images) if images else np.zeros((0, PATCH_WIDTH), np.float32),
        np.concatenate(where) if where else np.zeros(0, np.int64),
        at, targets, weights.astype(np.float32), worlds,
    )  # fmt: skip


@contextmanager
def in_background(
    rows: int, seed: int, shares: dict[str, float] = SHARES, ahead: int = 6
) -> Iterator[Callable[[], list[Pack]]]:
    """A function that gives the next batch, made in another process while this one trains; the process ends with the block.

    The function raises RuntimeError once that process has died.
    """
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(ahead)
    process = context.Process(target=_fill, args=(queue, rows, seed, shares), daemon=True)
    with _interrupts_ignored():
        process.start()

    def following() -> list[Pack]:
        while True:
            try:
                return queue.get(timeout=_WATCH)
            except Empty:
                if not process.is_alive():
                    raise RuntimeError("the process that makes the batches has died") from None

    try:
        yield following
    finally:
        process.terminate()
        process.join()
        queue.close()


_WATCH = 5.0
"""Seconds between two looks at whether the other process lives."""


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """A process started here never hears Ctrl-C: the terminal sends it to all, but only the one that trains knows what to do."""
    if threading.current_thread() is not threading.main_thread():  # where signals cannot be set
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
                if parent is not None and not parent.is_alive():  # killed: nobody will ever ask
                    queue.cancel_join_thread()
                    return
