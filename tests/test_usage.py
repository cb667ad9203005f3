from hypothesis import given
from strategies import exact_usages

from musespark.usage import Usage


def test_one_after_the_other_a_person_waits_for_both():
    assert Usage(10, 5, 2, 1.0, 0.5) + Usage(20, 7, 3, 2.0, 0.25) == Usage(30, 12, 5, 3.0, 0.75)


def test_side_by_side_a_person_waits_for_the_longer():
    assert Usage(10, 5, 2, 1.0, 0.5) | Usage(20, 7, 3, 2.0, 0.25) == Usage(30, 7, 5, 2.0, 0.75)


@given(exact_usages, exact_usages, exact_usages)
def test_both_ways_of_adding_are_commutative_associative_and_have_nothing_as_neutral(a, b, c):
    assert a + b == b + a
    assert a | b == b | a
    assert (a + b) + c == a + (b + c)
    assert (a | b) | c == a | (b | c)
    assert a + Usage() == a | Usage() == a


@given(exact_usages, exact_usages)
def test_side_by_side_is_never_slower_and_never_cheaper(a, b):
    assert (a | b).critical_path <= (a + b).critical_path
    assert (a | b).tokens == (a + b).tokens
