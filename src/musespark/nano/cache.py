"""The KV cache of a session; segments that sequences share are stored once.

A sequence's tokens are a path of immutable segments, which forks share, and a tail of its own. Tails lie side by side, so
that `attention.py` reads those of all sequences that are fed in one batch, without copying.

Shapes: H heads, D floats a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musespark.nano.arrays import Array
from musespark.nano.weights import NanoConfig

CHUNK = 64
"""Tokens by which the room for tails grows at a time."""


@dataclass(slots=True, eq=False)
class KVSegment:
    """Keys and values of tokens that will not be extended. The keys are laid out for the product with queries."""

    keys: Array
    """(layers, H, D, tokens)"""
    values: Array
    """(layers, H, tokens, D)"""

    def __len__(self) -> int:
        return int(self.values.shape[2])

    @property
    def nbytes(self) -> int:
        """Bytes of its keys and values."""
        return self.keys.nbytes + self.values.nbytes


@dataclass(slots=True, eq=False)
class CachedSequence:
    """One path: shared segments, then `tail` tokens at a slot of the cache (None: not fed since it began)."""

    path: tuple[KVSegment, ...] = ()
    slot: int | None = None
    tail: int = 0

    def __len__(self) -> int:
        return sum(map(len, self.path)) + self.tail


class KVCache:
    """Keys and values of sequences that are decoded together."""

    def __init__(self, config: NanoConfig) -> None:
        self.keys = np.zeros((config.layers, config.heads, 0, 0, config.head), np.float32)
        """Tails: (layers, H, slots, room, D). Values beyond a sequence's tail are finite and have no meaning."""
        self.values = self.keys.copy()
        self._occupants: list[CachedSequence] = []

    @property
    def nbytes(self) -> int:
        """Bytes of all tails, and of every segment that a sequence with a slot sees, each counted once."""
        segments = {
            id(segment): segment for sequence in self._occupants for segment in sequence.path
        }
        return (
            self.keys.nbytes
            + self.values.nbytes
            + sum(segment.nbytes for segment in segments.values())
        )

    def fork(self, sequence: CachedSequence) -> CachedSequence:
        """Start a sequence that shares all tokens of this one, whose tail becomes a segment."""
        if sequence.tail:
            here = np.s_[:, :, sequence.slot, : sequence.tail]
            sequence.path += (
                KVSegment(self.keys[here].swapaxes(2, 3).copy(), self.values[here].copy()),
            )
            sequence.tail = 0
        return CachedSequence(sequence.path)

    def close(self, sequence: CachedSequence) -> None:
        """Free a sequence and its slot; the sequence at the last slot moves there."""
        if sequence.slot is not None:
            self._swap(sequence.slot, len(self._occupants) - 1)
            self._occupants.pop()
        sequence.path, sequence.slot, sequence.tail = (), None, 0

    def assign_slots(self, sequences: Sequence[CachedSequence], counts: Sequence[int]) -> list[int]:
        """Move these sequences to the first slots, with room for `counts` more tokens each; return the index of the one there.

        Sequences keep their slots where they can: tails only move when a sequence begins, waits or ends.
        """
        for sequence in sequences:
            if sequence.slot is None:
                sequence.slot = len(self._occupants)
                self._occupants.append(sequence)
        self._grow(
            max(sequence.tail + count for sequence, count in zip(sequences, counts, strict=True))
        )
        order = sorted(range(len(sequences)), key=lambda index: sequences[index].slot or 0)
        for slot, index in enumerate(order):
            self._swap(sequences[index].slot or 0, slot)
        return order

    def _swap(self, one: int, other: int) -> None:
        if one == other:
            return
        first, second = self._occupants[one], self._occupants[other]
        size = max(first.tail, second.tail)
        for store in (self.keys, self.values):
            store[:, :, [one, other], :size] = store[:, :, [other, one], :size]
        self._occupants[one], self._occupants[other] = second, first
        first.slot, second.slot = other, one

    def _grow(self, tokens: int) -> None:
        layers, heads, slots, room, head = self.keys.shape
        wanted = len(self._occupants)
        if wanted <= slots and tokens <= room:
            return
        slots = max(wanted, slots * 3 // 2) if wanted > slots else slots
        room = max(room, -(-tokens // CHUNK) * CHUNK)
        self.keys, self.values = (
            _enlarged(old, (layers, heads, slots, room, head)) for old in (self.keys, self.values)
        )


def _enlarged(old: Array, shape: tuple[int, ...]) -> Array:
    new = np.zeros(shape, np.float32)
    new[:, :, : old.shape[2], : old.shape[3]] = old
    return new
