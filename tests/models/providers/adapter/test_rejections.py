"""Failures as strangers read them: a context that is too long is a type of its own, and no address is told."""

import json

import pytest
from models.providers.kinds import KEY, KINDS
from models.providers.servers import Raw, serving

from musespark.content import Request
from musespark.errors import ContextExceeded, ModelFailed, MuseError
from musespark.models.providers.adapter.addresses import without_addresses

COMPATIBLE = next(kind for kind in KINDS if str(kind) == "openai-compatible")
TOO_LONG = {
    "openai": (400, {"message": "Too long.", "code": "context_length_exceeded"}),
    "vllm": (400, {"message": "This model's maximum context length is 8192 tokens."}),
    "llama.cpp": (400, {"message": "the request exceeds the available context size, try it"}),
    "llama.cpp's type": (400, {"message": "no", "type": "exceed_context_size_error"}),
    "anthropic": (400, {"message": "prompt is too long: 208310 tokens > 200000 maximum"}),
    "google": (400, {"message": "The input token count (1200000) exceeds the maximum number"}),
    "groq": (400, {"message": "Please reduce the length of the messages or completion."}),
    "bedrock": (400, {"message": "Input is too long for requested model."}),
    "mistral": (
        400,
        {"message": "Prompt has 40000 tokens, too large for a model of 32768 maximum"},
    ),
    "gateway": (413, {"message": "Request too large for model, limit of tokens 6000"}),
}
OTHER = {
    "key": (401, {"message": "the context length of your key"}),
    "tool": (400, {"message": "tools.0: unknown type"}),
    "picture": (400, {"message": "The image is too large: at most 5 MB."}),
    "maximum": (400, {"message": "max_tokens: must be at most 4096"}),
}


async def failure(kind, status, error, alias=None):
    body = Raw(json.dumps({"error": error}), status, (("content-type", "application/json"),))
    async with serving(kind.wire, body) as server:
        model = kind.at(server.url)
        model.alias = alias
        with pytest.raises(MuseError) as caught:
            async for _ in model.stream(Request.of("What?")):
                pass
        return caught.value, server.url


@pytest.mark.parametrize("name", TOO_LONG)
async def test_a_context_that_is_too_long_is_told_apart(name):
    status, error = TOO_LONG[name]
    raised, _ = await failure(COMPATIBLE, status, error)
    assert type(raised) is ContextExceeded and raised.status == status
    assert error["message"].rstrip(".") in str(raised) and "shorten" in str(raised)


@pytest.mark.parametrize("name", OTHER)
async def test_other_refusals_are_not_taken_for_it(name):
    raised, _ = await failure(COMPATIBLE, *OTHER[name])
    assert type(raised) is ModelFailed


SECRETS = ("127.0.0.1", "openai-compatible", "KEY", KEY, "http://")


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422, 429, 500, 503])
async def test_a_model_with_an_alias_tells_no_address_and_no_variable(status):
    said = {"message": "no: see http://10.1.2.3:8000/v1 on gpu-7:8000 or 10.1.2.3, at ratio 3:4"}
    raised, url = await failure(COMPATIBLE, status, said, alias="mine")
    assert "'mine'" in str(raised) and raised.status == status
    told = str(raised) + repr(vars(raised))
    assert not any(secret in told for secret in (*SECRETS, url, "10.1.2.3", "gpu-7:8000"))
    assert status == 402 or "at ratio 3:4" in told


async def test_a_server_that_cannot_be_reached_is_named_by_its_alias_alone():
    model = COMPATIBLE.at("http://127.0.0.1:9/v1")
    model.alias = "mine"
    with pytest.raises(ModelFailed) as caught:
        async for _ in model.stream(Request.of("What?")):
            pass
    assert "'mine'" in str(caught.value) and "its server" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_words_that_are_no_addresses_stay():
    address = "http://gpu-node.corp/v1"
    for text in (
        "the model qwen3:8b at 12:30, ratio 16:9, version 1.2.3",
        "see https://docs.example.com/errors#context",
    ):
        assert without_addresses(text, address) == text
    assert without_addresses("gpu-node.corp said no", address) == "its server said no"
    assert without_addresses("at http://localhost/x", address) == "at its server"
