"""Checks of the arguments of `ask`: each mistake is one sentence, told before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from os import PathLike
from typing import Any, TypeAlias

from musespark.budget import Budget, Limits
from musespark.config import Config
from musespark.errors import BadOption
from musespark.reasoning.team.team import Team

_Rule: TypeAlias = tuple[Callable[[Any], bool], str]
"""A test of a value, and the valid values in words."""
_LIMITS = "budget=musespark.Limits({}=...)"
_ELSEWHERE = {
    "deadline": _LIMITS.format("seconds"),
    "timeout": _LIMITS.format("seconds"),
    "seconds": _LIMITS.format("seconds"),
    "max_seconds": _LIMITS.format("seconds"),
    "max_usd": _LIMITS.format("usd"),
    "usd": _LIMITS.format("usd"),
    "max_calls": _LIMITS.format("calls"),
    "tokens": _LIMITS.format("tokens"),
    "image": "images=[...]",
    "videos": "video=[...]",
    "models": "model=[...]",
}
"""Options that others have, with how they are given here."""


def _is_path(value: Any) -> bool:
    return isinstance(value, PathLike) or (isinstance(value, str) and bool(value.strip()))


def _is_list(value: Any) -> bool:
    one = isinstance(value, str | bytes | bytearray | memoryview | PathLike | Mapping)
    return isinstance(value, Iterable) and not one and not hasattr(value, "__array__")


def _is_tool(value: Any) -> bool:
    return isinstance(value, str) or callable(value) or hasattr(value, "spec")


def _is_some_model(value: Any) -> bool:
    return not (isinstance(value, list | tuple) and not value)


_RULES: Mapping[str, _Rule] = {
    "images": (_is_list, "a list of images, such as ['one.png']"),
    "tools": (
        lambda value: isinstance(value, tuple) and all(map(_is_tool, value)),
        "a list of names or tools, such as ['python']",
    ),
    "model": (_is_some_model, "a name or a model, or a list of at least one"),
    "budget": (
        lambda value: isinstance(value, Budget | Limits),
        "a Budget or Limits, such as musespark.Limits(seconds=60)",
    ),
    "approach": (lambda value: isinstance(value, str), "the name of an approach"),
    "aggregate": (
        lambda value: isinstance(value, str) or callable(value),
        "the name of an aggregator, or a function",
    ),
    "task_kind": (lambda value: isinstance(value, str) and bool(value.strip()), "a word"),
    "store": (_is_path, "the path of a file"),
    "trace": (_is_path, "the path of a directory"),
    "team": (lambda value: isinstance(value, Team), "a Team"),
    "config": (
        lambda value: isinstance(value, Config),
        "a Config, as musespark.config.load_config reads it",
    ),
}
"""Rules for options that nothing else checks; the numbers are checked by `Request` and `Team`."""


def checked_options(question: Any, options: Mapping[str, Any], known: Iterable[str]) -> Any:
    """The options without those that are None, which count as left out. Raises `BadOption`."""
    if not isinstance(question, str):
        raise BadOption("question", question, "a text")
    names = tuple(known)
    for name in options:
        if name not in names:
            raise _unknown(name, names)
    given = {name: value for name, value in options.items() if value is not None}
    tools = given.get("tools", ())
    given["tools"] = tuple(tools) if _is_list(tools) else tools
    for name, (fits, wanted) in _RULES.items():
        if name in given and not fits(given[name]):
            raise BadOption(name, given[name], wanted)
    return given


def _unknown(name: str, known: tuple[str, ...]) -> BadOption:
    """The error for an unknown option, which a type checker would have found."""
    if name in _ELSEWHERE:
        return BadOption("option", name, f"given as {_ELSEWHERE[name]}")
    close = get_close_matches(name, known, 1)
    return BadOption(
        "option", name, f"{close[0]!r}, perhaps" if close else f"one of {', '.join(known)}"
    )
