"""Help and errors of the parser, as people expect them: groups, examples, suggestions, completion."""

import os
import subprocess
import sys

import pytest
from terminal import SOURCES
from typer.main import get_command

from musespark.cli.app import app, run
from musespark.option_schema import APPROACHES, QUESTION_OPTIONS, TOOLS
from musespark.reasoning.team.approaches import APPROACHES as KNOWN_APPROACHES
from musespark.tools.registry import LOOK, SPAWN, TOOLS as KNOWN_TOOLS


def commands(command=None, path=()):
    """Every command and group, with its path."""
    command = command or get_command(app)
    yield path, command
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, (*path, name))


PATHS = [path for path, _ in commands()]


def said(capsys, *args: str) -> tuple[int, str, str]:
    code = run(list(args))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_help_has_an_example_of_its_own_command(capsys, path):
    code, out, err = said(capsys, *path, "--help")
    examples = [line.strip() for line in out.partition("\nExamples:\n")[2].splitlines()]
    assert (code, err) == (0, "")
    assert any(" ".join(("muse", *path)) in line for line in examples)
    if path and path != ("help",):
        assert said(capsys, "help", *path)[1] == out


def test_options_stand_in_their_groups(capsys):
    out = said(capsys, "ask", "--help")[1]
    headings = [
        line[:-1] for line in out.splitlines() if line and line[0] != " " and line[-1] == ":"
    ]
    assert headings == [
        *("Arguments", "Question", "Model", "Team", "Limits", "Output", "Options", "Examples")
    ]
    for spec in QUESTION_OPTIONS.values():
        assert spec.command_line in out.partition(f"\n{spec.group}:\n")[2].partition("\n\n")[0]
        assert all(choice in out for choice in spec.choices)


def test_the_schema_lists_what_there_is():
    assert set(TOOLS) == {*KNOWN_TOOLS, SPAWN, LOOK} and set(APPROACHES) == set(KNOWN_APPROACHES)


def test_the_version_has_a_short_form(capsys):
    assert said(capsys, "-V") == said(capsys, "--version")


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (["asc", "?"], "'ask'"),
        (["keys", "revke"], "'revoke'"),
        (["help", "nano", "trian"], "'train'"),
        (["ask", "?", "--mdoe", "instant"], "--mode"),
        (["ask", "?", "-model", "fake"], "--model"),
        (["ask", "?", "--mode", "thinkin"], "'thinking'"),
        (["ask", "?", "--model", "Nanno"], "'nano'"),
        (["ask", "?", "--tools", "looks"], "'look'"),
        (["ask", "?", "--effort", "hihg"], "'high'"),
        (["ask", "?", "--aggregate", "votes"], "'vote'"),
        (["ask", "?", "--approach", "step-by-step"], "'step by step'"),
        (["nano", "eval", "--task", "mazes"], "'maze'"),
        (["eval", "grounding", "--part", "tests"], "'test'"),
    ],
    ids=str,
)
def test_the_name_that_was_meant_is_suggested(capsys, args, meant):
    code, out, err = said(capsys, *args)
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert f"(did you mean {meant}?)" in err


@pytest.mark.parametrize(
    ("args", "flag"),
    [
        (["--first", "0"], "--first"),
        (["--agents", "65"], "--agents"),
        (["--rounds", "9"], "--rounds"),
        (["--threads", "0"], "--threads"),
        (["--seed", "-1"], "--seed"),
        (["--temperature", "3"], "--temperature"),
        (["--deadline", "-1"], "--deadline"),
        (["--max-tokens", "0"], "--max-tokens"),
        (["--max-usd", "nan"], "--max-usd"),
        (["--agents", "3", "--mode", "instant"], "--agents"),
        (["--first", "3", "--mode", "thinking"], "--first"),
        (["--kind", " "], "--kind"),
        (["--output", ""], "--output"),
        (["--save-images", ""], "--save-images"),
        ([word for _ in range(17) for word in ("--image", "dot.png")], "--image"),
    ],
    ids=str,
)
def test_an_error_names_the_flag_that_was_typed(capsys, monkeypatch, tmp_path, args, flag):
    from musespark.models.fake import DOT

    (tmp_path / "dot.png").write_bytes(DOT)
    monkeypatch.chdir(tmp_path)
    code, out, err = said(capsys, "ask", "?", "--model", "fake", *args)
    assert (code, out) == (2, "") and err.startswith(f"{flag} cannot be ") and err.count("\n") == 1


def test_a_number_in_words_and_a_question_without_quotes(capsys):
    assert "it must be a whole number" in said(capsys, "ask", "?", "--threads", "many")[2]
    assert "in quotes" in said(capsys, "ask", "How", "much?")[2]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("muse as", {"ask"}),
        ("muse ask --mode ", {"instant", "thinking", "contemplating"}),
        ("muse ask ? --model o", {"openai:", "ollama:", "openai-responses:", "openai-compatible:"}),
        ("muse ask ? --judge my", {"my-model"}),
        ("muse ask --tools z", {"zoom"}),
        ("muse chat --save", set()),
        ("muse help nano t", {"tasks", "train"}),
        ("muse keys ", {"create", "change", "list", "revoke", "rotate"}),
    ],
)
def test_a_shell_completes(line, wanted, monkeypatch, tmp_path, capsys):
    (tmp_path / "config.toml").write_text('[models.my-model]\nmodel = "nano"\n')
    monkeypatch.setenv("MUSE_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("_MUSE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - (not line.endswith(" "))))
    with pytest.raises(SystemExit) as left:
        run([])
    assert not left.value.code and set(capsys.readouterr().out.split()) == wanted


def test_completion_is_installed_for_the_shell_that_asks(tmp_path):
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{sys.executable} -m musespark --install-completion; true"],
        env={**os.environ, "PYTHONPATH": SOURCES, "HOME": str(tmp_path), "SHELL": "/bin/bash"},
        capture_output=True,
        text=True,
    )
    assert "completion installed" in done.stdout and done.stderr == ""
    assert "_MUSE_COMPLETE" in (tmp_path / ".bash_completions" / "muse.sh").read_text()
