"""`muse config` and `muse config check`."""

import tomllib

import pytest

from musespark.cli.app import run

WHOLE = (
    '[models.cheap]\nmodel = "openai:gpt-5-mini"\nstop = ["END"]\n[models."gpt-5.1"]\nmodel = "openai:gpt-5.1"\n'
    '[models."gpt-5.1".prices]\nprompt = 1.0\nwritten = 2.0\n[roles]\njudge = "cheap"\nexplorer = ["nano", "cheap"]\n'
    "[team]\nagents = 8\n"
)


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    path = tmp_path / "config.toml"
    monkeypatch.setenv("MUSE_CONFIG", str(path))
    return path


def said(capsys, *args: str) -> tuple[int, str, str]:
    code = run(["config", *args])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_it_shows_where_it_is_and_what_is_in_force(capsys, file):
    file.write_text(WHOLE)
    code, out, err = said(capsys)
    first, _, rest = out.partition("\n")
    assert (code, first, err) == (0, str(file), "")
    assert tomllib.loads(rest) == tomllib.loads(WHOLE)


def test_without_a_file_it_says_so(capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("MUSE_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    code, out, _ = said(capsys)
    assert code == 0 and "not there" in out and str(tmp_path) in out
    assert said(capsys, "check")[0] == 0


def test_a_file_with_nothing_wrong(capsys, file):
    file.write_text(WHOLE)
    assert said(capsys, "check") == (0, f"{file}: nothing is wrong with it.\n", "")


def test_everything_wrong_is_said_and_the_exit_code_is_2(capsys, file):
    file.write_text('[models.a]\nmodle = "nano"\n[team]\nagents = 0\n')
    code, out, _ = said(capsys, "check")
    lines = out.splitlines()
    assert (
        code == 2 and len(lines) == 3 and all(line.startswith(f"{file}: line ") for line in lines)
    )
    assert "perhaps you mean 'model'" in out
    code, out, err = said(capsys)
    assert (code, out) == (2, "") and "line 2" in err and err.count("\n") == 1


def test_what_only_the_models_can_tell_is_said_too(capsys, file):
    file.write_text(
        '[models.a]\nmodel = "opnai:gpt-5"\n[models.b]\nmodel = "openai:"\n[models.c]\nmodel = "nano"\nseed = 1\n'
        '[roles]\njudge = "oracle:9"\n'
    )
    code, out, _ = said(capsys, "check")
    assert code == 2 and [line.split(": ")[1] for line in out.splitlines()] == [
        "models.a",
        "models.b",
        "models.c",
        "roles.judge",
    ]


def test_a_file_that_was_named_and_is_not_there(capsys, file):
    for args in ((), ("check",)):
        code, _, err = said(capsys, *args)
        assert code == 2 and "does not exist" in err and err.count("\n") == 1


def test_a_password_in_an_address_is_not_printed(tmp_path, monkeypatch, capsys):
    from musespark.config import load_config
    from musespark.models.registry import create_model

    file = tmp_path / "config.toml"
    file.write_text(
        '[models.box]\nmodel = "openai-compatible:m"\nbase_url = "http://me:sesame@127.0.0.1:9/v1"\n'
    )
    monkeypatch.setenv("MUSE_CONFIG", str(file))
    for command in (["config"], ["config", "check"], ["models"]):
        run(command)
        printed = capsys.readouterr()
        assert "sesame" not in printed.out + printed.err
    model = create_model("box", load_config(file))
    assert "sesame" not in f"{model.name} {model!r}" and "sesame" in model.address
