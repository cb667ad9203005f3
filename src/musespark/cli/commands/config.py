"""`muse config`: path and values of the configuration; `muse config check`: its problems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import typer

from musespark.cli.help_format import HelpApp
from musespark.config import (
    Config,
    ConfigProblem,
    check_config,
    config_path,
    load_config,
    without_credentials,
)
from musespark.errors import MuseError

app = HelpApp(
    examples=(
        ("muse config", "the file, and what is in force"),
        ("muse config check", "everything that is wrong with it"),
    )
)

WRONG = 2


@app.callback(invoke_without_command=True)
def config(context: typer.Context) -> None:
    """Show the configuration and its path; `check` lists its problems."""
    if context.invoked_subcommand is not None:
        return
    path = config_path()
    found = load_config(path)
    print(f"{path}{'' if found.path else '  (not there: nothing is configured)'}", flush=True)
    for line in _in_force(found):
        print(line, flush=True)


@app.command(examples=(("muse config check", "exit code 2 if something is wrong"),))
def check() -> None:
    """List the problems of the configuration, a sentence each. Exit code 2 if there are any."""
    path = config_path()
    problems = check_config(path)
    if not problems:
        problems = list(_find_model_problems(load_config(path)))
    for problem in problems:
        print(f"{path}: {problem}", flush=True)
    if problems:
        raise typer.Exit(WRONG)
    print(
        f"{path}: nothing is wrong with it."
        if path.exists()
        else f"{path} is not there: nothing is configured.",
        flush=True,
    )


def _find_model_problems(found: Config) -> Iterator[ConfigProblem]:
    """Problems that only the model registry knows: unknown providers, incomplete names."""
    from musespark.models.registry import create_model

    roles = asdict(found.roles)
    named = [("models." + alias, alias) for alias in found.models]
    named += [
        (f"roles.{role}", name)
        for role, value in roles.items()
        for name in _as_names(value)
        if name not in found.models
    ]
    for where, name in named:
        try:
            create_model(name, found)
        except MuseError as error:
            yield ConfigProblem(None, where, str(error))


def _as_names(value: Any) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _in_force(found: Config) -> Iterator[str]:
    """The file's values as they were understood, in its own language."""
    for alias, entry in found.models.items():
        plain = {key: value for key, value in asdict(entry).items() if not isinstance(value, dict)}
        if entry.base_url is not None:
            plain["base_url"] = without_credentials(entry.base_url)
        yield from _table(f"models.{_key(alias)}", plain)
        for part in ("prices", "abilities"):
            yield from _table(f"models.{_key(alias)}.{part}", getattr(entry, part))
    yield from _table("roles", asdict(found.roles))
    yield from _table("team", asdict(found.team))


def _table(name: str, values: Any) -> Iterator[str]:
    lines = [
        f"{key} = {_value(value)}" for key, value in values.items() if value not in (None, (), [])
    ]
    if lines:
        yield from ("", f"[{name}]", *lines)


def _key(name: str) -> str:
    return f'"{name}"' if "." in name else name


def _value(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
