"""Rules of fields: a test of the value, and the valid values in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from musespark.option_schema import SAMPLING_OPTIONS, TEAM_OPTIONS, OptionSpec

MAX_NAME = 256
"""Characters of a model's name."""
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


def _is_http_url(value: Any) -> bool:
    try:
        url = urlsplit(value if isinstance(value, str) else "")
        return bool(url.hostname) and url.port != 0 and value.startswith(("http://", "https://"))
    except ValueError:  # half a bracket, or a port that is no number
        return False


_URL: Rule = (
    _is_http_url,
    "a URL that begins with http:// or https://",
)
_ENV: Rule = (
    lambda value: isinstance(value, str) and bool(re.fullmatch(r"[A-Z_][A-Z0-9_]*", value)),
    "the name of an environment variable, in capitals, and never the key itself",
)
_FLAG: Rule = (lambda value: isinstance(value, bool), "true or false")

FLAGS = (
    "pictures_in",
    "videos_in",
    "tools",
    "seed",
    "temperature",
    "top_p",
    "stop",
    "schema",
    "effort",
    "tool_choice",
    "one_machine",
)
"""Abilities that a file can override."""

_PENALTY: Rule = (lambda value: _is_number(value) and -2 <= value <= 2, "a number from -2 to 2")
LOCAL_RULES: Mapping[str, Rule] = {
    "threads": _whole(1, 1024),
    "slots": _whole(1, 64),
    "mmproj": _TEXT,
    "top_k": _whole(0, 10**6),
    "min_p": (lambda value: _is_number(value) and 0 <= value <= 1, "a number from 0 to 1"),
    "repeat_penalty": (
        lambda value: _is_number(value) and 0 < value <= 2,
        "a number greater than 0 and at most 2",
    ),
    "presence_penalty": _PENALTY,
    "frequency_penalty": _PENALTY,
}
LOCAL_FIELDS = tuple(LOCAL_RULES)
"""Fields of models of this process alone."""
REMOTE_FIELDS = ("base_url", "key_env", "timeout", "prices")
"""Fields of models of a server alone."""
LOCAL_KIND = "gguf"
"""Kind of the models of this process that take options."""
MODEL_RULES: Mapping[str, Rule] = {
    "model": _TEXT,
    "base_url": _URL,
    "key_env": _ENV,
    "timeout": _POSITIVE,
    **_rules(SAMPLING_OPTIONS),
    **LOCAL_RULES,
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
