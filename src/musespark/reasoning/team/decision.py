"""The decision of an aggregator."""

from __future__ import annotations

from dataclasses import dataclass

from musespark.events import Abstained, AnswerDelta, Verified
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.context import RunContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An answer, and how it was chosen."""

    by: str
    """`verified`, `vote`, `weigh`, `judge`, `merge`, or a name of one's own."""
    winner: Attempt
    """The attempt whose reply is the answer; a merger's is written from several."""
    reason: str
    """One sentence."""
    winners: tuple[str, ...] = ()
    """Names of all agents with this answer, or of those that it was written from."""
    written: bool = False
    """True if the answer has been streamed already, as it was written."""

    def publish(self, run: RunContext) -> None:
        """Make the winner's reply the run's answer."""
        refused = self.winner.finish_reason == "refused"
        if refused and self.winner.abstained:  # before the text, which is then told as a refusal
            run.emit(Abstained(self.winner.abstained, refused=True))
        if not self.written and self.winner.text:
            run.emit(AnswerDelta(self.winner.text))
        if self.winner.verified is not None:
            run.emit(Verified(self.winner.verified, self.winner.verified_by))
        if self.winner.abstained and not refused:
            run.emit(Abstained(self.winner.abstained))
        run.set_outcome(self.winner)
