"""Options of the command line as options of `musespark.stream`; `-` is standard input."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any, cast

from musespark.api import Options
from musespark.budget import Limits
from musespark.config import Config, TeamConfig
from musespark.content import MAX_IMAGE_BYTES, Image
from musespark.errors import BadOption, MissingFile

STDIN = "-"
_MOST_BYTES = 16_000_000
"""Bytes of a question that are read: enough to say how long one is that is too long, and an end to one that has none."""


def options_of(question: str, images: Sequence[str], config: Config, **given: Any) -> Options:
    """Build the options; those not given are left out or taken from the configuration. Raises the kinds of `BadInput`."""
    if [question, *images].count(STDIN) > 1:
        raise BadOption("--image", STDIN, "a file where standard input is read already")
    if given["trace"] == "":
        raise BadOption("--trace", "", "the name of a directory")
    limits = _limits(
        config.team, given.pop("deadline"), given.pop("max_usd"), given.pop("max_tokens")
    )
    options: dict[str, Any] = {
        name: value for name, value in given.items() if value not in (None, [])
    }
    images_read = [_image(name) for name in images]
    return cast(Options, {"images": images_read, "config": config, "budget": limits, **options})


def _limits(
    defaults: TeamConfig, deadline: float | None, max_usd: float | None, max_tokens: int | None
) -> Limits:
    seconds = defaults.deadline if deadline is None else deadline
    usd = defaults.max_usd if max_usd is None else max_usd
    for option, value, unit in (("deadline", seconds, "seconds"), ("max-usd", usd, "US dollars")):
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise BadOption(option, value, f"a number of {unit} greater than 0")
    tokens = defaults.max_tokens if max_tokens is None else max_tokens
    if tokens is not None and not 1 <= tokens <= 10**9:
        raise BadOption("max-tokens", tokens, "a whole number from 1 to 1,000,000,000")
    return Limits(seconds=seconds, usd=usd, tokens=tokens)


def question_of(argument: str) -> str:
    """The question itself, or standard input for `-`."""
    if argument != STDIN:
        return argument
    return _standard_input(_MOST_BYTES).decode("utf-8", errors="replace")


def _image(name: str) -> str | Image:
    return (
        Image.from_bytes(_standard_input(MAX_IMAGE_BYTES + 1), "standard input")
        if name == STDIN
        else name
    )


def _standard_input(most: int) -> bytes:
    if sys.stdin is None:
        raise MissingFile("standard input", "it is closed")
    try:
        return sys.stdin.buffer.read(most)
    except OSError as error:
        raise MissingFile("standard input", error.strerror or str(error)) from error
