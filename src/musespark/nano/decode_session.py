"""The interface between the engine and a network: token sequences that grow, fork and end, and one step for many of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from musespark.nano.arrays import Floats

SequenceHandle = Any
"""One path of tokens inside a network's memory; its type is known only to the network that opened it."""


@dataclass(slots=True)
class StepInput:
    """The next tokens of one sequence. `patches` (N, floats) stand in for the tokens that are <patch>, in their order."""

    sequence: SequenceHandle
    tokens: Sequence[int]
    patches: Floats | None = None


class DecodeSession(Protocol):
    """Sequences that a network decodes together."""

    def open(self) -> SequenceHandle:
        """Start a sequence without any token."""

    def fork(self, sequence: SequenceHandle) -> SequenceHandle:
        """Start a sequence that begins with all of this one's tokens, which are stored once."""

    def close(self, sequence: SequenceHandle) -> None:
        """Free a sequence; tokens that others share with it stay."""

    def step(self, inputs: Sequence[StepInput]) -> Floats:
        """Feed every sequence its tokens in one pass. Logits (sequences, vocabulary) after the last token of each."""


class Network(Protocol):
    """A network that can decode: the real one, or a scripted one in a test."""

    context: int
    """Positions that a sequence may have."""

    def new_session(self) -> DecodeSession:
        """Start a session with a memory of its own: requests in different sessions can be answered side by side."""
