"""docs/providers.md holds: its configuration, its table of names, and its provider of one's own."""

import re
from pathlib import Path

import pytest
from models.providers.servers import Say, serving

from musespark.config import check_config, load_config
from musespark.content import Request
from musespark.errors import BeyondModel, MissingKey
from musespark.models.providers.anthropic import BUDGETS
from musespark.models.registry import LOCAL, MODELS, PROVIDERS, create_model, create_provider

DOC = (Path(__file__).parents[3] / "docs" / "providers.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)


def test_the_configuration_has_nothing_wrong_and_means_what_it_says(tmp_path, monkeypatch):
    file = tmp_path / "config.toml"
    file.write_text("\n".join(blocks("toml")))
    monkeypatch.setenv("MUSE_CONFIG", str(file))
    assert check_config() == []
    config = load_config()
    names: dict[str, object] = {}
    exec(blocks("python")[0], names)  # noqa: S102 the page's own example
    assert names["model"].name == config.models["house"].model
    assert all(create_model(name, config) for name in (*config.roles.explorer, config.roles.judge))


def test_the_table_of_names_is_complete_and_true():
    rows = {
        row[0].strip(" `").partition(":")[0]: row
        for row in (
            line.strip("|").split("|")
            for line in DOC.splitlines()
            if re.match(r"\| `[\w-]+(:\S+)?` \|", line)
        )
    }
    assert set(rows) == {*PROVIDERS, *MODELS, *LOCAL} - {"fake"}
    for kind in PROVIDERS:
        provider = create_provider(kind)
        assert all(variable in rows[kind][2] for variable in provider.key_variables)
        assert kind == "openai-compatible" or all(
            variable in rows[kind][3] for variable in provider.url_variables
        )


def test_the_tokens_of_effort_are_those_of_the_table():
    for effort, tokens in BUDGETS.items():
        row = next(line for line in DOC.splitlines() if line.startswith(f"| {effort} |"))
        assert f" {tokens:,} " in row


async def test_a_provider_of_ones_own_is_one_file_and_one_line(tmp_path, monkeypatch):
    (tmp_path / "acme.py").write_text(blocks("python")[1])
    monkeypatch.syspath_prepend(tmp_path)
    name, place = re.findall(r'"([\w:]+)"', blocks("text")[-1])
    monkeypatch.setitem(PROVIDERS, name, place)
    monkeypatch.setenv("ACME_API_KEY", "secret")
    async with serving("chat", Say("Hello")) as server:
        monkeypatch.setenv("ACME_BASE_URL", server.url)
        model = create_model("acme:road-runner")
        deltas = [delta async for delta in model.stream(Request.of("Hi"))]
    assert (
        deltas[-1].message.text == "Hello" and model.abilities.temperature and model.price is None
    )
    with pytest.raises(BeyondModel, match="seed"):
        await anext(model.stream(Request.of("Hi", seed=1)))
    monkeypatch.delenv("ACME_API_KEY")
    with pytest.raises(MissingKey, match="ACME_API_KEY"):
        await anext(model.stream(Request.of("Hi")))
