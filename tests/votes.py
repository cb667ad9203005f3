"""Votes for tests."""

from __future__ import annotations

import random

from musespark.store import Vote


def simulated(
    accuracies: dict[str, float], questions: int, seed: int = 0, labelled: bool = True
) -> list[Vote]:
    """Independent voters: right with their probability, else one of a few wrong answers."""
    chance = random.Random(seed)
    votes = []
    for question in range(questions):
        for model, accuracy in accuracies.items():
            right = chance.random() < accuracy
            group = "right" if right else f"wrong-{chance.randrange(20)}"
            votes.append(Vote("k", str(question), model, group, right if labelled else None))
    return votes
