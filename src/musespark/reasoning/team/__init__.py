"""Many agents on one question.

team.py              `Team`: models, rules and options, as a value
contemplate.py       the stages, one after the other
explore.py           independent answers, in waves, until more would change nothing
clarify.py           a vote without a winner: guesses count, and unclear replies are asked for their answer
refine.py            each agent sees rival answers and keeps or changes its own
aggregate/           one answer from all: automatic, vote, weigh, judge, merge
decision.py          the result of an aggregator
answer_pool.py       the answers so far, their standing and their groups
prompts.py           parts of prompts that the stages share
approaches.py        the explorers' prompts and temperature
strategy.py          the options that calibration chooses
llm_equivalence.py   a model judges if two answers in prose say the same
history.py           votes, panels and strategies from and to the store
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from musespark.reasoning.team.team import Team

__all__ = ["Team"]


def __getattr__(name: str) -> Any:
    """Load `Team` when it is first used: parts of it import from this package."""
    if name != "Team":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from musespark.reasoning.team.team import Team

    return Team
