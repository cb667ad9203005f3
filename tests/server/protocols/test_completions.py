"""OpenAI's Completions, through OpenAI's own client."""

import openai
import pytest

from .test_responses import ASK


@pytest.mark.parametrize("model", ["plain", "contemplating"])
def test_a_prompt_is_answered_whole_and_streamed(openai_client, model):
    done = openai_client.completions.create(model=model, prompt=ASK)
    assert done.object == "text_completion" and done.model == model
    assert (done.choices[0].text, done.choices[0].finish_reason) == ("42", "stop")
    assert 0 < done.usage.total_tokens <= done.muse["usage"]["tokens"]
    chunks = list(openai_client.completions.create(model=model, prompt=[ASK], stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == "42"
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop"


def test_the_usage_of_a_stream_may_have_a_chunk_of_its_own(openai_client):
    *_, last = openai_client.completions.create(
        model="plain", prompt=ASK, stream=True, stream_options={"include_usage": True}
    )
    assert last.choices == [] and last.usage.total_tokens > 0


def test_the_prompt_is_repeated_if_wanted(openai_client):
    done = openai_client.completions.create(model="plain", prompt=ASK, echo=True)
    streamed = openai_client.completions.create(model="plain", prompt=ASK, echo=True, stream=True)
    assert (
        done.choices[0].text == "".join(chunk.choices[0].text for chunk in streamed) == f"{ASK}42"
    )


def test_an_answer_that_was_cut_says_so(openai_client):
    assert (
        openai_client.completions.create(model="long", prompt=ASK).choices[0].finish_reason
        == "length"
    )


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"suffix": "and then"}, "suffix"),
        ({"n": 2}, "n"),
        ({"best_of": 3}, "best_of"),
        ({"logprobs": 5}, "logprobs"),
    ],
)
def test_fields_without_a_meaning_here_are_refused_by_name(openai_client, options, param):
    with pytest.raises(openai.BadRequestError) as refused:
        openai_client.completions.create(**{"model": "plain", "prompt": ASK, **options})
    assert refused.value.param.startswith(param)


def test_a_model_that_fails_is_an_error(openai_client):
    with pytest.raises(openai.BadRequestError, match="it is broken"):
        openai_client.completions.create(model="broken", prompt=ASK)
    with pytest.raises(openai.APIError, match="it broke"):
        list(openai_client.completions.create(model="late-broken", prompt=ASK, stream=True))
