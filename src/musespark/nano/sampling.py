"""Sampling: choose a token from logits."""

from __future__ import annotations

import numpy as np

from musespark.errors import ModelFailed
from musespark.nano.arrays import Array


def choose(logits: Array, temperature: float, seed: int, thread: int, step: int) -> int:
    """Choose one token from logits (vocabulary,), which are -inf for illegal tokens.

    At temperature 0 it is the likeliest (the first of equals). Above 0 it is a draw by the inverse of the cumulative distribution;
    the random number is a function of (seed, thread, step) alone (Philox, a counter-based generator: Salmon et al., Parallel random
    numbers: as easy as 1, 2, 3, 2011), so a thread gets the same token in any batch. Raises ModelFailed if the logits are not
    numbers.
    """
    if not np.isfinite(logits.max()):
        raise ModelFailed(
            "nano", "its network computed something that is not a number; its weights are of no use"
        )
    if temperature <= 0:
        return int(logits.argmax())
    scaled = (logits.astype(np.float64) - logits.max()) / temperature
    cumulative = np.exp(scaled).cumsum()
    key = np.array([seed & 0xFFFF_FFFF_FFFF_FFFF, thread], np.uint64)
    draw = np.random.Generator(np.random.Philox(key=key, counter=step)).random()
    return int(cumulative.searchsorted(draw * cumulative[-1], side="right"))
