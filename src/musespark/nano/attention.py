"""Attention of one step's new tokens over everything their lines hold.

A shared segment meets the queries of all the lines that share it in one product per head (Juravsky et al., Hydragen, 2024); the
last token of every line meets its own tail, all lines in one batch; where a line is fed several tokens, the earlier ones meet
their tail line by line. The parts are joined exactly: a softmax over all keys is the sum of the parts' numerators over the sum
of their denominators, once they are taken relative to the same maximum (Milakov & Gimelshein, Online normalizer calculation for
softmax, 2018).

Shapes: H heads, D floats a head; rows are the new tokens of all lines, line by line, in the order of their seats.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musespark.nano.cache import Cache, Line, Segment

Rows = slice | np.ndarray
Part = tuple[Rows, np.ndarray, np.ndarray]
"""The rows that ask, their scores (H, rows, keys), and values, (H, keys, D) for all or (H, rows, keys, D) for each."""


class Step:
    """Who attends to what. Line i sits on seat i and is fed counts[i] tokens; the tails do not hold them yet."""

    def __init__(self, cache: Cache, lines: Sequence[Line], counts: Sequence[int]) -> None:
        self._cache = cache
        sizes, tails = np.array(counts), np.array([line.tail for line in lines])
        ends = sizes.cumsum()
        starts = ends - sizes
        within = np.arange(ends[-1]) - starts.repeat(sizes)
        self._seats = np.arange(len(lines)).repeat(sizes)
        self._places = tails.repeat(sizes) + within
        self.positions = np.array([len(line) for line in lines]).repeat(sizes) + within
        """Every row's position along its line."""
        self.last = _as_slice(ends - 1)
        """The last row of every line."""
        self._shared = _sharing(lines, starts, ends)
        self._earlier = [
            (seat, slice(starts[seat], ends[seat] - 1), _causal(tails[seat], sizes[seat] - 1))
            for seat in np.flatnonzero(sizes > 1)
        ]
        lengths = tails + sizes
        self._longest = int(lengths.max())
        self._beyond = np.where(np.arange(self._longest) < lengths[:, None], np.float32(0), np.float32(-np.inf))
        self._even = bool((lengths == self._longest).all())

    def attend(self, layer: int, queries: np.ndarray, keys: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Store the rows' keys and values, (rows, H, D) like the queries; return what each row attends to, (rows, H * D)."""
        tail_keys, tail_values = self._cache.keys[layer], self._cache.values[layer]
        tail_keys[:, self._seats, self._places] = keys.swapaxes(0, 1)
        tail_values[:, self._seats, self._places] = values.swapaxes(0, 1)
        asked = queries.swapaxes(0, 1)
        parts: list[Part] = [
            (rows, asked[:, rows] @ segment.keys[layer], segment.values[layer]) for segment, rows in self._shared
        ]
        for seat, rows, causal in self._earlier:
            length = causal.shape[1]
            scores = asked[:, rows] @ tail_keys[:, seat, :length].swapaxes(1, 2)
            parts.append((rows, scores + causal, tail_values[:, seat, :length]))
        parts.append(self._tails(asked[:, self.last], tail_keys, tail_values))
        return _join(parts, queries.shape)

    def _tails(self, asked: np.ndarray, keys: np.ndarray, values: np.ndarray) -> Part:
        """The last row of every line against its own tail; tails shorter than the longest are masked."""
        seats = asked.shape[1]
        scores = (asked[:, :, None] @ keys[:, :seats, : self._longest].swapaxes(2, 3))[:, :, 0]
        if not self._even:
            scores += self._beyond
        return self.last, scores, values[:, :seats, : self._longest]


def _join(parts: Sequence[Part], shape: tuple[int, ...]) -> np.ndarray:
    """The softmax over all parts, applied to their values: (rows, H * D). Scores are overwritten."""
    rows, heads, head = shape
    peak = np.full((heads, rows), -np.inf, np.float32)
    for who, scores, _ in parts:
        peak[:, who] = np.maximum(peak[:, who], scores.max(-1))
    total = np.zeros((heads, rows), np.float32)
    mixed = np.zeros((rows, heads, head), np.float32)
    by_head = mixed.swapaxes(0, 1)
    for who, scores, values in parts:
        scores -= peak[:, who, None]
        np.exp(scores, out=scores)
        total[:, who] += np.einsum("hrk->hr", scores)  # three times as fast as sum(-1)
        by_head[:, who] += scores @ values if values.ndim == 3 else (scores[:, :, None] @ values)[:, :, 0]
    by_head /= total[..., None]
    return mixed.reshape(rows, heads * head)


def _sharing(lines: Sequence[Line], starts: np.ndarray, ends: np.ndarray) -> list[tuple[Segment, Rows]]:
    """Every segment that these lines see, with the rows of all lines that see it."""
    shared: dict[int, tuple[Segment, list[np.ndarray]]] = {}
    for line, start, end in zip(lines, starts, ends, strict=True):
        for segment in line.path:
            shared.setdefault(id(segment), (segment, []))[1].append(np.arange(start, end))
    return [(segment, _as_slice(np.concatenate(rows))) for segment, rows in shared.values()]


def _causal(before: int, rows: int) -> np.ndarray:
    """(rows, before + rows): 0 where a row may look, -inf beyond its own token."""
    beyond = np.arange(before + rows) > before + np.arange(rows)[:, None]
    return np.where(beyond, np.float32(-np.inf), np.float32(0))


def _as_slice(rows: np.ndarray) -> Rows:
    """The same rows as a slice where they lie side by side: a slice does not copy."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows
