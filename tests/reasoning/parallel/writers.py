"""Models that write replies of given lengths, and what they were asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from reasoning.teams import stage_of

from musespark.content import Request
from musespark.models.estimate import estimate_prompt_tokens
from musespark.models.fake import FakeModel
from musespark.models.model import (
    Abilities,
    Finish,
    TextDelta,
    ThinkingDelta,
    UsageDelta,
)
from musespark.usage import Usage

ABLE = Abilities(conversation=True, context=1_000_000)


QUESTION = Request.of("How many whole numbers below 1000 are divisible by 3 or by 5?")


OPEN_QUESTION = Request.of(
    "What should the people of a small town think of when they choose where a bridge is built?"
)


PROSE = "in my opinion, which is not shared by everybody, one has to look at it from the side of those who have to live with it"


PROMPT = 130
"""More tokens than the question takes with any of the instructions that an explorer gets."""


@dataclass
class Written:
    """A request that a model got, with the length that its reply had and the one it was allowed."""

    request: Request
    wanted: int
    limit: int

    @property
    def whole(self) -> bool:
        return self.limit >= self.wanted


def writer(lengths, answer, *, abilities=ABLE, name="fake", silent=False):
    """A model whose replies have these lengths, drawn for each, and keep to the limit; and what it was asked.

    answer: what a whole reply says, by the call's number and its stage. silent: a reply that is cut has only thoughts.
    """
    calls = []

    def play(request, number):
        wanted = lengths(number)
        limit = request.max_tokens if request.max_tokens is not None else wanted
        calls.append(Written(request, wanted, limit))
        written, read = (
            min(wanted, limit),
            estimate_prompt_tokens(request) if abilities.conversation else 0,
        )
        usd = written * abilities.usd_per_token + read * abilities.usd_per_prompt_token
        used = UsageDelta(
            Usage(tokens=read + written, prompt_tokens=read, usd=usd, critical_path=written)
        )
        if calls[-1].whole:
            return [TextDelta(answer(number, stage_of(request))), used, Finish()]
        return [ThinkingDelta("Hm.") if silent else TextDelta("Let me see"), used, Finish("length")]

    return FakeModel(play, name=name, abilities=abilities), calls


def explored(calls: Sequence[Written]) -> list[Written]:
    return [one for one in calls if stage_of(one.request) == "explore"]


def disagree(number, stage):
    """Answers that are all different, short ones; judges favour the first in one order and the second in the other."""
    return '{"better": "A"}' if stage == "judge" else f"Answer: {number}"


def agree(number, stage):
    return "Answer: 42"


def prose(number, stage):
    return f"Number {number}: {PROSE}."
