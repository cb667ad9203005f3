"""Problems of a configuration file, each in one sentence with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from musespark.config.rules import (
    ABILITY_RULES,
    LOCAL_FIELDS,
    LOCAL_KIND,
    MAX_NAME,
    MODEL_RULES,
    PRICE_RULES,
    REMOTE_FIELDS,
    ROLE_RULES,
    TEAM_RULES,
    TELEMETRY_RULES,
    Rule,
)
from musespark.config.toml_lines import TomlLines
from musespark.content import Mode

_NAME = re.compile(r"[^\s\x00-\x1f\x7f]+")
_TABLES = ("models", "roles", "team", "telemetry")


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


def find_problems(text: str, found: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    """Find the problems of a file: its text, and the tables that were read from it."""
    lines = TomlLines(text)
    yield from _unknown(found, _TABLES, (), lines)
    for table in (name for name in _TABLES if name in found and not isinstance(found[name], dict)):
        yield _problem(lines, (table,), f"This must be a table; write [{table}].")
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


def _model_problems(name: str, table: Any, lines: TomlLines) -> Iterator[ConfigProblem]:
    at = ("models", name)
    if not isinstance(table, dict):
        yield _problem(
            lines,
            at,
            f'This must be a table; write [models.{name}] and under it model = "provider:name".',
        )
        return
    if name in list(Mode) or len(name) > MAX_NAME or not _NAME.fullmatch(name):
        yield _problem(
            lines,
            at,
            "The name of a model is no mode, has no spaces and no control characters, and at most "
            f"{MAX_NAME} characters.",
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
        yield _problem(lines, at, 'It does not name a model; add model = "provider:name".')
    yield from _misplaced(table, at, lines)
    for key, rules in inner.items():
        if key not in table:
            continue
        if not isinstance(table[key], dict):
            yield _problem(lines, (*at, key), f"This must be a table; write [models.{name}.{key}].")
            continue
        yield from _checked(table[key], rules, (*at, key), lines)
        if key == "prices" and set(table[key]) & set(rules) != set(rules):
            yield _problem(
                lines, (*at, key), "A price has two parts, prompt and written; give both."
            )


def _misplaced(
    table: Mapping[str, Any], at: tuple[str, ...], lines: TomlLines
) -> Iterator[ConfigProblem]:
    """Problems of fields that belong to another kind of model."""
    is_local = str(table.get("model", "")).partition(":")[0] == LOCAL_KIND
    where = "a server" if is_local else f"this process ({LOCAL_KIND}:FILE)"
    for key in REMOTE_FIELDS if is_local else LOCAL_FIELDS:
        if key in table and "model" in table:
            yield _problem(lines, (*at, key), f"Only models of {where} take it; leave it out.")


def _checked(
    table: Mapping[str, Any],
    rules: Mapping[str, Rule],
    at: tuple[str, ...],
    lines: TomlLines,
    also: tuple[str, ...] = (),
) -> Iterator[ConfigProblem]:
    """Problems of one table: unknown fields, invalid values."""
    yield from _unknown(table, (*rules, *also), at, lines)
    for key, (fits, wanted) in rules.items():
        if key in table and not fits(table[key]):
            # The value may be a key by mistake: it is not shown.
            shown = "the value" if key == "key_env" else repr(table[key])
            yield _problem(lines, (*at, key), f"This must be {wanted}, not {shown}.")


def _unknown(
    table: Mapping[str, Any], known: tuple[str, ...], at: tuple[str, ...], lines: TomlLines
) -> Iterator[ConfigProblem]:
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            instead = (
                f"perhaps you mean {close[0]!r}." if close else f"there are {', '.join(known)}."
            )
            yield _problem(lines, (*at, key), f"There is no such field; {instead}")


def _across(found: Mapping[str, Any], lines: TomlLines) -> Iterator[ConfigProblem]:
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
                yield _problem(lines, ("roles", role), f"There is no model {name!r}; {instead}")
    team = found.get("team")
    if isinstance(team, dict):
        agents, first = team.get("agents"), team.get("first")
        if isinstance(agents, int) and isinstance(first, int) and first > agents:
            yield _problem(
                lines,
                ("team", "first"),
                f"The first wave cannot have {first} of {agents} agents; at most all of them.",
            )


def _problem(lines: TomlLines, path: tuple[str, ...], sentence: str) -> ConfigProblem:
    return ConfigProblem(lines.line(path), ".".join(path), sentence)
