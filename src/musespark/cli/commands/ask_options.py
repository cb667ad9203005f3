"""Options of the command line as options of `musespark.stream`; `-` is standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, cast

from musespark.api import Options
from musespark.budget import Limits
from musespark.cli.text_input import decode_text
from musespark.config import Config, TeamConfig
from musespark.content import MAX_IMAGE_BYTES, Image
from musespark.errors import BadInput, BadOption, MissingFile
from musespark.option_schema import QUESTION_OPTIONS

STDIN = "-"
_MOST_BYTES = 16_000_000
"""Bytes of a question that are read: enough to say how long one is that is too long, and an end to one that has none."""
_CHECKED_LATER = ("mode", "image", "video", "model", "judge", "refiner", "merger", "kind")
"""Options that have errors of their own."""


class NoQuestion(BadInput):
    """There is no question among the arguments, and a person at a terminal, who would have to be waited for."""

    def __init__(self) -> None:
        super().__init__(
            'There is no question; write one after the command, as in muse ask "...", or pipe it in.'
        )


def options_of(question: str, images: Sequence[str], config: Config, **given: Any) -> Options:
    """Build the options; those not given are left out or taken from the configuration. Raises the kinds of `BadInput`."""
    if [question, *images].count(STDIN) > 1:
        raise BadOption("--image", STDIN, "a file where standard input is read already")
    require_in_range(given)
    limits = limits_of(
        config.team, given.pop("deadline"), given.pop("max_usd"), given.pop("max_tokens")
    )
    options: dict[str, Any] = {
        name: value for name, value in given.items() if value not in (None, [])
    }
    images_read = [_image(name) for name in images]
    return cast(Options, {"images": images_read, "config": config, "budget": limits, **options})


def require_in_range(given: dict[str, Any]) -> None:
    """Raise `BadOption`, by its flag, for the first option that the schema does not allow."""
    for name, value in given.items():
        if value not in (None, []) and name not in _CHECKED_LATER:
            spec = QUESTION_OPTIONS[name]
            spec.require(spec.command_line, value)


def limits_of(
    defaults: TeamConfig,
    deadline: float | None = None,
    max_usd: float | None = None,
    max_tokens: int | None = None,
) -> Limits:
    """Limits of a run: those given, else those of the configuration."""
    return Limits(
        seconds=defaults.deadline if deadline is None else deadline,
        usd=defaults.max_usd if max_usd is None else max_usd,
        tokens=defaults.max_tokens if max_tokens is None else max_tokens,
    )


def question_source(argument: str | None) -> str:
    """The argument, or `-` if there is none and something else than a person is at standard input."""
    if argument is not None:
        return argument
    if sys.stdin is None or sys.stdin.isatty():
        raise NoQuestion
    return STDIN


def question_of(argument: str) -> str:
    """The question itself, or standard input for `-`."""
    if argument == STDIN:
        return decode_text(_standard_input(_MOST_BYTES))
    if argument.isascii():
        return argument
    try:
        return decode_text(argument.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # half of a character, which no shell writes
        return argument.encode("utf-8", "replace").decode()


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
