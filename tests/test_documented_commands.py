"""Every command of `muse` and target of make that a document names runs in its shortest form, or there is a reason why not."""

import json

import documents
import pytest
from typer.main import get_command

from musespark.cli.app import app, run

SUM = "Use 86, 50 and 38 to make 74."
SHORT = {
    "muse": ("--help",),
    "muse ask": (SUM,),
    "muse calibrate": ("labels.jsonl", "--model", "nano", "--store", "votes.db"),
    "muse chat": ("--help",),
    "muse config": (),
    "muse config check": (),
    "muse eval answers": ("-n", "0", "--no-others", "--no-mistakes"),
    "muse help": ("ask",),
    "muse keys": ("--help",),
    "muse keys create": ("ann", "--store", "runs.db"),
    "muse keys change": ("ann", "--expires", "30d", "--store", "runs.db"),
    "muse keys list": ("--store", "runs.db"),
    "muse keys rotate": ("ann", "--store", "runs.db"),
    "muse keys revoke": ("ann", "--store", "runs.db"),
    "muse models": (),
    "muse nano eval": "-n 1 --task countdown-3 --mode instant --no-ablate --jobs 1 --out eval".split(),
    "muse nano export": ("exported",),
    "muse nano outside": ("-n", "1", "--verifiers"),
    "muse nano tasks": (),
    "muse store": ("--help",),
    "muse store backup": ("copy.db", "--store", "runs.db"),
    "muse store check": ("--store", "runs.db"),
    "muse store restore": ("copy.db", "--store", "runs.db"),
    "muse store vacuum": ("--store", "runs.db"),
}
"""Arguments that make each command short."""
NOT_RUN = {
    "muse eval grounding": "renders pages in a browser; tests/evals renders and measures them",
    "muse eval recorded": "needs recorded answers; tests/cli/commands/test_eval.py runs it on a few made-up ones",
    "muse nano train": "needs torch; tests/cli/commands/test_nano_train.py",
    "muse serve": "runs until it is stopped; tests/cli/commands/test_serve.py",
    "make check": "runs this test",
    "make demo": "installs the package; its commands are those of `muse ask`",
    "make docs": "installs mkdocs",
    "make lock": "resolves dependencies over the network",
    "make page": "needs Node; tests/page/test_built.py compares its result with the sources",
    "make page-test": "needs Node",
    "make screenshots": "draws pages in a browser",
    "make test": "runs this test",
    "make test-clients": "installs other programs",
}
"""Commands that no test runs as they stand, with the reason."""


def _named() -> set[str]:
    found = set()
    for command in documents.commands():
        if command.words[0] == "make":
            found |= {" ".join(command.words[:2])} if len(command.words) > 1 else set()
        if command.words[0] == "muse":
            at, path = get_command(app), ["muse"]
            for word in command.words[1:]:
                if word in getattr(at, "commands", {}):
                    at = at.commands[word]
                    path.append(word)
            found.add(" ".join(path))
    return {each for each in found if "=" not in each}


def test_every_documented_command_is_run_or_excused():
    assert _named() == {*SHORT, *NOT_RUN} and not SHORT.keys() & NOT_RUN.keys()


@pytest.mark.parametrize("command", SHORT)
def test_a_documented_command_runs(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("MUSE_CONFIG", raising=False)
    (tmp_path / "labels.jsonl").write_text(json.dumps({"question": SUM, "answer": "86+38-50"}))
    if command.startswith(("muse keys ", "muse store ")) and command != "muse keys create":
        assert run(["keys", "create", *SHORT["muse keys create"]]) == 0
    if command == "muse store restore":
        assert run(["store", "backup", *SHORT["muse store backup"]]) == 0
    code = run([*command.split()[1:], *SHORT[command]])
    printed = capsys.readouterr()
    assert code == 0 and printed.out.strip(), printed.err
