import math

from hypothesis import given, strategies as st

from musespark.reasoning.patience import EVERYONE, Patience

latencies = st.lists(st.floats(0.001, 100), max_size=20)


@given(latencies, st.integers(1, 20))
def test_nobody_is_left_behind_without_a_quorum_or_before_the_slowest(seen, sent):
    edge = Patience().leave_at(seen, sent)
    if len(seen) * 2 <= sent:
        assert edge is None
    else:
        assert edge is not None and edge > max(seen)


@given(latencies.filter(bool))
def test_a_double_is_sent_later_than_most_took(seen):
    edge = Patience().double_at(seen)
    assert sum(latency < edge for latency in seen) >= math.ceil(0.75 * len(seen))


@given(latencies, st.integers(1, 20))
def test_who_waits_for_everyone_waits(seen, sent):
    assert EVERYONE.leave_at(seen[:sent], sent) is None
    assert EVERYONE.double_at(seen) is None
