"""Notices a thought that goes round in circles: a network without memory of its own never leaves such a circle again."""

from __future__ import annotations

from collections.abc import Sequence

SUFFIX = 160
"""Tokens at the end of a thought that must repeat; no thought of the training data comes near (`tests/nano/test_repetition.py`)."""
PERIOD = 40
"""Tokens after which they repeat, at most."""
EVERY = 16
"""Tokens between two looks."""


def is_repeating(trail: Sequence[int]) -> bool:
    """True if the last SUFFIX tokens are one piece of at most PERIOD tokens, over and over; looked at every EVERY tokens."""
    if len(trail) < SUFFIX or len(trail) % EVERY:
        return False
    end = list(trail[-SUFFIX:])
    return any(end[period:] == end[:-period] for period in range(1, PERIOD + 1))
