"""The configuration file: names for models, their roles in a team, and a team's defaults. docs/providers.md shows one.

It holds no keys: `key_env` names the environment variable that does.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from musespark.errors import BadConfig
from musespark.option_schema import SAMPLING_OPTIONS, TEAM_OPTIONS, OptionSpec

VARIABLE = "MUSE_CONFIG"
"""Environment variable that names another file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """A model under a configured name."""

    model: str
    """Provider and model, such as `openai:gpt-5`; or `nano`."""
    base_url: str | None = None
    key_env: str | None = None
    """Name of an environment variable, never a key."""
    timeout: float | None = None
    """Seconds without a byte after which a call has failed."""
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    effort: str | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    """US dollars per million tokens: `prompt` and `written`."""
    abilities: Mapping[str, Any] = field(default_factory=dict)
    """Abilities of the model that override what is known of it."""

    @property
    def sampling(self) -> dict[str, Any]:
        """Sampling options of a request that does not set them."""
        options = {
            option: getattr(self, option)
            for option in ("temperature", "top_p", "seed", "stop", "max_tokens", "effort")
        }
        return {option: value for option, value in options.items() if value not in (None, ())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Models by role; None leaves the role to the request."""

    explorer: tuple[str, ...] = ()
    """One model, or a mix from which agents are assigned in turn."""
    refiner: str | None = None
    judge: str | None = None
    merger: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamConfig:
    """A team's defaults; None leaves it to the command."""

    agents: int | None = None
    first: int | None = None
    """Number of agents in the first wave."""
    rounds: int | None = None
    aggregate: str | None = None
    deadline: float | None = None
    max_usd: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryConfig:
    """Export of spans (docs/telemetry.md)."""

    endpoint: str | None = None
    """Base URL of an OTLP collector; None leaves it to `OTEL_EXPORTER_OTLP_ENDPOINT`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole file; `Config()` is the configuration without one."""

    path: Path | None = None
    """The file it was read from; None without one."""
    models: Mapping[str, ModelConfig] = field(default_factory=dict)
    roles: Roles = field(default_factory=Roles)
    team: TeamConfig = field(default_factory=TeamConfig)
    telemetry: TelemetryConfig = field(default_factory=TelemetryConfig)


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """A problem of a file, in one sentence."""

    line: int | None
    where: str
    """Path of the field, such as `models.cheap.base_url`; empty for the whole file."""
    sentence: str

    def __str__(self) -> str:
        line = f"line {self.line}: " if self.line is not None else ""
        return f"{line}{self.where}: {self.sentence}" if self.where else f"{line}{self.sentence}"


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
    problems = list(_find_problems(text, found))
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
    return sorted(_find_problems(text, found), key=lambda problem: problem.line or 0)


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
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


# Rules of fields: a test of the value, and the valid values in words.

Rule: TypeAlias = tuple[Callable[[Any], bool], str]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(low: int, high: int) -> Rule:
    spec = OptionSpec(name="", kind="integer", help="", low=low, high=high)
    return spec.accepts, spec.wanted


def _texts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, str) and item for item in value)
    )


def _rules(specs: Mapping[str, OptionSpec]) -> dict[str, Rule]:
    return {name: (spec.accepts, spec.wanted) for name, spec in specs.items()}


_TEXT: Rule = (lambda value: isinstance(value, str) and bool(value.strip()), "a text")
_POSITIVE: Rule = (
    lambda value: _is_number(value) and 0 < value < float("inf"),
    "a number greater than 0",
)
_PRICE: Rule = (
    lambda value: _is_number(value) and 0 <= value < float("inf"),
    "US dollars per million tokens",
)
_URL: Rule = (
    lambda value: isinstance(value, str) and value.startswith(("http://", "https://")),
    "a URL that begins with http:// or https://",
)
_ENV: Rule = (
    lambda value: isinstance(value, str) and bool(re.fullmatch(r"[A-Z_][A-Z0-9_]*", value)),
    "the name of an environment variable, in capitals, and never the key itself",
)
_FLAG: Rule = (lambda value: isinstance(value, bool), "true or false")

FLAGS = (
    "pictures_in",
    "tools",
    "seed",
    "temperature",
    "top_p",
    "stop",
    "schema",
    "effort",
    "tool_choice",
)
"""Abilities that a file can override."""

MODEL_RULES: Mapping[str, Rule] = {
    "model": _TEXT,
    "base_url": _URL,
    "key_env": _ENV,
    "timeout": _POSITIVE,
    **_rules(SAMPLING_OPTIONS),
}
PRICE_RULES: Mapping[str, Rule] = {"prompt": _PRICE, "written": _PRICE}
ABILITY_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(FLAGS, _FLAG),
    "context": _whole(1, 10**9),
    "longest_side": _whole(64, 10**5),
}
ROLE_RULES: Mapping[str, Rule] = {
    "explorer": (
        lambda value: _TEXT[0](value) or _texts(value),
        "the name of a model, or a list of them",
    ),
    "refiner": (_TEXT[0], "the name of a model"),
    "judge": (_TEXT[0], "the name of a model"),
    "merger": (_TEXT[0], "the name of a model"),
}
TEAM_RULES: Mapping[str, Rule] = _rules(TEAM_OPTIONS)
TELEMETRY_RULES: Mapping[str, Rule] = {"endpoint": _URL}
_TABLES = ("models", "roles", "team", "telemetry")


