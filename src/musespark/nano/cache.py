"""Keys and values of every line; what lines share is stored once.

A line's tokens are a path of sealed segments, which its relatives may share, and a tail of its own. Tails lie side by side, so
that `attention.py` reads those of all lines that are fed in one batch, without copying.

Shapes: H heads, D floats a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musespark.nano.weights import NanoConfig

CHUNK = 64
"""Tails get room for this many more tokens at a time."""


@dataclass(slots=True, eq=False)
class Segment:
    """Tokens that nothing will be added to. The keys lie as the product with queries reads them fastest."""

    keys: np.ndarray
    """(layers, H, D, tokens)"""
    values: np.ndarray
    """(layers, H, tokens, D)"""

    def __len__(self) -> int:
        return self.values.shape[2]

    @property
    def nbytes(self) -> int:
        """Bytes of its keys and values."""
        return self.keys.nbytes + self.values.nbytes


@dataclass(slots=True, eq=False)
class Line:
    """One path: shared segments, then `tail` tokens at a seat of the cache (None: it has not been fed since it began)."""

    path: tuple[Segment, ...] = ()
    seat: int | None = None
    tail: int = 0

    def __len__(self) -> int:
        return sum(map(len, self.path)) + self.tail


class Cache:
    """The memory of lines that are decoded together."""

    def __init__(self, config: NanoConfig) -> None:
        self.keys = np.zeros((config.layers, config.heads, 0, 0, config.head), np.float32)
        """Tails: (layers, H, seats, room, D). What lies beyond a line's tail is finite and without meaning."""
        self.values = self.keys.copy()
        self._seated: list[Line] = []

    @property
    def nbytes(self) -> int:
        """Bytes of all tails, and of every segment that a seated line sees, each counted once."""
        segments = {id(segment): segment for line in self._seated for segment in line.path}
        return self.keys.nbytes + self.values.nbytes + sum(segment.nbytes for segment in segments.values())

    def fork(self, line: Line) -> Line:
        """A line that begins with everything this one holds; its tail, if any, is sealed for that."""
        if line.tail:
            here = np.s_[:, :, line.seat, : line.tail]
            line.path += (Segment(self.keys[here].swapaxes(2, 3).copy(), self.values[here].copy()),)
            line.tail = 0
        return Line(line.path)

    def close(self, line: Line) -> None:
        """Forget a line and free its seat; whoever sat last moves there."""
        if line.seat is not None:
            self._swap(line.seat, len(self._seated) - 1)
            self._seated.pop()
        line.path, line.seat, line.tail = (), None, 0

    def seat(self, lines: Sequence[Line], counts: Sequence[int]) -> list[int]:
        """Give these lines the first seats and room for so many more tokens each; the line on every seat, as its index here.

        Lines keep their seats where they can: tails only move when a line begins, waits or ends.
        """
        for line in lines:
            if line.seat is None:
                line.seat = len(self._seated)
                self._seated.append(line)
        self._grow(max(line.tail + count for line, count in zip(lines, counts, strict=True)))
        order = sorted(range(len(lines)), key=lambda index: lines[index].seat or 0)
        for seat, index in enumerate(order):
            self._swap(lines[index].seat or 0, seat)
        return order

    def _swap(self, one: int, other: int) -> None:
        if one == other:
            return
        first, second = self._seated[one], self._seated[other]
        size = max(first.tail, second.tail)
        for store in (self.keys, self.values):
            store[:, :, [one, other], :size] = store[:, :, [other, one], :size]
        self._seated[one], self._seated[other] = second, first
        first.seat, second.seat = other, one

    def _grow(self, tokens: int) -> None:
        layers, heads, seats, room, head = self.keys.shape
        wanted = len(self._seated)
        if wanted <= seats and tokens <= room:
            return
        seats = max(wanted, seats * 3 // 2) if wanted > seats else seats
        room = max(room, -(-tokens // CHUNK) * CHUNK)
        self.keys, self.values = (_enlarged(old, (layers, heads, seats, room, head)) for old in (self.keys, self.values))


def _enlarged(old: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    new = np.zeros(shape, np.float32)
    new[:, :, : old.shape[2], : old.shape[3]] = old
    return new
