"""What the engine asks of a network: sequences of tokens that grow, fork and end, and one step for many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

SequenceHandle = Any
"""One path of tokens inside a network's memory; only the network that opened it knows what it is."""


@dataclass(slots=True)
class StepInput:
    """The next tokens of one sequence. `patches` (N, floats) stand where the tokens are <patch>, in their order."""

    sequence: SequenceHandle
    tokens: Sequence[int]
    patches: np.ndarray | None = None


class DecodeSession(Protocol):
    """The sequences that a network is decoding now."""

    def open(self) -> SequenceHandle:
        """A new sequence without any token."""

    def fork(self, sequence: SequenceHandle) -> SequenceHandle:
        """A new sequence that begins with all of this one's tokens; they are stored once."""

    def close(self, sequence: SequenceHandle) -> None:
        """Forget a sequence; what others share with it stays."""

    def step(self, inputs: Sequence[StepInput]) -> np.ndarray:
        """Feed every sequence its tokens in one pass. Logits (sequences, vocabulary) after the last token of each."""


class Network(Protocol):
    """Anything that can decode: the real network, or a scripted one in a test."""

    context: int
    """Positions that a sequence may have."""

    def new_session(self) -> DecodeSession:
        """An empty memory of its own: questions that do not share one can be answered side by side."""
