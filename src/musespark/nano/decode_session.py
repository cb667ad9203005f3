"""What the engine asks of a network: lines of tokens that grow, fork and end, and one step for many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Line = Any
"""One path of tokens inside a network's memory; only the network that opened it knows what it is."""


@dataclass(slots=True)
class Feed:
    """The next tokens of one line. `patches` (N, floats) stand where the tokens are <patch>, in their order."""

    line: Line
    tokens: Sequence[int]
    patches: np.ndarray | None = None


class Lines(Protocol):
    """The lines that a network is decoding now."""

    def open(self) -> Line:
        """A new line without any token."""

    def fork(self, line: Line) -> Line:
        """A new line that begins with all of this one's tokens; they are stored once."""

    def close(self, line: Line) -> None:
        """Forget a line; what others share with it stays."""

    def step(self, feeds: Sequence[Feed]) -> np.ndarray:
        """Feed every line its tokens in one pass. Logits (lines, vocabulary) after the last token of each."""


class Network(Protocol):
    """Anything that can decode: the real network, or a scripted one in a test."""

    context: int
    """Positions that a line may have."""

    def lines(self) -> Lines:
        """An empty memory of its own: questions that do not share one can be answered side by side."""
