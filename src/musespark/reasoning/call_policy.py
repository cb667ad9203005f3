"""Patience with models: when a call is made again, and when a silent backend counts as gone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """Patience with the calls of one run."""

    retries: int = 3
    """Retries of a call, for failures that may pass."""
    retries_reserved: int = 5
    """Times that a call waits for others under way to give back what they do not use of a budget."""
    pause: float = 0.5
    """Seconds before the first time, doubled each time, unless the backend names its own."""
    longest_pause: float = 60.0
    silence: float = 300.0
    """Seconds without a sign of life after which a backend counts as gone."""
