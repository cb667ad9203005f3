"""Tokens of a text that nobody has counted yet."""

from hypothesis import given, strategies as st

from musespark.models import estimate
from musespark.models.estimate import estimate_tokens


@given(st.text(st.characters(codec=None), max_size=40))
def test_arrays_count_as_a_loop_does(text):
    within, estimate.NUMPY_FROM = estimate.NUMPY_FROM, 0
    try:
        assert estimate_tokens(text) == _looped(text)
    finally:
        estimate.NUMPY_FROM = within


def _looped(text):
    latin = sum(character < "\u0250" for character in text)
    return int(latin / estimate.CHARACTERS_PER_TOKEN) + len(text) - latin


def test_a_character_of_another_script_is_a_token():
    assert (
        estimate_tokens("天" * 7) == 7
        and estimate_tokens("aé" * 7) == 4
        and estimate_tokens("天" * 30_000 + "a" * 7) == 30_002
    )
