"""Detects a thought that repeats itself: decoding never leaves such a loop again."""

from __future__ import annotations

from collections.abc import Sequence

SUFFIX = 160
"""Tokens at the end of a thought that must repeat; no training data comes near (`tests/nano/test_repetition.py`)."""
PERIOD = 40
"""Longest period of a repetition, in tokens."""
EVERY = 16
"""Tokens between two checks."""


def is_repeating(trail: Sequence[int]) -> bool:
    """True if the last SUFFIX tokens are one piece of at most PERIOD tokens, over and over; checked every EVERY tokens."""
    if len(trail) < SUFFIX or len(trail) % EVERY:
        return False
    end = list(trail[-SUFFIX:])
    return any(end[period:] == end[:-period] for period in range(1, PERIOD + 1))
