"""Calibration finds what helps a model, and leaves out what does not."""

import random
from pathlib import Path

import pytest

from musespark import ask_sync
from musespark.models.fake import FakeModel
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta
from musespark.reasoning.calibration import Calibration, Labelled, Samples
from musespark.reasoning.team.strategy import Strategy
from musespark.store import VoteStore
from musespark.usage import Usage

ABLE = Abilities(conversation=True, context=100_000)
LABELS = [Labelled(f"What is {number} + {number}?", str(2 * number)) for number in range(3, 15)]


def skilled(approach: str, otherwise: float = 0.35, then: float = 0.9) -> FakeModel:
    """A model that is right so often, and more often when it is asked with certain words."""
    chance = random.Random(0)

    def play(request, number):
        asked = request.messages[0].text
        right = sum(int(word) for word in asked.split("?")[0].split() if word.isdigit())
        skill = then if approach in asked else otherwise
        said = right if chance.random() < skill else chance.randrange(100, 999)
        return [
            TextDelta(f"It is {said}."),
            UsageDelta(Usage(tokens=10, critical_path=10)),
            Finish(),
        ]

    return FakeModel(play, abilities=ABLE, name="skilled")


async def test_an_approach_that_helps_is_found():
    strategy = await Calibration(skilled("step by step"), LABELS).strategy()
    assert strategy.approach == "step by step" and strategy.rounds == 0 and not strategy.judge_ties
    assert "step by step" in strategy.because and "left out" in strategy.because
    assert len(strategy.reply_tokens) == 11


async def test_where_nothing_helps_plain_sampling_stays():
    strategy = await Calibration(skilled("no such words", otherwise=0.95), LABELS).strategy()
    assert (strategy.approach, strategy.temperature, strategy.rounds) == ("plain", None, 0)


async def test_a_model_that_answers_nothing_is_calibrated_to_plain():
    mute = FakeModel(lambda request, number: [TextDelta("Hm."), Finish()], abilities=ABLE)
    strategy = await Calibration(mute, LABELS[:4]).strategy()
    assert strategy.approach == "plain" and "0.00" in strategy.because


@pytest.mark.parametrize(
    ("groups", "right", "low", "high"),
    [
        ((1, 1, 1, 1), 1, 1.0, 1.0),
        ((1, 1, 1, 2), 1, 0.8, 0.999),
        ((1, 2), 1, 0.4, 0.6),
        ((None, None), None, 0.0, 0.0),
        ((2, 2, None), None, 0.0, 0.0),
        ((None, None, None, 1), 1, 0.8, 0.99),
    ],
)
def test_how_often_a_vote_would_be_right(groups, right, low, high):
    assert (
        low
        <= Samples(groups, (True,) * len(groups), right, 10, (10,)).vote_accuracy(8, seed=0)
        <= high
    )


@pytest.mark.parametrize(
    ("groups", "whole", "low", "high"),
    [
        (
            (1, *[2] * 15),
            (True, *[False] * 15),
            0.0,
            0.2,
        ),  # one whole answer does not win against many alike in doubt
        (
            (1, 1, 2, 2),
            (True, True, False, False),
            0.9,
            1.0,
        ),  # where whole ones agree the others do not count
        ((1, 2), (False, False), 0.4, 0.6),
    ],
)
def test_answers_in_doubt_count_where_whole_ones_are_few(groups, whole, low, high):
    assert low <= Samples(groups, whole, 1, 10, (10,)).vote_accuracy(8, seed=0) <= high


def test_a_strategy_survives_the_store_and_one_of_a_later_version_is_passed_over(tmp_path: Path):
    strategy = Strategy(
        approach="answer only", temperature=0.4, rounds=1, reply_tokens=(1, 2), because="It helped."
    )
    with VoteStore(tmp_path / "votes.db") as store:
        assert store.strategy("sums", "m") is None
        store.add_strategy("sums", "m", Strategy().to_json())
        store.add_strategy("sums", "m", strategy.to_json())
        assert Strategy.from_json(store.strategy("sums", "m") or "") == strategy
    assert Strategy.from_json('{"approach": "telepathy"}') is None
    assert Strategy.from_json("nonsense") is None


def test_a_team_follows_what_calibration_found_and_says_so(tmp_path: Path):
    path = tmp_path / "votes.db"
    with VoteStore(path) as store:
        store.add_strategy(
            "sums",
            "skilled",
            Strategy(approach="answer only", because="Short answers helped.").to_json(),
        )
    model = skilled("Reply with only the answer", then=1.0)
    answer = ask_sync("What is 3 + 4?", model=model, task_kind="sums", store=path, agents=4)
    assert str(answer) == "It is 7."
    assert all(
        "Reply with only the answer." in request.messages[0].text for request in model.requests
    )
    assert any(getattr(event, "text", "") == "Short answers helped." for event in answer.events)
    model.requests.clear()
    ask_sync(
        "What is 3 + 4?", model=model, task_kind="sums", store=path, agents=4, approach="plain"
    )  # what is asked for counts more
    assert all("only" not in request.messages[0].text for request in model.requests)
