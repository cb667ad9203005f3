"""What an answer cost, and how costs add up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used. `Usage()` is nothing used, and neutral for both ways of adding.

    `first + second` is one after the other: a person waits for both, so critical paths and seconds add. `left | right` is
    side by side: a person waits for the longer one, so critical path and seconds are the larger of the two. Tokens, spawned
    threads, calls and money add either way.
    """

    tokens: int = 0
    """Every token that the agents wrote, cancelled ones too; a backend that bills prompts counts those as well."""
    critical_path: int = 0
    """Sequential steps a person waits for."""
    threads: int = 0
    """Agents that were spawned, as `--threads` caps them and papers count them; 0 where the first one thought alone."""
    seconds: float = 0.0
    usd: float = 0.0
    prompt_tokens: int = 0
    """The part of the tokens that was read and not written, where a backend tells."""
    calls: int = 0
    """Requests to a backend: retried, hedged and cancelled ones too; 0 where nothing counted them."""
    hedges: int = 0
    """Requests that repeated the question of a silent agent."""

    def __add__(self, then: Usage) -> Usage:
        return self._joined(then, self.critical_path + then.critical_path, self.seconds + then.seconds)

    def __or__(self, beside: Usage) -> Usage:
        return self._joined(beside, max(self.critical_path, beside.critical_path), max(self.seconds, beside.seconds))

    def _joined(self, other: Usage, critical_path: int, seconds: float) -> Usage:
        return Usage(self.tokens + other.tokens, critical_path, self.threads + other.threads, seconds,
                     self.usd + other.usd, self.prompt_tokens + other.prompt_tokens, self.calls + other.calls,
                     self.hedges + other.hedges)
