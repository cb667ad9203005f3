"""Embeddings, passed on to a model's server, through OpenAI's own client."""

import openai
import pytest
from clients.upstream import upstream
from server.conftest import live

from musespark.budget import Budget, Limits
from musespark.config import Config, ModelConfig
from musespark.server.state import Caller


@pytest.fixture
def backend():
    """The scripted model's server, which embeds a text as its length and 1."""
    with upstream() as address:
        yield address


def configured(address, **options):
    """A configuration with one model for embeddings."""
    entry = ModelConfig(model="openai-compatible:small", base_url=address, **options)
    return Config(models={"embedder": entry})


def test_texts_are_embedded_by_the_backend(backend):
    with (
        live({}, configured(backend)) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
    ):
        found = client.embeddings.create(
            model="embedder", input=["a", "bcd"], encoding_format="float"
        )
        assert [each.embedding for each in found.data] == [[1.0, 1.0], [3.0, 1.0]]
        assert found.model == "embedder" and found.usage.total_tokens == 2
        with pytest.raises(openai.BadRequestError, match="cannot embed texts"):
            client.embeddings.create(model="nano", input="a")
        with pytest.raises(openai.NotFoundError):
            client.embeddings.create(model="nothing", input="a")
        with pytest.raises(openai.BadRequestError, match="input"):
            client.embeddings.create(model="embedder", input=[])


def test_a_backend_that_fails_is_an_error():
    with (
        live({}, configured("http://127.0.0.1:9/v1")) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
        pytest.raises(openai.InternalServerError, match="cannot be reached"),
    ):
        client.embeddings.create(model="embedder", input="a")


def test_an_error_tells_no_address_of_the_backend():
    with (
        live({}, configured("http://sesame:hidden@127.0.0.1:9/v1")) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
        pytest.raises(openai.InternalServerError) as failed,
    ):
        client.embeddings.create(model="embedder", input="a")
    assert "embedder" in str(failed.value)
    assert not {"sesame", "hidden", "127.0.0.1"} & set(str(failed.value).replace(":", " ").split())
    assert "hidden" not in str(failed.value)


def test_they_draw_from_the_budget_of_the_caller(backend):
    budget = Budget(Limits(tokens=3, calls=2))

    async def authenticate(http):
        return Caller("someone", budget)

    with (
        live({}, configured(backend), authenticate=authenticate) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
    ):
        client.embeddings.create(model="embedder", input="a")
        assert (budget.spent.tokens, budget.spent.calls) == (1, 1)
        with pytest.raises(openai.RateLimitError):
            client.embeddings.create(model="embedder", input="many words " * 20)
        assert (budget.spent.tokens, budget.spent.calls) == (1, 1)


@pytest.mark.parametrize("count", ["100000000000000000", "1e308", "-7", "true", '"many"', "[3]"])
def test_a_count_that_cannot_be_is_booked_as_it_was_estimated(backend, count):
    budget = Budget(Limits(tokens=1000))

    async def authenticate(http):
        return Caller("someone", budget)

    with (
        live({}, configured(backend), authenticate=authenticate) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
    ):
        client.embeddings.create(model="embedder", input=f"Count {count}")
        assert 1 < budget.spent.tokens < 30
        client.embeddings.create(model="embedder", input="Count 12")
        assert 12 < budget.spent.tokens < 42
