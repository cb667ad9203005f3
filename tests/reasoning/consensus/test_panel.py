from pathlib import Path

import pytest
from attempts import attempt
from hypothesis import given, strategies as st
from votes import simulated

from musespark.reasoning.consensus.equivalence import equivalence_named
from musespark.reasoning.consensus.groups import AnswerGroups
from musespark.reasoning.consensus.panel import Panel, probability, threshold
from musespark.store import Vote, VoteStore


async def test_two_strong_ones_that_agree_are_enough_and_two_that_differ_are_not() -> None:
    panel = Panel(("a", "b", "c"), {"a": 2.0, "b": 2.0, "c": 1.0}, 0.95)
    groups = AnswerGroups(equivalence_named("exact"))
    assert not panel.enough(groups)[0]
    await groups.add(attempt("x", "1", "a"))
    assert not panel.enough(groups)[0]
    await groups.add(attempt("x", "2", "b"))
    assert panel.enough(groups)[0]
    assert panel.weigh(groups).winner.answer == "x"
    other = AnswerGroups(equivalence_named("exact"))
    await other.add(attempt("x", "1", "a"))
    await other.add(attempt("y", "2", "b"))
    assert not panel.enough(other)[0]


@given(st.lists(st.floats(0, 9), max_size=6))
def test_a_probability_is_one(weights: list[float]) -> None:
    assert 0 <= probability(weights) < 1.0000001
    assert probability([*weights, 20.0]) > 0.99 or len(weights) > 0


@pytest.mark.parametrize("calls", [1.0, 2.0, 3.0, 5.0])
def test_a_panel_keeps_to_its_calls_on_the_questions_it_learned_from(calls: float) -> None:
    votes = simulated({f"m{number}": 0.6 + number / 30 for number in range(9)}, 60)
    panel = Panel.from_votes(votes, calls)
    answers: dict[str, dict[str, str | None]] = {}
    for vote in votes:
        answers.setdefault(vote.question, {})[vote.model] = vote.group
    asked = 0
    for given_ in answers.values():
        gathered: dict[str, float] = {}
        for model in panel.models:
            asked += 1
            group = given_[model] or ""
            gathered[group] = gathered.get(group, 0.0) + panel.weights[model]
            if probability(gathered.values()) >= panel.sure:
                break
    assert asked / len(answers) <= calls
    assert panel.models[0] in ("m8", "m7", "m6")
    assert 1 <= panel.effective <= len(panel.models)


def test_more_calls_allow_to_be_surer() -> None:
    votes = simulated({f"m{number}": 0.8 for number in range(9)}, 60)
    panel = Panel.from_votes(votes)
    answers = [
        {vote.model: vote.group for vote in votes if vote.question == str(number)}
        for number in range(60)
    ]
    sures = [threshold(answers, panel.models, panel.weights, calls) for calls in (1, 2, 3, 4, 6, 9)]
    assert sures == sorted(sures)


def test_a_store_without_labels_makes_a_panel_too_and_an_empty_one_none(tmp_path: Path) -> None:
    with VoteStore(tmp_path / "votes.db") as store:
        assert Panel.from_store(store, "k") is None
        store.add([Vote("k", "q", "a", "x"), Vote("k", "q", "b", "x")])
        assert Panel.from_store(store, "k") is None
        store.add(simulated({"a": 0.9, "b": 0.8, "c": 0.6}, 300, labelled=False))
        panel = Panel.from_store(store, "k")
        assert panel is not None and panel.models[0] == "a"
        assert Panel.from_store(store, "another") is None
