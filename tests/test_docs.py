"""The documents hold: their Python runs, the commands in them exist with the options they are given, and benchmarks start."""

import asyncio
import inspect
import re
import subprocess
import sys
import threading
from pathlib import Path

import documents
import pytest
from documents import ROOT, Command

from musespark.cli.app import app
from musespark.config import check_config

COMMANDS = tuple(documents.commands())
SHORT = {
    "benchmarks/budgets.py": ("--runs", "1"),
    "benchmarks/blas_threads.py": ("--rounds", "1"),
    "benchmarks/compare.py": (),
    "benchmarks/engine_threads.py": ("--prefix", "16", "--own", "2", "--rounds", "1"),
    "benchmarks/engine_vs_transformers.py": ("--batch", "2", "--tokens", "2", "--shared", "16"),
    "benchmarks/key_budgets.py": ("--seconds", "1"),
    "benchmarks/local_model.py": (
        "--rounds",
        "1",
        "--tokens",
        "3",
        "--agents",
        "2",
        "--facts",
        "1",
    ),
    "benchmarks/model_call.py": ("--calls", "2", "--rounds", "1"),
    "benchmarks/native_team.py": ("-n", "1", "--agents", "1"),
    "benchmarks/start_up.py": ("--runs", "1"),
    "benchmarks/store.py": ("--quick",),
    "benchmarks/team.py": ("--json",),
}
"""Benchmarks with the options that make them short."""
NOT_RUN = {
    "benchmarks/lengths.py": "needs recorded answers, which the repository does not hold",
    "benchmarks/page_load.py": "needs a browser",
    "benchmarks/peers/run.py": "installs other projects",
    "benchmarks/real_team.py": "needs a model server",
    "benchmarks/server_load.py": "takes minutes",
}


@pytest.mark.parametrize("page", [page for page in documents.PAGES if documents.blocks(page)])
def test_the_python_of_a_document_runs_in_order(page, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    (tmp_path / "config.toml").write_text("\n".join(documents.blocks(page, "toml")))
    monkeypatch.setenv("MUSE_CONFIG", str(tmp_path / "config.toml"))
    assert not check_config()
    before = threading.active_count()
    names: dict[str, object] = {}
    for block in documents.blocks(page):
        if not documents.needs_server(block):  # tests/server/test_docs.py runs those
            result = documents.execute(block, page, names)
            if inspect.iscoroutine(result):
                asyncio.run(result)
    assert threading.active_count() <= before + 1


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.words[0] == "muse"], ids=str)
def test_commands_of_muse_exist_with_their_options(command):
    from typer.main import get_command

    at = get_command(app)
    known = _options(at)
    for word in command.words[1:]:
        if word.startswith("-") or word not in getattr(at, "commands", {}):
            continue
        at = at.commands[word]
        known = _options(at)
    known |= {"-h", "--help"}
    assert set(command.options) <= known, (
        f"{command}: there is no {', '.join(sorted(set(command.options) - known))}"
    )
    subcommands = set(getattr(at, "commands", {}))
    rest = [word for word in command.words[1:] if not word.startswith("-")]
    assert not subcommands or not rest or set(rest) & set(get_command(app).commands), (
        f"{command}: there is no such command"
    )


def _options(command) -> set[str]:
    return {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if each.words[0] == "python"], ids=str
)
def test_benchmarks_exist_with_their_options(command):
    script = ROOT / command.words[1]
    assert script.is_file(), f"{command}: there is no such file"
    text = script.read_text("utf-8")
    for module in re.findall(r"^from (\w+) import|^import (\w+)$", text, re.M):
        beside = script.with_name(f"{module[0] or module[1]}.py")
        text += beside.read_text("utf-8") if beside.is_file() else ""
    assert not [option for option in command.options if f'"{option}"' not in text], (
        f"{command}: no such option"
    )


def test_every_benchmark_of_the_documents_is_run_or_excused():
    named = {command.words[1] for command in COMMANDS if command.words[0] == "python"}
    assert named <= set(SHORT) | set(NOT_RUN), named - set(SHORT) - set(NOT_RUN)
    assert not set(SHORT) & set(NOT_RUN)
    assert all((ROOT / script).is_file() for script in {*SHORT, *NOT_RUN})


@pytest.mark.parametrize("script", sorted(SHORT))
def test_benchmarks_run(script, tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / script), *SHORT[script]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and done.stdout.strip(), done.stderr


def test_targets_of_make_exist():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    wanted = {
        (command.page, word)
        for command in COMMANDS
        if command.words[0] == "make"
        for word in command.words[1:2]
        if re.fullmatch(r"[a-z][a-z-]*", word)
    }
    assert not {(page, word) for page, word in wanted if word not in targets}


def test_the_readme_is_read_in_a_few_minutes():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


def test_the_glossary_has_each_term_once():
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/glossary.md").read_text("utf-8"), re.M)[1:]
    terms = [term.strip().lower() for row in rows for term in row.split(",")]
    assert len(terms) > 40 and len(terms) == len(set(terms)), {
        term for term in terms if terms.count(term) > 1
    }


def test_the_reference_names_modules_that_exist():
    pages = [page.read_text("utf-8") for page in (ROOT / "docs/reference").glob("*.md")]
    named = [name for page in pages for name in re.findall(r"^::: (\S+)$", page, re.M)]
    paths = [ROOT / "src" / name.replace(".", "/") for name in named]
    assert named and not [
        path
        for path in paths
        if not (path.with_suffix(".py").is_file() or (path / "__init__.py").is_file())
    ]


def test_links_between_documents_lead_somewhere():
    broken = []
    for page in documents.PAGES:
        text = re.sub(r"```.*?```|`[^`\n]*`", "", (ROOT / page).read_text("utf-8"), flags=re.S)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target and not (ROOT / page).parent.joinpath(target).exists():
                broken.append(f"{page}: {target}")
    assert not broken, "\n".join(broken)


def test_files_that_documents_name_exist():
    missing = []
    files = {path.relative_to(ROOT).as_posix() for path in _tracked()}
    folders = {parent.as_posix() for name in files for parent in Path(name).parents}
    for page in documents.PAGES:
        if page == "CHANGELOG.md":  # it names files of earlier versions
            continue
        text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text("utf-8"), flags=re.M | re.S)
        for name in re.findall(r"`([\w./]+\.(?:py|tsx?|toml)|(?:\w+/)+)`", text):
            known, wanted = (folders, name.rstrip("/")) if name.endswith("/") else (files, name)
            if not any(f"/{each}".endswith(f"/{wanted}") for each in known):
                missing.append(f"{page}: {name}")
    assert not missing, "\n".join(missing)


def _tracked():
    folders = ("src", "tests", "benchmarks", "docs", "web/src", "web/test", "examples")
    yield from ROOT.glob("*.*")
    for folder in folders:
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('$ muse ask "one two" --agents 8', ("muse", "ask", "one two", "--agents", "8")),
        (
            "muse nano eval -n 1000               accuracy, threads",
            ("muse", "nano", "eval", "-n", "1000"),
        ),
        ("muse serve &", ("muse", "serve")),
        ("muse keys list   # all of them", ("muse", "keys", "list")),
        (
            "python benchmarks/team.py --soak              how long",
            ("python", "benchmarks/team.py", "--soak"),
        ),
    ],
)
def test_commands_are_told_from_what_is_said_of_them(line, words):
    assert documents._command("page", line) == Command("page", words)


def test_other_lines_are_no_commands():
    assert (
        documents._command("page", "muses on it") is None
        and documents._command("page", "pip install x") is None
    )
