"""What the command line was asked, as the options of `musespark.stream`; `-` is standard input."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from musespark.asking import Options
from musespark.budget import Limits
from musespark.content import MAX_IMAGE_BYTES, Image
from musespark.errors import BadOption, MissingFile

STDIN = "-"
_MOST_BYTES = 16_000_000
"""Bytes of a question that are read: enough to say how long one is that is too long, and an end to one that has none."""


def options_of(*, mode: str, images: Sequence[str], threads: int, seed: int, trace: str | None, model: str,
               deadline: float | None, max_tokens: int | None, question: str) -> Options:
    """The options; those that were not given are left out. Raises the kinds of `BadInput`."""
    if [question, *images].count(STDIN) > 1:
        raise BadOption("--image", STDIN, "a file where standard input is read already")
    options = Options(images=[_image(name) for name in images], mode=mode, threads=threads, seed=seed, model=model)
    if max_tokens is not None:
        options["max_tokens"] = max_tokens
    if trace == "":
        raise BadOption("--trace", trace, "the name of a directory")
    if trace is not None:
        options["trace"] = trace
    if deadline is not None:
        if not (deadline > 0 and math.isfinite(deadline)):
            raise BadOption("deadline", deadline, "a number of seconds greater than 0")
        options["budget"] = Limits(seconds=deadline)
    return options


def question_of(argument: str) -> str:
    """The question itself, or standard input for `-`."""
    if argument != STDIN:
        return argument
    return _standard_input(_MOST_BYTES).decode("utf-8", errors="replace")


def _image(name: str) -> str | Image:
    return Image.from_bytes(_standard_input(MAX_IMAGE_BYTES + 1), "standard input") if name == STDIN else name


def _standard_input(most: int) -> bytes:
    if sys.stdin is None:
        raise MissingFile("standard input", "it is closed")
    try:
        return sys.stdin.buffer.read(most)
    except OSError as error:
        raise MissingFile("standard input", error.strerror or str(error)) from error
