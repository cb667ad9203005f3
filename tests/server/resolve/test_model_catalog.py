"""The models of a server: told of without more than it takes, and made while others are served."""

import asyncio
import json
import subprocess
import sys
import threading
from contextlib import asynccontextmanager

import httpx
import pytest
from server.conftest import ABLE, says

from musespark.config import Config, ModelConfig, Roles
from musespark.errors import MissingKey, UnknownModel
from musespark.models.fake import FakeModel
from musespark.server.app import make_app
from musespark.server.resolve import model_catalog as models_module
from musespark.server.resolve.model_catalog import ModelCatalog

FOUR = {
    "a": "openai:gpt-5",
    "b": "anthropic:claude-opus-4-5",
    "c": "google:gemini-2.5-pro",
    "d": "mistral:mistral-large-latest",
}
KEYS = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GOOGLE_API_KEY",
    "GEMINI_API_KEY",
    "MISTRAL_API_KEY",
)
LISTS = """
import asyncio, httpx, json, sys
from musespark.config import Config, ModelConfig
from musespark.server.app import make_app

async def listed():
    config = Config(models={name: ModelConfig(model=model) for name, model in json.loads(sys.argv[1]).items()})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(make_app(config)), base_url="http://127.0.0.1") as http:
        return (await http.get("/v1/models")).json()["data"]

ready = {model["id"]: model["muse"]["ready"] for model in asyncio.run(listed())}
print(json.dumps([ready, [library for library in ("openai", "anthropic", "google.genai", "mistralai") if library in sys.modules]]))
"""


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)


@pytest.mark.parametrize(
    ("keys", "imported"), [({}, []), ({"MISTRAL_API_KEY": "sesame"}, ["mistralai"])]
)
def test_the_list_imports_the_libraries_of_those_who_can_be_asked_alone(
    monkeypatch, keys, imported
):
    for key, value in keys.items():
        monkeypatch.setenv(key, value)
    done = subprocess.run(
        [sys.executable, "-c", LISTS, json.dumps(FOUR)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    ready, libraries = json.loads(done.stdout)
    assert libraries == imported
    assert {name for name in FOUR if ready[name]} == {
        name for name in FOUR if keys and name == "d"
    } and ready["nano"]


@pytest.fixture
def slow_import(monkeypatch):
    """Making a provider's model takes until the event is set; yields that, and what was begun."""
    go_on, begun = threading.Event(), []

    def made(name, config):
        begun.append(name)
        if name != "nano":
            assert go_on.wait(30)
        return FakeModel(says("42"), name=name, abilities=ABLE)

    monkeypatch.setattr(models_module, "create_model", made)
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    yield go_on, begun
    go_on.set()


async def test_others_are_answered_while_a_library_is_imported(slow_import):
    go_on, begun = slow_import
    config = Config(models={"a": ModelConfig(model=FOUR["a"])}, roles=Roles(explorer=("plain",)))
    app = make_app(config, models={"plain": FakeModel(says("42"), name="plain", abilities=ABLE)})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", timeout=30
    ) as http:
        listing = asyncio.create_task(http.get("/v1/models"))
        while "a" not in begun:
            await asyncio.sleep(0.01)
        for model in ("plain", "nano", "thinking"):
            body = {"model": model, "messages": [{"role": "user", "content": "What is 6 * 7?"}]}
            assert (await http.post("/v1/chat/completions", json=body)).json()["choices"][0][
                "message"
            ]["content"] == "42"
        assert not listing.done()
        go_on.set()
        assert {model["id"] for model in (await listing).json()["data"]} > {"a", "thinking/a"}


async def test_who_leaves_while_a_library_is_imported_starts_no_second_import(slow_import):
    go_on, begun = slow_import
    models = ModelCatalog(
        Config(
            models={"a": ModelConfig(model=FOUR["a"]), "other": ModelConfig(model="openai:gpt-4o")}
        )
    )
    first = asyncio.create_task(models.named("a"))
    while not begun:
        await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.wait([first])
    again, other = (
        asyncio.create_task(models.named("a")),
        asyncio.create_task(models.named("other")),
    )
    await asyncio.sleep(0.05)
    assert begun == ["a"]
    go_on.set()
    assert (await again).name == "a" and (await other).name == "other" and begun == ["a", "other"]
    await models.aclose()


async def test_what_cannot_be_asked_is_not_made(slow_import):
    _, begun = slow_import
    models = ModelCatalog(Config(models=dict(b=ModelConfig(model=FOUR["b"]))))
    with pytest.raises(MissingKey, match="ANTHROPIC_API_KEY"):
        await models.named("b")
    with pytest.raises(UnknownModel):
        await models.named("nobody")
    assert begun == []


async def test_a_client_names_a_packaged_file_and_no_other(monkeypatch):
    monkeypatch.setattr(models_module, "create_model", lambda name, config: FakeModel(name=name))
    catalog = ModelCatalog(Config(models={"own": ModelConfig(model="gguf:/data/own.gguf")}))
    for name in ("gguf:smollm2", "own"):
        assert (await catalog.named(name)).name == name
    for name in ("gguf:/etc/passwd", "gguf:", "gguf:smollm2@http://127.0.0.1:1"):
        with pytest.raises(UnknownModel):
            await catalog.named(name)


async def test_files_with_a_role_are_loaded_before_the_first_request(monkeypatch):
    opened = []

    class Opened(FakeModel):
        @asynccontextmanager
        async def open(self):
            opened.append(self.name)
            yield self

    monkeypatch.setattr(models_module, "create_model", lambda name, config: Opened(name=name))
    models = {name: ModelConfig(model=f"gguf:{name}.gguf") for name in ("asked", "judge", "idle")}
    models["hosted"] = ModelConfig(model="vllm:x")
    roles = Roles(explorer=("asked", "hosted"), judge="judge")
    catalog = ModelCatalog(Config(models=models, roles=roles))
    await catalog.warm_up()
    assert opened == ["asked", "judge"]
    await catalog.aclose()


async def test_a_model_made_by_an_earlier_configuration_serves_no_later_request(monkeypatch):
    go_on, begun = threading.Event(), threading.Event()

    def made(name, config):
        model = config.models[name].model
        if model == "vllm:old":
            begun.set()
            assert go_on.wait(30)
        return FakeModel(name=model)

    monkeypatch.setattr(models_module, "create_model", made)
    old, new = (
        Config(models={"one": ModelConfig(model=name)}) for name in ("vllm:old", "ollama:new")
    )
    catalog = ModelCatalog(old)
    before = asyncio.create_task(catalog.named("one"))
    assert await asyncio.to_thread(begun.wait, 30)
    catalog.reload(new)
    after = asyncio.create_task(catalog.named("one"))
    await asyncio.sleep(0)
    go_on.set()
    assert (await before).name == "vllm:old"
    assert (await after).name == (await catalog.named("one")).name == "ollama:new"
    await catalog.aclose()
