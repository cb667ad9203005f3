"""Signs of life of one agent: when its model last said something, how fast it writes, how long it has ever been silent.

Read by `pool_watch`, which judges by them and by nothing else whether an agent lags.
"""

from __future__ import annotations

import time
from typing import Literal

from musespark.models.estimate import estimate_written_tokens

State = Literal["idle", "waiting", "writing", "pausing"]
"""`idle` between calls, while tools run; `waiting` for the first piece of a reply; `writing` one; `pausing` before a retry."""


class AgentProgress:
    """Progress of one agent. Times are seconds of `time.monotonic`."""

    def __init__(self) -> None:
        self.state: State = "waiting"
        self.last_sign = time.monotonic()
        """Time of the last sign of life of the call under way, or of the agent's beginning."""
        self.first_gap: float | None = None
        """The longest time until the first piece of a reply, in seconds; None before any reply has begun."""
        self.longest_gap = 0.0
        """The longest silence within a reply, in seconds."""
        self.characters = 0
        """Written so far, over all calls, whatever became of it."""
        self._writing_seconds = 0.0

    def begin_call(self, now: float) -> None:
        """Note that a request was sent."""
        self.state, self.last_sign = "waiting", now

    def hear(self, now: float, characters: int) -> None:
        """Note that a piece of a reply came, with this much text."""
        gap = now - self.last_sign
        if self.state == "waiting":
            self.first_gap = max(gap, self.first_gap or 0.0)
        else:
            self.longest_gap = max(gap, self.longest_gap)
            self._writing_seconds += gap
        self.state, self.last_sign = "writing", now
        self.characters += characters

    def resume(self, now: float) -> None:
        """Note that the call was held up on this side: meanwhile nothing was read from the model."""
        self.last_sign = now

    def pause(self) -> None:
        """Note that a call failed and will be made again."""
        self.state = "pausing"

    def end_call(self) -> None:
        """Note that a call is over."""
        self.state = "idle"

    @property
    def comes_in_pieces(self) -> bool:
        """True if replies are seen while they are written, and do not come whole."""
        return self._writing_seconds > 0.05 * (self.first_gap or 0.0)

    @property
    def tokens(self) -> int:
        """Tokens written so far, as estimated from the characters."""
        return estimate_written_tokens(self.characters)

    @property
    def tokens_per_second(self) -> float | None:
        """The pace of writing, first waits left out; None before there is one."""
        return (
            self.tokens / self._writing_seconds
            if self.tokens and self._writing_seconds > 0
            else None
        )
