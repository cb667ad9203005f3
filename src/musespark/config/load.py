"""Finds, reads and checks a configuration file."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from musespark.config.problems import ConfigProblem, find_problems
from musespark.config.values import Config, ModelConfig, Roles, TeamConfig, TelemetryConfig
from musespark.errors import BadConfig

VARIABLE = "MUSE_CONFIG"
"""Environment variable that names another file."""


def config_path() -> Path:
    """Path of the file, which need not exist: $MUSE_CONFIG, else the platform's place for such files."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        home = Path(os.environ.get("APPDATA") or home_folder() / "AppData/Roaming")
    else:
        home = Path(os.environ.get("XDG_CONFIG_HOME") or home_folder() / ".config")
    return home / "musespark" / "config.toml"


def home_folder() -> Path:
    """The user's home directory; the root for a user without one, as containers have it."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def without_credentials(url: str) -> str:
    """A URL as it may be printed: without the name and the password in it."""
    return re.sub(r"(?<=://)[^/?#@]*@", "", url)


def load_config(path: Path | None = None) -> Config:
    """Load the configuration; a missing file is an empty one, unless $MUSE_CONFIG names it. Raises `BadConfig`."""
    path = path or config_path()
    text = _text(path)
    if text is None:
        return Config()
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(path, str(_syntax(text, error)).rstrip(".")) from None
    problems = list(find_problems(text, found))
    if problems:
        more = f"; muse config check lists {len(problems) - 1} more" if len(problems) > 1 else ""
        raise BadConfig(path, f"{str(problems[0]).rstrip('.')}{more}")
    return _config(path, found)


def check_config(path: Path | None = None) -> list[ConfigProblem]:
    """List the problems of a file that can be found without asking a model. Raises `BadConfig` if unreadable."""
    text = _text(path or config_path())
    if text is None:
        return []
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [_syntax(text, error)]
    return sorted(find_problems(text, found), key=lambda problem: problem.line or 0)


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8-sig")  # editors on Windows begin a file with a byte order mark
    except FileNotFoundError:
        if os.environ.get(VARIABLE):
            raise BadConfig(path, f"it does not exist, though {VARIABLE} names it") from None
        return None
    except UnicodeDecodeError:
        raise BadConfig(path, "it is not UTF-8 text") from None
    except OSError as error:
        raise BadConfig(path, error.strerror or str(error)) from None


def _syntax(text: str, error: tomllib.TOMLDecodeError) -> ConfigProblem:
    found = re.search(r"\(at line (\d+), column \d+\)", str(error))
    said = re.sub(r" \(at [^)]*\)", "", str(error))
    line = (
        int(found[1]) if found else max(1, len(text.splitlines()))
    )  # it says "at end of document" there
    return ConfigProblem(line, "", f"This is not TOML: {said[:1].lower()}{said[1:]}.")


def _config(path: Path, found: Mapping[str, Any]) -> Config:
    """The values of a file that has no problems."""
    models = {
        name: ModelConfig(**{**table, "stop": tuple(table.get("stop", ()))})
        for name, table in found.get("models", {}).items()
    }
    roles = dict(found.get("roles", {}))
    explorer = roles.pop("explorer", ())
    return Config(
        path=path,
        models=models,
        team=TeamConfig(**found.get("team", {})),
        telemetry=TelemetryConfig(**found.get("telemetry", {})),
        roles=Roles(
            explorer=(explorer,) if isinstance(explorer, str) else tuple(explorer), **roles
        ),
    )