def _find_problems(text: str, found: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    lines = _Lines(text)
    yield from _unknown(found, _TABLES, (), lines)
    for table in (name for name in _TABLES if name in found and not isinstance(found[name], dict)):
        yield lines.problem((table,), f"This must be a table; write [{table}].")
    models = found.get("models")
    for name, table in (models if isinstance(models, dict) else {}).items():
        yield from _model_problems(name, table, lines)
    for name, rules in (
        ("roles", ROLE_RULES),
        ("team", TEAM_RULES),
        ("telemetry", TELEMETRY_RULES),
    ):
        if isinstance(found.get(name), dict):
            yield from _checked(found[name], rules, (name,), lines)
    yield from _across(found, lines)


def _model_problems(name: str, table: Any, lines: _Lines) -> Iterator[ConfigProblem]:
    at = ("models", name)
    if not isinstance(table, dict):
        yield lines.problem(
            at, f'This must be a table; write [models.{name}] and under it model = "provider:name".'
        )
        return
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        yield lines.problem(
            at, "The name of a model has letters, digits, dots, dashes and underscores only."
        )
    inner = {"prices": PRICE_RULES, "abilities": ABILITY_RULES}
    yield from _checked(
        {key: value for key, value in table.items() if key not in inner},
        MODEL_RULES,
        at,
        lines,
        tuple(inner),
    )
    if "model" not in table:
        yield lines.problem(at, 'It does not name a model; add model = "provider:name".')
    for key, rules in inner.items():
        if key not in table:
            continue
        if not isinstance(table[key], dict):
            yield lines.problem((*at, key), f"This must be a table; write [models.{name}.{key}].")
            continue
        yield from _checked(table[key], rules, (*at, key), lines)
        if key == "prices" and set(table[key]) & set(rules) != set(rules):
            yield lines.problem((*at, key), "A price has two parts, prompt and written; give both.")


def _checked(
    table: Mapping[str, Any],
    rules: Mapping[str, Rule],
    at: tuple[str, ...],
    lines: _Lines,
    also: tuple[str, ...] = (),
) -> Iterator[ConfigProblem]:
    """Problems of one table: unknown fields, invalid values."""
    yield from _unknown(table, (*rules, *also), at, lines)
    for key, (fits, wanted) in rules.items():
        if key in table and not fits(table[key]):
            # The value may be a key by mistake: it is not shown.
            shown = "the value" if key == "key_env" else repr(table[key])
            yield lines.problem((*at, key), f"This must be {wanted}, not {shown}.")


def _unknown(
    table: Mapping[str, Any], known: tuple[str, ...], at: tuple[str, ...], lines: _Lines
) -> Iterator[ConfigProblem]:
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            instead = (
                f"perhaps you mean {close[0]!r}." if close else f"there are {', '.join(known)}."
            )
            yield lines.problem((*at, key), f"There is no such field; {instead}")


def _across(found: Mapping[str, Any], lines: _Lines) -> Iterator[ConfigProblem]:
    """Problems between two fields."""
    models = found.get("models")
    names = set(models) if isinstance(models, dict) else set()
    roles = found.get("roles")
    for role, value in (roles if isinstance(roles, dict) else {}).items():
        for name in value if isinstance(value, list) else [value]:
            if (
                role in ROLE_RULES
                and isinstance(name, str)
                and ":" not in name
                and name not in {*names, "nano", "fake"}
            ):
                close = difflib.get_close_matches(name, names, 1)
                instead = (
                    f"perhaps you mean {close[0]!r}."
                    if close
                    else f"add [models.{name}], or write provider:name."
                )
                yield lines.problem(("roles", role), f"There is no model {name!r}; {instead}")
    team = found.get("team")
    if isinstance(team, dict):
        agents, first = team.get("agents"), team.get("first")
        if isinstance(agents, int) and isinstance(first, int) and first > agents:
            yield lines.problem(
                ("team", "first"),
                f"The first wave cannot have {first} of {agents} agents; at most all of them.",
            )


class _Lines:
    """Line of each field, which `tomllib` does not report. Finds tables and keys that are written plainly, a line each."""

    def __init__(self, text: str) -> None:
        self._at: dict[tuple[str, ...], int] = {}
        table: tuple[str, ...] = ()
        for number, line in enumerate(text.splitlines(), 1):
            if header := re.match(r"\s*\[\[?([^\]]+)\]", line):
                table = _keys(header[1])
                self._note(table, number)
            elif key := re.match(
                r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""",
                line,
            ):
                self._note((*table, *_keys(key[1])), number)

    def _note(self, path: tuple[str, ...], number: int) -> None:
        for length in range(1, len(path) + 1):
            self._at.setdefault(path[:length], number)

    def problem(self, path: tuple[str, ...], sentence: str) -> ConfigProblem:
        """Make a problem of a field, with its line, or that of the nearest table around it."""
        line = next(
            (
                self._at[path[:length]]
                for length in range(len(path), 0, -1)
                if path[:length] in self._at
            ),
            None,
        )
        return ConfigProblem(line, ".".join(path), sentence)


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(
        key.strip().strip("\"'") for key in re.findall(r"""[\w-]+|"[^"]*"|'[^']*'""", dotted)
    )
