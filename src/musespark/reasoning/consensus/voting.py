"""The winning group: by plain majority, or by weighted votes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from musespark.errors import BadOption
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence.protocols import Forms
from musespark.reasoning.consensus.groups import AnswerGroup, AnswerGroups


@dataclass(frozen=True, slots=True)
class VoteResult:
    """The group that won, and how far ahead it was."""

    winner: AnswerGroup
    attempt: Attempt
    """The winner's best member, to answer with: in the requested form first, then of the most reliable model, then the earliest."""
    by: str
    """`vote` or `weigh`."""
    votes: float
    """Votes for the winner."""
    of: float
    """Votes for all groups together."""
    reason: str


def vote(groups: AnswerGroups) -> VoteResult:
    """The group with most attempts; of equals the one that came first. Raises `BadOption` if there is none."""
    winner = _leader(groups)
    total = sum(groups.counts)
    reason = f"{len(winner)} of {total} votes{_tie(groups)}"
    return VoteResult(winner, _speaker(groups, winner, {}), "vote", len(winner), total, reason)


def weigh(groups: AnswerGroups, weights: Mapping[str, float], otherwise: float = 1.0) -> VoteResult:
    """The group with the most weight, by the weights of its models; of equals the larger one, then the earlier.

    weights: by model name, usually log-odds of being right; `otherwise` is the weight of a model without one. A weight below 0
    counts as 0: support from a bad model is no evidence against an answer that others give, too. Raises `BadOption`.
    """
    _leader(groups)
    worth = {
        attempt.model: max(0.0, weights.get(attempt.model, otherwise))
        for attempt in groups.attempts
    }
    heavy = [
        (sum(worth[attempt.model] for attempt in group.attempts), group) for group in groups.ranked
    ]
    weight, winner = max(
        heavy, key=lambda pair: pair[0]
    )  # max keeps the first of equals, and leading groups come first
    total = sum(weight for weight, _ in heavy)
    reason = f"{weight:.2f} of {total:.2f} by weight, {len(winner)} of {sum(groups.counts)} votes"
    return VoteResult(winner, _speaker(groups, winner, worth), "weigh", weight, total, reason)


def _tie(groups: AnswerGroups) -> str:
    """A remark on a tied vote; empty if one group won."""
    tied = groups.counts.count(groups.counts[0])
    if tied < 2:
        return ""
    if groups.counts[0] == 1:
        return f"; all {tied} answers differ, and the first counts"
    rivals = [f"“{_short(group.answer)}”" for group in groups.ranked[1:tied]]
    return f", tied with {' and '.join(rivals[:2])}{' and others' if len(rivals) > 2 else ''}; the one that came first counts"


def _short(answer: str) -> str:
    line = " ".join(answer.split())
    return line if len(line) <= 40 else f"{line[:39]}…"


def _speaker(groups: AnswerGroups, winner: AnswerGroup, worth: Mapping[str, float]) -> Attempt:
    sameness = groups.equivalence
    formed = sameness.formed if isinstance(sameness, Forms) else lambda attempt: True
    return max(
        winner.attempts,
        key=lambda attempt: (
            bool(attempt.verified),
            attempt.finish_reason == "finished",
            formed(attempt),
            worth.get(attempt.model, 0.0),
        ),
    )


def _leader(groups: AnswerGroups) -> AnswerGroup:
    if groups.leader is None:
        raise BadOption("groups", "empty", "at least one answer")
    return groups.leader
