"""Errors about options of Python, under the flags that a person typed."""

from __future__ import annotations

from musespark.errors import BadOption, MuseError
from musespark.option_schema import QUESTION_OPTIONS

_IN_PYTHON = {
    "first_wave": "first",
    "task_kind": "kind",
    "tool": "tools",
    "images": "image",
    "videos": "video",
    "budget seconds": "deadline",
    "budget tokens": "max_tokens",
    "budget usd": "max_usd",
}
"""Options of the command line by their names in Python, where they differ."""


def with_flag(error: MuseError) -> MuseError:
    """The error, or the same error about the flag if it names an option of Python."""
    if type(error) is not BadOption:
        return error
    spec = QUESTION_OPTIONS.get(_IN_PYTHON.get(error.option, error.option))
    return error if spec is None else error.renamed(spec.command_line)
