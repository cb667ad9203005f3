"""`muse models`: what is there, what it can do and costs."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from models.local.gguf_files import LLAMA, TEMPLATE_KEY, gguf

from musespark.cli.app import run
from musespark.cli.commands import models as models_command
from musespark.models.local import gguf_model
from musespark.models.local.model_file import PackagedModel
from musespark.models.providers.base import Provider
from musespark.models.registry import LOCAL, PROVIDERS, create_provider

SECRET = "sk-not-to-be-shown"


@pytest.fixture(autouse=True)
def nothing_configured(tmp_path, monkeypatch):
    """No keys, no servers where they usually are, and a configuration of the test's own."""
    for kind in PROVIDERS:
        provider = create_provider(kind)
        for variable in (*provider.key_variables, *provider.url_variables, "OLLAMA_HOST"):
            monkeypatch.delenv(variable, raising=False)
        if provider.is_local and provider.url_variables and kind != "openai-compatible":
            monkeypatch.setenv(provider.url_variables[0], "http://127.0.0.1:9/v1")
    file = tmp_path / "config.toml"
    file.write_text("")
    monkeypatch.setenv("MUSE_CONFIG", str(file))
    return file


@contextmanager
def serving(body: bytes, status: int = 200):
    """A server that says at /models what it serves."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/v1/models" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def listed(capsys) -> dict[str, dict]:
    assert run(["models", "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and SECRET not in out
    rows = json.loads(out)["models"]
    assert rows[0]["name"] == "nano"
    return {row["name"]: row for row in rows}


def test_the_native_model_is_first_and_free(capsys):
    rows = listed(capsys)
    nano = rows["nano"]
    assert (
        nano["ready"] and nano["usd_per_million"] == [0, 0] and "native_spawn" in nano["abilities"]
    )
    others = {
        name: row for name, row in rows.items() if name.partition(":")[0] not in ("nano", *LOCAL)
    }
    assert not any(row["ready"] for row in others.values())
    assert {name.partition(":")[0] for name in rows} == {"nano", *LOCAL, *PROVIDERS}


def test_files_in_this_process_are_listed_as_far_as_they_can_run(
    capsys, monkeypatch, tmp_path, nothing_configured
):
    small = tmp_path / "small.gguf"
    small.write_bytes(gguf({**LLAMA, TEMPLATE_KEY: "{{ tools }}{{ enable_thinking }}"}))
    nothing_configured.write_text(
        f'[models.small]\nmodel = "gguf:{small}"\n[models.gone]\nmodel = "gguf:{tmp_path}/none.gguf"\n'
    )
    monkeypatch.setattr(gguf_model, "find_spec", lambda name: object())
    monkeypatch.setattr(PackagedModel, "find", lambda self: small)
    rows = listed(capsys)
    for name in ("small", "gguf:smollm2"):
        row = rows[name]
        assert row["ready"] and row["usd_per_million"] == [0, 0] and row["context"] == 2048
        assert str(small) in row["why"] and {"tools", "schema", "effort"} <= set(row["abilities"])
        assert "pictures_in" not in row["abilities"]
    assert not rows["gone"]["ready"] and "it does not exist" in rows["gone"]["why"]
    monkeypatch.setattr(gguf_model, "find_spec", lambda name: None)
    monkeypatch.setattr(models_command, "find_spec", lambda name: None)
    rows = listed(capsys)
    assert not rows["gguf:smollm2"]["ready"]
    assert rows["gguf:FILE"]["why"] == 'pip install "musespark[local]"'


def test_a_key_makes_a_provider_ready(capsys, monkeypatch):
    assert listed(capsys)["anthropic:NAME"]["why"] == "set ANTHROPIC_API_KEY"
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    row = listed(capsys)["anthropic:NAME"]
    assert row["ready"] and row["why"] == "ANTHROPIC_API_KEY is set"


def test_what_is_configured_is_told_with_its_price_and_what_it_waits_for(
    capsys, nothing_configured
):
    nothing_configured.write_text(
        '[models.strong]\nmodel = "anthropic:claude-opus-5"\n[models.odd]\nmodel = "oracle:1"\n'
        '[models.own]\nmodel = "openai:unheard-of"\n'
    )
    rows = listed(capsys)
    strong = rows["strong"]
    assert (strong["model"], strong["ready"], strong["why"]) == (
        "anthropic:claude-opus-5",
        False,
        "set ANTHROPIC_API_KEY",
    )
    assert (
        strong["usd_per_million"][1] > strong["usd_per_million"][0] > 0
        and strong["context"] >= 200_000
    )
    assert {"pictures_in", "tools", "effort"} <= set(strong["abilities"]) and "seed" not in strong[
        "abilities"
    ]
    assert not rows["odd"]["ready"] and "no model 'oracle:1'" in rows["odd"]["why"]
    assert rows["own"]["usd_per_million"] is None


def test_what_a_local_server_serves_is_listed(capsys, monkeypatch, nothing_configured):
    with serving(b'{"data": [{"id": "qwen3-vl-8b"}, {"id": "tiny"}, {"nonsense": 1}]}') as url:
        monkeypatch.setenv("VLLM_BASE_URL", url)
        nothing_configured.write_text(
            '[models.here]\nmodel = "vllm:tiny"\n[models.gone]\nmodel = "vllm:other"\n'
        )
        rows = listed(capsys)
    assert (
        rows["vllm:qwen3-vl-8b"]["ready"] and "pictures_in" in rows["vllm:qwen3-vl-8b"]["abilities"]
    )
    assert rows["vllm:tiny"]["ready"] and "pictures_in" not in rows["vllm:tiny"]["abilities"]
    assert rows["here"]["ready"] and rows["here"]["usd_per_million"] == [0, 0]
    assert not rows["gone"]["ready"] and "does not serve it" in rows["gone"]["why"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"<html>hello</html>", 200), (b'{"data": 3}', 200), (b"{}", 500), (b"[]", 200)],
)
def test_something_else_that_listens_there_is_no_server(capsys, monkeypatch, body, status):
    with serving(body, status) as url:
        monkeypatch.setenv("OLLAMA_BASE_URL", url)
        rows = listed(capsys)
    assert not any(row["ready"] for name, row in rows.items() if name.startswith("ollama:"))


def test_only_this_machine_is_asked(capsys, monkeypatch):
    monkeypatch.setenv("VLLM_BASE_URL", "http://192.0.2.1:8000/v1")
    assert "no server answers" in listed(capsys)["vllm:NAME"]["why"]


def test_people_get_lines(capsys, monkeypatch, nothing_configured):
    nothing_configured.write_text('[models.strong]\nmodel = "anthropic:claude-opus-5"\n')
    assert run(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("+ nano") and lines[1].endswith("free")
    assert "- strong = anthropic:claude-opus-5  set ANTHROPIC_API_KEY" in lines
    assert any(
        "1,000,000 tokens · sees, tools" in line and "for a million tokens" in line
        for line in lines
    )


def test_every_provider_says_what_it_needs():
    for kind in PROVIDERS:
        provider = create_provider(kind)
        assert isinstance(provider, Provider) and provider.library and provider.key_variables
        assert provider.base_url is None or provider.base_url.startswith("http")
