import random

import pytest
from hypothesis import given, strategies as st

from musespark.errors import BadOption
from musespark.reasoning.parallel.stragglers import (
    EVERYONE,
    SURE,
    VERY_SURE,
    StragglerPolicy,
    likely_length,
    longest_likely,
)

seconds = st.lists(st.floats(0.001, 100), max_size=20)
POLICY = StragglerPolicy()


@given(seconds, st.integers(1, 20))
def test_no_agent_is_abandoned_without_a_quorum_or_before_the_slowest(latencies, expected):
    edge = POLICY.abandon_after(latencies, expected)
    if len(latencies) * 2 <= expected:
        assert edge is None
    else:
        assert edge is not None and edge > max(latencies)
        assert POLICY.conclude_until(latencies) > edge


@given(seconds, st.integers(1, 20))
def test_for_parts_of_one_work_none_is_abandoned(latencies, expected):
    assert EVERYONE.abandon_after(latencies[:expected], expected) is None


@given(seconds.filter(bool))
def test_a_silence_like_those_seen_is_none(gaps):
    assert longest_likely(gaps) >= max(gaps)
    assert POLICY.pause_limit(gaps, 1.0) >= max(gaps)


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.3, 0.5, 0.8, 1.2])
@pytest.mark.parametrize("count", [3, 5, 7, 15])
@pytest.mark.parametrize(("sure", "wrong_at_most"), [(SURE, 0.017), (VERY_SURE, 0.004)])
def test_of_healthy_waits_hardly_any_is_called_silence(spread, count, sure, wrong_at_most):
    chance = random.Random(0)
    wrong = 0
    for _ in range(3000):
        *seen, next_one = (chance.lognormvariate(0, spread) for _ in range(count + 1))
        wrong += next_one > longest_likely(seen, sure)
    assert wrong / 3000 <= wrong_at_most


def test_where_all_waits_are_alike_a_little_more_is_silence():
    assert longest_likely([0.3] * 7) < 1.2 * 0.3


def test_the_first_to_be_heard_tell_nothing_of_the_others():
    assert POLICY.first_silence_limit([0.1] * 4, 8) == POLICY.first_reply_timeout
    assert POLICY.first_silence_limit([0.1] * 4, 8, seconds=30) == 10
    assert POLICY.first_silence_limit([0.1] * 5, 8) < 0.2


def test_a_long_reply_may_pause_longer():
    assert POLICY.pause_limit([0.01] * 8, age=10) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("written", "lengths", "likely"),
    [
        (10, [20, 30, 40], 30),
        (35, [20, 30, 40], 40),
        (50, [20, 30, 40], 100),
        (0, [], 0),
        (5, [], 10),
    ],
)
def test_a_reply_is_as_long_as_the_longer_ones_seen(written, lengths, likely):
    assert likely_length(written, lengths) == likely


def test_a_conclusion_begins_in_time():
    assert (
        POLICY.conclude_at(seconds=20, first_gaps=[0.5], tokens_per_second=64, tokens=64)
        == 20 - 2 * 1.5
    )
    assert (
        POLICY.conclude_at(seconds=10, first_gaps=[0.5], tokens_per_second=16, tokens=64) == 7.5
    )  # most is for thinking


def test_no_conclusion_is_asked_for_that_would_not_be_heard():
    assert POLICY.conclude_at(
        seconds=1, first_gaps=[0.5, 0.6], tokens_per_second=60, tokens=64
    ) == float("inf")
    assert POLICY.conclude_at(
        seconds=20, first_gaps=[8.0], tokens_per_second=60, tokens=64
    ) == float("inf")


@pytest.mark.parametrize(
    "options", [{"quorum": 2}, {"grace": -1}, {"least": -1}, {"first_reply_timeout": 0}]
)
def test_a_policy_that_cannot_be_is_one_sentence(options):
    with pytest.raises(BadOption, match="stragglers"):
        StragglerPolicy(**options)
