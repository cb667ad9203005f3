"""Behaviour of the stand-in for a model's server, and its log of calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

FAULTS = ("hang", "cut", "html", "garbage", "400", "429", "500")


@dataclass(frozen=True, kw_only=True)
class Script:
    """Behaviour of the backend. Times are in seconds."""

    latency: float = 0.3
    first: float | None = None
    """When the first token of a stream is there, the others evenly after it; None: at five sixths of the latency."""
    answers: str = "agree"
    """`agree`: always the same one; `disagree`: every answer another; `settle`: another until rivals' answers are shown."""
    many: str = "honour"
    """Treatment of `n` above 1: `honour`, `ignore` (one choice comes back) or `refuse` (400)."""
    faults: Mapping[int, str] = field(default_factory=dict)
    """By number of the call, from 0: one of FAULTS. A hung call is answered after all, `hang` seconds late."""
    hang: float = 25.0
    retry_after: int = 1
    """Seconds that a 429 asks for."""

    def __post_init__(self) -> None:
        for option, value, known in (
            ("answers", self.answers, ("agree", "disagree", "settle")),
            ("many", self.many, ("honour", "ignore", "refuse")),
            *(("fault", fault, FAULTS) for fault in self.faults.values()),
        ):
            if value not in known:
                raise ValueError(f"{option} is {value!r}; it must be one of {', '.join(known)}")

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self:
        """From JSON, whose keys are strings. Raises ValueError or TypeError."""
        faults = {int(call): str(fault) for call, fault in fields.get("faults", {}).items()}
        return cls(**{**fields, "faults": faults})

    def due(self, tokens: int) -> list[float]:
        """When each of so many tokens is there, in seconds after the call."""
        first = min(self.latency * 5 / 6 if self.first is None else self.first, self.latency)
        return [
            self.latency - (self.latency - first) * (tokens - 1 - token) / max(1, tokens - 1)
            for token in range(tokens)
        ]


@dataclass(kw_only=True)
class Call:
    """One call in the log. Times are in seconds since the log was emptied."""

    index: int
    kind: str
    """`answer`, `rate`, `judge`, `merge`, `review` (candidates, but nothing to choose) or `marked`."""
    model: str
    choices: int
    stream: bool
    fault: str | None
    arrived: float
    first_byte: float | None = None
    ended: float | None = None
    outcome: str = "open"
    """`answered`, `left` (the client closed the connection first), or the fault."""
    prompt_tokens: int = 0
    tokens: int = 0
    """Written by the time it ended, in all choices."""


class Left(Exception):
    """The client closed the connection."""
