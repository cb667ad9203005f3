"""Completion of values in a shell: choices, models, and names of commands. Nothing is asked of a server for it."""

from __future__ import annotations

import os
from collections.abc import Callable

from musespark.option_schema import OptionSpec

VARIABLE = "_MUSE_COMPLETE"
"""Set by the shell's script that asks for completions."""
_MODELS = ("model", "judge", "refiner", "merger")


def is_asked() -> bool:
    """True if a shell has started the program to complete a line."""
    return bool(os.environ.get(VARIABLE))


def completer(spec: OptionSpec) -> Callable[[], list[str]] | None:
    """The function that completes an option's values; None leaves it to the shell, which completes files."""
    if spec.choices:
        return lambda: list(spec.choices)
    return complete_model if spec.name in _MODELS else None


def complete_model() -> list[str]:
    """Names of models: the native one, those of the configuration, and providers, whose models need a name."""
    from musespark.config import Config, load_config
    from musespark.errors import MuseError
    from musespark.models.registry import PROVIDERS

    try:
        config = load_config()
    except MuseError:  # `muse config check` says so
        config = Config()
    return ["nano", *config.models, *(f"{kind}:" for kind in PROVIDERS)]
