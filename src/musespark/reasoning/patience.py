"""How long the slow ones are waited for. Pure: ages and latencies in seconds go in, thresholds come out.

After Dean and Barroso, The Tail at Scale (2013): a request that lags is sent a second time, and an answer that is good
enough does not wait for the last of its parts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from musespark.errors import BadOption


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When an agent that is still at work is doubled, and when it is left behind."""

    quorum: float = 0.5
    """More than this part of the agents must have answered before the others may be left behind."""
    grace: float = 0.1
    """They are left behind this much later than the slowest of those that answered, as a part of its latency."""
    quantile: float = 0.75
    """Of the latencies so far: an agent that takes `factor` times as long is doubled."""
    factor: float = 2.0
    least: float = 0.03
    """Seconds; nobody is judged by smaller differences."""
    unheard: float = 60.0
    """Seconds after which an agent lags even though nobody has answered yet; a third of the time there is, if that is less."""

    def __post_init__(self) -> None:
        if not (0 <= self.quorum <= 1 and 0 < self.quantile <= 1 and min(self.grace, self.least) >= 0 and self.factor >= 1):
            raise BadOption("patience", self, "of parts from 0 to 1, a grace of 0 or more, and a factor of at least 1")

    def leave_at(self, latencies: Sequence[float], sent: int) -> float | None:
        """The age at which an agent is left behind; None while too few of those sent have answered."""
        if not latencies or len(latencies) <= self.quorum * sent:
            return None
        slowest = max(latencies)
        return slowest + max(self.least, self.grace * slowest)

    def double_at(self, latencies: Sequence[float], seconds: float | None = None) -> float | None:
        """The age at which an agent is doubled; None for never. seconds: the time there is for all of it, if that is limited."""
        if math.isinf(self.factor):
            return None
        if not latencies:
            return self.unheard if seconds is None else min(self.unheard, seconds / 3)
        ordered = sorted(latencies)
        edge = ordered[math.ceil(self.quantile * len(ordered)) - 1]
        return max(self.factor * edge, edge + self.least)


EVERYONE = Patience(quorum=1.0, factor=math.inf)
"""For agents that each do a different part of the work: all are waited for."""
