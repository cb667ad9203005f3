"""Names of models: any that a client can send, and never an address or a key in anything that a client reads."""

import httpx
import pytest
from models.providers.servers import Raw, Say, serving

from musespark.config import Config, ModelConfig, Roles, load_config
from musespark.errors import BadConfig, UnknownModel
from musespark.server.resolve.model_catalog import ModelCatalog

from .conftest import live

NAMES = ("qwen3:8b", "org/model", "models/x", "a@b", "thinking/own", "größe", "m" * 256)
ASK = [{"role": "user", "content": "hi"}]


def write(tmp_path, name):
    file = tmp_path / "config.toml"
    file.write_text(f'[models."{name}"]\nmodel = "nano"\n[roles]\nexplorer = "{name}"\n', "utf-8")
    return load_config(file)


@pytest.mark.parametrize("name", NAMES)
async def test_a_configured_model_may_have_any_name(name):
    catalog = ModelCatalog(Config(models={name: ModelConfig(model="nano")}))
    assert catalog.split_mode(name) == (None, name)
    assert catalog.split_mode(f"contemplating/{name}") == ("contemplating", name)
    assert name in catalog.listed and (await catalog.describe(name))["models"] == [name]
    assert (await catalog.describe(f"contemplating/{name}"))["models"] == [name]
    assert (await catalog.named(name)).name == "nano"
    await catalog.aclose()


@pytest.mark.parametrize("name", ["qwen3:8b", "org/model", "models/x", "a@b"])
def test_the_configuration_takes_such_names(tmp_path, name):
    assert write(tmp_path, name).roles.explorer == (name,)


@pytest.mark.parametrize("name", ["instant", "contemplating", "a b", "m" * 257, ""])
def test_the_configuration_refuses_modes_spaces_and_what_is_too_long(tmp_path, name):
    with pytest.raises(BadConfig):
        write(tmp_path, name)


async def test_an_unknown_name_with_a_slash_is_unknown():
    with pytest.raises(UnknownModel):
        await ModelCatalog(Config()).named("org/model")


PAGES = ("/v1/models", "/v1/page", "/v1/runs", "/metrics", "/openapi.json")


async def test_nothing_that_a_client_reads_tells_where_a_model_is(monkeypatch, caplog):
    import asyncio

    monkeypatch.setenv("HOUSE_KEY", "sk-the-key-of-the-house")
    # The last reply of the house is one that has no such model.
    no = '{"error": {"message": "no, not %s"}}'
    replies = [
        Say("Answer: 42"),
        Say("Answer: 42"),
        Say("Answer: 42"),
        Raw(no % "here", 400, (("content-type", "application/json"),)),
        Raw("", 200, (("content-type", "text/event-stream"),)),
        Raw(no % "you", 401, (("content-type", "application/json"),)),
        Raw(no % "the model `inner-name`", 404, (("content-type", "application/json"),)),
    ]
    async with serving("chat", *replies) as backend:
        config = Config(
            models={
                "house/qwen3:8b": ModelConfig(
                    model="openai-compatible:inner-name",
                    base_url=backend.url,
                    key_env="HOUSE_KEY",
                ),
                "gone": ModelConfig(model="vllm:inner-name", base_url="http://127.0.0.1:9/v1"),
            },
            roles=Roles(explorer=("house/qwen3:8b",)),
        )

        def read():
            """Everything that a client can read."""
            with live(models={}, config=config) as server, httpx.Client(timeout=60) as client:
                texts = []
                for model in ("house/qwen3:8b", "contemplating", *["house/qwen3:8b"] * 4, "gone"):
                    body = {"model": model, "messages": ASK, "muse": {"budget": {"calls": 3}}}
                    reply = client.post(f"{server.url}/v1/chat/completions", json=body)
                    texts += [reply.text, str(reply.headers)]
                texts += [client.get(f"{server.url}{page}").text for page in PAGES]
                for run in client.get(f"{server.url}/v1/runs").json()["data"]:
                    for page in ("", "/export", "/events"):
                        texts.append(client.get(f"{server.url}/v1/runs/{run['id']}{page}").text)
                return texts

        texts = await asyncio.to_thread(read)
    assert any("house/qwen3:8b" in text for text in texts) and len(texts) > 20
    port = backend.url.rpartition(":")[2].partition("/")[0]
    secrets = ("sk-the-key", "openai-compatible", "inner-name", f":{port}", "127.0.0.1:9")
    for secret in secrets:
        found = [text for text in texts if secret in text]
        assert not found, (secret, found[0][:500])
