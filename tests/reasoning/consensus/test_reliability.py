import random

import pytest
from hypothesis import given, strategies as st
from votes import simulated

from musespark.reasoning.consensus.reliability import (
    COPY,
    LEAST,
    choose,
    effective_votes,
    error_correlation,
    log_odds,
    reliabilities,
    unlabelled,
)
from musespark.store import Vote


def test_a_few_labels_are_shrunk_to_what_all_models_have_in_common() -> None:
    votes = [Vote("k", str(number), "lucky", "x", True) for number in range(5)]
    votes += simulated({f"m{number}": 0.6 for number in range(20)}, 50)
    found = reliabilities(votes)
    assert 0.6 < found["lucky"] < 0.9
    assert reliabilities([]) == {} == reliabilities([Vote("k", "q", "m", "x")])


def test_many_labels_tell_the_truth() -> None:
    accuracies = {"a": 0.95, "b": 0.7, "c": 0.4}
    found = reliabilities(simulated(accuracies, 2000))
    assert all(
        found[model] == pytest.approx(accuracy, abs=0.03) for model, accuracy in accuracies.items()
    )


def test_agreement_alone_tells_reliability_too() -> None:
    accuracies = {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6, "e": 0.5}
    found = unlabelled(simulated(accuracies, 2000, labelled=False))
    assert sorted(found, key=found.__getitem__, reverse=True) == list("abcde")
    assert all(
        found[model] == pytest.approx(accuracy, abs=0.06) for model, accuracy in accuracies.items()
    )


@given(st.floats(0, 1), st.floats(0, 1))
def test_weights_grow_with_reliability_and_are_finite(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= log_odds(low) <= log_odds(high) < 5


def test_models_that_err_together_are_found_out() -> None:
    chance = random.Random(3)
    votes = []
    for question in range(400):
        first, alone = chance.random() < 0.7, chance.random() < 0.7
        for model, right in (
            ("a", first),
            ("copy", first),
            ("b", alone),
            ("c", chance.random() < 0.7),
        ):
            votes.append(Vote("k", str(question), model, str(right), right))
    found = error_correlation(votes)
    assert found["a", "copy"] == found["copy", "a"] > COPY
    assert found["a", "b"] < 0.3
    assert error_correlation(votes[:4]) == {}  # one question: nothing varies


def test_correlated_voters_count_for_less() -> None:
    weights = {"a": 1.0, "b": 1.0, "c": 1.0}
    assert effective_votes(weights, {}) == pytest.approx(3)
    everyone = {(one, other): 1.0 for one in weights for other in weights}
    assert effective_votes(weights, everyone) == pytest.approx(1)
    half = {(one, other): 0.5 for one in weights for other in weights if one != other}
    assert 1 < effective_votes(weights, half) < 3
    assert effective_votes({"a": 5.0, "b": 0.0}, {}) == pytest.approx(1)
    assert effective_votes({}, {}) == 0


names = st.text("abcdefgh", min_size=1, max_size=2)


@given(st.dictionaries(names, st.floats(0.01, 0.99), min_size=1, max_size=12), st.integers(1, 12))
def test_the_best_are_asked_first_within_the_limit(
    reliability: dict[str, float], at_most: int
) -> None:
    chosen = choose(reliability, {}, at_most)
    assert 1 <= len(chosen) <= at_most
    assert len(chosen) >= min(LEAST, at_most, len(reliability))
    values = [reliability[model] for model in chosen]
    assert values == sorted(values, reverse=True) and values[0] == max(reliability.values())


def test_few_strong_ones_are_preferred_to_many_weak_ones() -> None:
    weak = {f"weak{number}": 0.6 for number in range(10)}
    assert len(choose({"strong": 0.95, **weak}, {}, 16)) == LEAST
    assert len(choose({f"equal{number}": 0.9 for number in range(10)}, {}, 16)) == 10


def test_a_copy_is_not_asked_beside_its_original() -> None:
    reliability = {"a": 0.9, "copy": 0.9, "b": 0.8}
    assert choose(reliability, {("a", "copy"): 0.9, ("copy", "a"): 0.9}, 3) == ["a", "b"]
