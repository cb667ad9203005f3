import subprocess
import sys
from pathlib import Path

import pytest

from musespark.config import Config, ModelConfig
from musespark.errors import BeyondModel, NotInstalled, UnknownModel
from musespark.models.fake import FakeModel
from musespark.models.providers.adapter import remote
from musespark.models.registry import LOCAL, MODELS, PROVIDERS, create_model, create_provider


def test_a_name_gives_a_model_and_its_argument():
    assert create_model("fake").name == "fake"
    assert isinstance(create_model("fake:hang"), FakeModel)


def test_each_call_gives_a_new_model():
    assert create_model("fake") is not create_model("fake")


@pytest.mark.parametrize("name", ["", "oracle", "Fake", "oracle:1"])
def test_an_unknown_name_lists_the_known(name):
    with pytest.raises(UnknownModel) as caught:
        create_model(name)
    assert all(known in str(caught.value) for known in (*MODELS, *LOCAL, *PROVIDERS))


def test_an_unknown_name_lists_the_aliases():
    with pytest.raises(UnknownModel, match="cheap"):
        create_model("dear", Config(models={"cheap": ModelConfig(model="nano")}))


@pytest.mark.parametrize("kind", sorted(PROVIDERS))
def test_every_kind_of_provider_is_where_the_table_says(kind):
    assert create_provider(kind).kind == kind
    at = "@http://127.0.0.1:1/v1" if kind == "openai-compatible" else ""
    model = create_model(f"{kind}:some-model{at}")
    assert model.name == f"{kind}:some-model{at}" and model.abilities.conversation


def test_an_alias_carries_everything_that_was_configured():
    entry = ModelConfig(
        model="vllm:qwen3-8b",
        base_url="http://127.0.0.1:9/v1/",
        key_env="MINE",
        timeout=3.0,
        temperature=0.4,
        prices={"prompt": 1.0, "written": 2.0},
        abilities={"pictures_in": True, "context": 9000},
    )
    model = create_model("mine", Config(models={"mine": entry}))
    assert isinstance(model, remote.RemoteModel)
    assert (model.name, model.address, model.key_variable, model.options.timeout) == (
        "vllm:qwen3-8b",
        "http://127.0.0.1:9/v1",
        "MINE",
        3.0,
    )
    can = model.abilities
    assert (can.pictures_in, can.context, can.usd_per_prompt_token, can.usd_per_token) == (
        True,
        9000,
        1e-6,
        2e-6,
    )
    assert model.options.sampling == {"temperature": 0.4}


def test_the_native_model_takes_no_options():
    assert create_model("mine", Config(models={"mine": ModelConfig(model="nano")})).name == "nano"
    with pytest.raises(BeyondModel, match="'nano' cannot take options"):
        create_model("mine", Config(models={"mine": ModelConfig(model="nano", temperature=1.0)}))


@pytest.mark.parametrize(
    ("variable", "value", "address"),
    [
        ("OLLAMA_HOST", "0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("OLLAMA_HOST", "http://gpu:1234", "http://gpu:1234/v1"),
        ("OLLAMA_BASE_URL", "http://gpu:1/v1", "http://gpu:1/v1"),
        ("NOTHING", "", "http://127.0.0.1:11434/v1"),
    ],
)
def test_the_environment_says_where_a_server_is(monkeypatch, variable, value, address):
    for name in ("OLLAMA_HOST", "OLLAMA_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert create_model("ollama:gemma3").address == address


def test_without_its_libraries_a_provider_says_what_to_install(monkeypatch):
    monkeypatch.setattr(
        remote, "find_spec", lambda name: None if name == "pydantic_ai" else object()
    )
    with pytest.raises(NotInstalled, match=r"pip install \"musespark\[providers\]\""):
        create_model("openai:gpt-5")


def test_no_provider_is_imported_before_one_is_asked_for():
    code = (
        "import sys, musespark.models.registry, musespark.cli.app, musespark.models.providers.adapter.remote;"
        "import musespark.models.local.gguf_model;"
        "print(*{'xllamacpp', 'pydantic_ai', 'openai', 'anthropic', 'httpx2', 'pydantic'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2] / "src",
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == ""
