"""Counts of tokens as backends report them, and which of them to believe: money is booked by them."""

from __future__ import annotations

MAX_TOKENS = 100_000_000
"""Tokens of one call beyond which a count is taken for a mistake; the longest contexts have ten million."""
UNBELIEVABLE = -1
"""Stands for a count that cannot be right; an estimate takes its place."""


def read_count(value: object) -> int:
    """Read a count; 0 if there is none, `UNBELIEVABLE` if it is no whole number or out of range."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        return UNBELIEVABLE
    if not 0 <= value <= MAX_TOKENS or value != int(value):  # nothing is in order with NaN
        return UNBELIEVABLE
    return int(value)
