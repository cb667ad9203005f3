"""Rules for stragglers. Pure functions: observed seconds and tokens go in, limits come out.

An agent lags if it is silent for longer than such silences last, or if it writes so slowly that its likely end lies beyond the
deadline; never because it writes more than others. Real replies differ in length by a factor of ten, so a rule on total time would
cut off healthy agents.

After Dean and Barroso, The Tail at Scale (2013): a request that lags is hedged, and an answer that is good enough does not wait for
the last of its parts. The definition of lagging is new here.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from musespark.errors import BadOption

SURE, VERY_SURE = 0.99, 0.999
"""Confidence that a silence is abnormal: needed to abandon an agent when all others have answered; and to hedge its request, or if
replies come whole, so that silence says little."""
_STUDENT_T = {
    SURE: (
        31.82,
        6.965,
        4.541,
        3.747,
        3.365,
        3.143,
        2.998,
        2.896,
        2.821,
        2.764,
        2.718,
        2.681,
        2.650,
        2.624,
        2.602,
    ),
    VERY_SURE: (
        318.3,
        22.33,
        10.21,
        7.173,
        5.893,
        5.208,
        4.785,
        4.501,
        4.297,
        4.144,
        4.025,
        3.930,
        3.852,
        3.787,
        3.733,
    ),
}
"""Quantiles of Student's t for 1, 2, ... degrees of freedom; the last stands for all beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StragglerPolicy:
    """Limits after which a silent agent is hedged, and after which silent agents are abandoned."""

    quorum: float = 0.5
    """More than this part of the agents must have answered before silent ones are abandoned."""
    grace: float = 0.1
    """They are abandoned this much later than the slowest answer, as a part of its time."""
    many: int = 5
    """From that many whole replies on, an agent that has not begun when all have ended is silent."""
    conclusion: float = 0.2
    """An abandoned agent may write its conclusion until this much later than the slowest answer, as a part of its time."""
    conclusion_share: float = 0.25
    """The part of the time up to a deadline that is kept for conclusions, at most."""
    hedge: bool = True
    """True if silent agents may be hedged."""
    pause_share: float = 0.2
    """A pause within a reply counts as silence only beyond this part of the time that the agent has taken: streams stall."""
    hedge_share: float = 0.5
    """The same before it is hedged."""
    least: float = 0.03
    """Seconds; smaller differences mean nothing."""
    first_reply_timeout: float = 60.0
    """Seconds of silence that are too long while too few agents have begun to write; a third of the time limit, if that is less."""

    def __post_init__(self) -> None:
        shares = (
            self.quorum,
            self.grace,
            self.conclusion,
            self.conclusion_share,
            self.pause_share,
            self.hedge_share,
        )
        if not (
            all(0 <= share <= 1 for share in shares)
            and self.least >= 0
            and self.first_reply_timeout > 0
        ):
            raise BadOption("stragglers", self, "of parts from 0 to 1 and of seconds above 0")

    def has_quorum(self, answered: int, expected: int) -> bool:
        """True if enough agents have answered to do without the others."""
        return answered > self.quorum * expected

    def abandon_after(self, latencies: Sequence[float], expected: int) -> float | None:
        """The age in seconds at which a silent agent may be abandoned; None while too few have answered.

        latencies: seconds of those that answered. expected: agents that have not failed.
        """
        if not latencies or not self.has_quorum(len(latencies), expected):
            return None
        slowest = max(latencies)
        return slowest + max(self.least, self.grace * slowest)

    def conclude_until(self, latencies: Sequence[float]) -> float:
        """The age in seconds until which an abandoned agent may still write its conclusion."""
        slowest = max(latencies, default=0.0)
        return slowest + max(2 * self.least, self.conclusion * slowest)

    def first_silence_limit(
        self, gaps: Sequence[float], expected: int, seconds: float | None = None, sure: float = SURE
    ) -> float:
        """Seconds that an agent may wait for the first piece of its reply.

        gaps: the waits of agents that have begun to write, of `expected` in all. The first to come are the quickest, so they say
        nothing before they are more than half. seconds: the time limit of the whole, if any.
        """
        if not self.has_quorum(len(gaps), expected):
            return (
                self.first_reply_timeout
                if seconds is None
                else min(self.first_reply_timeout, seconds / 3)
            )
        return max(longest_likely(gaps, sure), max(gaps) + self.least)

    def pause_limit(self, gaps: Sequence[float], age: float, sure: float = SURE) -> float:
        """Seconds that an agent may be silent within its reply.

        gaps: the longest pause of each agent that writes or has written. age: seconds since the agent was sent.
        """
        share = self.hedge_share if sure == VERY_SURE else self.pause_share
        return max(
            longest_likely(gaps, sure) if gaps else self.first_reply_timeout,
            share * age,
            self.least,
        )

    def conclude_at(
        self, seconds: float, first_gaps: Sequence[float], tokens_per_second: float, tokens: int
    ) -> float:
        """Seconds after the start at which a conclusion of at most this many tokens has to begin, with a margin.

        seconds: from the start to the deadline; at most a part of them (`conclusion_share`) is kept for conclusions. Infinite if a
        usual conclusion would take longer than that part: thinking on is then worth more. first_gaps: the waits of agents that have
        begun to write.
        """
        ordered = sorted(first_gaps) or [0.0]
        usual = ordered[len(ordered) // 2] + tokens / (4 * tokens_per_second)
        at_most = self.conclusion_share * seconds
        return (
            seconds - min(2 * (ordered[-1] + tokens / tokens_per_second), at_most)
            if usual <= at_most
            else math.inf
        )


EVERYONE = StragglerPolicy(quorum=1.0)
"""For agents that each do a different part of the work: all are waited for."""


def longest_likely(gaps: Sequence[float], sure: float = SURE) -> float:
    """The bound, in seconds, below which further gaps lie with this confidence, if gaps are log-normal: a one-sided prediction
    interval (Hahn and Meeker, Statistical Intervals, 1991).

    A few gaps that are nearly alike do not show how far gaps spread; the bound is then at least the largest with a margin that
    shrinks as they become more.
    """
    logs = [math.log(max(gap, 1e-6)) for gap in gaps]
    count = len(logs)
    mean = sum(logs) / count
    spread = math.sqrt(sum((each - mean) ** 2 for each in logs) / (count - 1)) if count > 1 else 0.0
    bound = math.exp(
        min(50.0, mean + _student_t(count - 1, sure) * spread * math.sqrt(1 + 1 / count))
    )
    return max(bound, max(gaps) * (1 + 2.5 / count**2))


def likely_length(written: int, lengths: Sequence[int]) -> int:
    """Likely length of a reply, in tokens, given the tokens written so far: the median of the observed lengths that are longer, and
    twice what is written if none is."""
    longer = sorted(lengths)
    longer = longer[bisect_left(longer, written + 1) :]
    return longer[len(longer) // 2] if longer else 2 * written


def _student_t(degrees: int, sure: float) -> float:
    quantiles = _STUDENT_T[sure]
    return quantiles[min(max(degrees, 1), len(quantiles)) - 1]
