"""Usage of an answer, and its two sums: in sequence and in parallel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, steps, time and money used. `Usage()` is none, and neutral for both sums.

    `first + second` is one after the other: a person waits for both, so critical paths and seconds add. `left | right` is
    in parallel: a person waits for the longer one, so critical path and seconds are the larger of the two. Tokens, spawned
    threads, calls and money add either way.
    """

    tokens: int = 0
    """Tokens that the agents wrote, cancelled ones included; also prompts, from a backend that bills them."""
    critical_path: int = 0
    """Sequential steps that a person waits for."""
    threads: int = 0
    """Spawned agents, as `--threads` limits them and papers count them; 0 if the first agent thought alone."""
    seconds: float = 0.0
    usd: float = 0.0
    prompt_tokens: int = 0
    """Tokens of prompts among `tokens`, if the backend reports them."""
    calls: int = 0
    """Requests to a backend, including retried, hedged and cancelled ones; 0 if they were not counted."""
    hedges: int = 0
    """Requests that repeated the question of a silent agent."""

    def __add__(self, then: Usage) -> Usage:
        return self._joined(
            then, self.critical_path + then.critical_path, self.seconds + then.seconds
        )

    def __or__(self, beside: Usage) -> Usage:
        return self._joined(
            beside, max(self.critical_path, beside.critical_path), max(self.seconds, beside.seconds)
        )

    def _joined(self, other: Usage, critical_path: int, seconds: float) -> Usage:
        return Usage(
            self.tokens + other.tokens,
            critical_path,
            self.threads + other.threads,
            seconds,
            self.usd + other.usd,
            self.prompt_tokens + other.prompt_tokens,
            self.calls + other.calls,
            self.hedges + other.hedges,
        )
