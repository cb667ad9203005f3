"""A count that cannot be right is replaced by an estimate, and the reply it came with is worth no less."""

import math

import pytest

from musespark.content import Request
from musespark.models.providers.adapter.reply import ResponseTranslator
from musespark.models.providers.adapter.token_counts import MAX_TOKENS, UNBELIEVABLE, read_count
from musespark.models.providers.prices import Price


@pytest.mark.parametrize(
    ("reported", "read"),
    [
        (None, 0),
        (0, 0),
        (7, 7),
        (7.0, 7),
        (MAX_TOKENS, MAX_TOKENS),
        *(
            (value, UNBELIEVABLE)
            for value in (10**17, 10**400, -1, 1.5, 1e30, math.nan, math.inf, "12", [1], {}, True)
        ),
    ],
)
def test_counts_are_read_or_not_believed(reported, read):
    assert read_count(reported) == read


@pytest.mark.parametrize("counts", [(10**17, 10**17), (-5, 3), (3, math.nan), ("12", 3), (0, 0)])
def test_a_reply_with_an_absurd_count_is_booked_at_about_its_size(counts):
    from pydantic_ai.messages import ModelResponse, TextPart
    from pydantic_ai.usage import RequestUsage

    usage = RequestUsage()
    usage.input_tokens, usage.output_tokens = counts
    response = ModelResponse(parts=[TextPart("Answer: 42")], usage=usage, finish_reason="stop")
    translator = ResponseTranslator("m", "o", Request.of("Why?"), Price(0.001, 0.001), False)
    [booked] = [delta.usage for delta in translator.end(response) if hasattr(delta, "usage")]
    assert 0 < booked.tokens < 100 and booked.usd == pytest.approx(booked.tokens / 1000)
