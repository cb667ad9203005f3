"""Training traces: the thoughts about a problem as a tree of token segments.

A segment sees itself and its ancestors, nothing else; a fork gives a branch whose positions continue after the fork. The
engine runs threads by the same rule, so training and decoding compute the same (`tests/nano/test_equal.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from musespark.nano import vocabulary as v
from musespark.nano.arrays import Array


@dataclass
class TraceSegment:
    """Consecutive tokens; `weights[i]` is the weight of predicting `tokens[i]` in the loss (0: forced, not learned)."""

    parent: int | None
    start: int
    """Position of the first token; the parent's last position plus one."""
    tokens: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)


@dataclass
class Trace:
    """All segments of one problem, parents before children, and the patches of its image (64, 256) or None."""

    patches: Array | None = None
    segments: list[TraceSegment] = field(default_factory=list)

    def root(self) -> Branch:
        """Open the first branch, from which all others fork."""
        return Branch(self, self._open(None))

    def __len__(self) -> int:
        return sum(len(segment.tokens) for segment in self.segments)

    def _open(self, parent: int | None) -> int:
        start = (
            0 if parent is None else self.segments[parent].start + len(self.segments[parent].tokens)
        )
        self.segments.append(TraceSegment(parent, start))
        return len(self.segments) - 1


class Branch:
    """Writes one line of thought into a trace."""

    def __init__(self, trace: Trace, segment: int) -> None:
        self._trace = trace
        self._segment = segment

    def force(self, *pieces: str | int) -> Branch:
        """Append tokens that the engine feeds, which the model does not learn to predict. Text is encoded, integers are tokens."""
        return self.write(*pieces, weight=0.0)

    def write(self, *pieces: str | int, weight: float = 1.0) -> Branch:
        """Append tokens that the model learns to write."""
        segment = self._trace.segments[self._segment]
        for piece in pieces:
            tokens = v.encode(piece) if isinstance(piece, str) else [piece]
            segment.tokens += tokens
            segment.weights += [weight] * len(tokens)
        return self

    def fork(self) -> Branch:
        """Start a branch that sees everything written here so far and nothing written here later."""
        segments = self._trace.segments
        if segments[self._segment].tokens:
            stem, self._segment = self._segment, self._trace._open(self._segment)
        else:  # nothing was written since the last fork
            parent = segments[self._segment].parent
            assert parent is not None, "a fork needs something to share"
            stem = parent
        return Branch(self._trace, self._trace._open(stem))


def begin_trace(question: str, patches: Array | None) -> tuple[Trace, Branch]:
    """Start a trace with the question as the model sees it: <bos>, the image's patches, the characters."""
    trace = Trace(patches)
    return trace, trace.root().force(*prompt_tokens(question, patches is not None))


def prompt_tokens(question: str, image: bool) -> list[int]:
    """Tokens of a prompt in every mode; the mode's own token follows."""
    return [v.BOS, *([v.PATCH] * v.PLACES if image else []), *v.encode(question)]
