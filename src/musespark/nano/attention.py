"""Attention of one step's new tokens over everything their sequences hold.

A shared segment meets the queries of all the sequences that share it in one product per head (Juravsky et al., Hydragen, 2024).
The last token of every sequence meets its own tail, all sequences in one batch; if a sequence is fed several tokens, the earlier
ones meet their tail in a product of their own. The parts are joined exactly: a softmax over all keys is the sum of the parts'
numerators over the sum of their denominators, once both are taken relative to the same maximum (Milakov & Gimelshein, Online
normalizer calculation for softmax, 2018).

Shapes: H heads, D floats a head; rows are the new tokens of all sequences, sequence by sequence, in the order of their slots.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musespark.nano.arrays import Array
from musespark.nano.cache import CachedSequence, KVCache, KVSegment

Rows = slice | Array
Part = tuple[Rows, Array, Array]
"""Rows of queries, their scores (H, rows, keys), and values, (H, keys, D) shared or (H, rows, keys, D) for each row."""


class StepAttention:
    """Attention of one step. Sequence i has slot i and is fed counts[i] tokens, which its tail does not hold yet."""

    def __init__(
        self, cache: KVCache, sequences: Sequence[CachedSequence], counts: Sequence[int]
    ) -> None:
        self._cache = cache
        sizes, tails = np.array(counts), np.array([sequence.tail for sequence in sequences])
        ends = sizes.cumsum()
        starts = ends - sizes
        within = np.arange(ends[-1]) - starts.repeat(sizes)
        self._slots = np.arange(len(sequences)).repeat(sizes)
        self._places = tails.repeat(sizes) + within
        self.positions = np.array([len(sequence) for sequence in sequences]).repeat(sizes) + within
        """Every row's position along its sequence."""
        self.last = _as_slice(ends - 1)
        """The last row of every sequence."""
        self._shared = _sharing(sequences, starts, ends)
        self._earlier = [
            (slot, slice(starts[slot], ends[slot] - 1), _causal(tails[slot], sizes[slot] - 1))
            for slot in np.flatnonzero(sizes > 1)
        ]
        lengths = tails + sizes
        self._longest = int(lengths.max())
        self._beyond = np.where(
            np.arange(self._longest) < lengths[:, None], np.float32(0), np.float32(-np.inf)
        )
        self._even = bool((lengths == self._longest).all())

    def attend(self, layer: int, queries: Array, keys: Array, values: Array) -> Array:
        """Store the rows' keys and values, (rows, H, D) like the queries; return each row's attention output, (rows, H * D)."""
        tail_keys, tail_values = self._cache.keys[layer], self._cache.values[layer]
        tail_keys[:, self._slots, self._places] = keys.swapaxes(0, 1)
        tail_values[:, self._slots, self._places] = values.swapaxes(0, 1)
        by_head_queries = queries.swapaxes(0, 1)
        parts: list[Part] = [
            (rows, by_head_queries[:, rows] @ segment.keys[layer], segment.values[layer])
            for segment, rows in self._shared
        ]
        for slot, rows, causal in self._earlier:
            length = causal.shape[1]
            scores = by_head_queries[:, rows] @ tail_keys[:, slot, :length].swapaxes(1, 2)
            parts.append((rows, scores + causal, tail_values[:, slot, :length]))
        parts.append(self._tails(by_head_queries[:, self.last], tail_keys, tail_values))
        return _join(parts, queries.shape)

    def _tails(self, by_head_queries: Array, keys: Array, values: Array) -> Part:
        """The last row of every sequence against its own tail; tails shorter than the longest are mby_head_queries."""
        slots = by_head_queries.shape[1]
        scores = (by_head_queries[:, :, None] @ keys[:, :slots, : self._longest].swapaxes(2, 3))[
            :, :, 0
        ]
        if not self._even:
            scores += self._beyond
        return self.last, scores, values[:, :slots, : self._longest]


def _join(parts: Sequence[Part], shape: tuple[int, ...]) -> Array:
    """The softmax over all parts, applied to their values: (rows, H * D). Scores are overwritten."""
    rows, heads, head = shape
    peak = np.full((heads, rows), -np.inf, np.float32)
    for rows_of, scores, _ in parts:
        peak[:, rows_of] = np.maximum(peak[:, rows_of], scores.max(-1))
    total = np.zeros((heads, rows), np.float32)
    mixed = np.zeros((rows, heads, head), np.float32)
    by_head = mixed.swapaxes(0, 1)
    for rows_of, scores, values in parts:
        scores -= peak[:, rows_of, None]
        np.exp(scores, out=scores)
        total[:, rows_of] += np.einsum("hrk->hr", scores)  # three times as fast as sum(-1)
        by_head[:, rows_of] += (
            scores @ values if values.ndim == 3 else (scores[:, :, None] @ values)[:, :, 0]
        )
    by_head /= total[..., None]
    return mixed.reshape(rows, heads * head)


def _sharing(
    sequences: Sequence[CachedSequence], starts: Array, ends: Array
) -> list[tuple[KVSegment, Rows]]:
    """Every segment of these sequences, with the rows of all sequences that share it."""
    shared: dict[int, tuple[KVSegment, list[Array]]] = {}
    for sequence, start, end in zip(sequences, starts, ends, strict=True):
        for segment in sequence.path:
            shared.setdefault(id(segment), (segment, []))[1].append(np.arange(start, end))
    return [(segment, _as_slice(np.concatenate(rows))) for segment, rows in shared.values()]


def _causal(before: int, rows: int) -> Array:
    """Causal mask (rows, before + rows): 0 up to a row's own token, -inf beyond it."""
    beyond = np.arange(before + rows) > before + np.arange(rows)[:, None]
    return np.where(beyond, np.float32(-np.inf), np.float32(0))


def _as_slice(rows: Array) -> Rows:
    """The rows as a slice if they are contiguous: a slice does not copy."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows
