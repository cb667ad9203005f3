"""Sampling options beside temperature and top_p: each is known to some servers, and to others not."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from musespark.errors import BadOption

EXTRA = "extra"
"""Field of `Sampling` for options that are passed on as they are."""
_RANGES = {
    "top_k": (1, 10**9),
    "min_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "repetition_penalty": (0, 10),
}
VERBOSITIES = ("low", "medium", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Sampling options of a request; None leaves an option to the model. Raises `BadOption`."""

    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    verbosity: str | None = None
    """Length that an answer should have: low, medium or high."""
    logit_bias: str | None = None
    """JSON text of an object: a bias by token."""
    extra: str | None = None
    """JSON text of an object: further fields that the server knows, such as `chat_template_kwargs`."""

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is None:
                continue
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not math.isfinite(value) or not low <= value <= high:
                raise BadOption(name, value, f"a number from {low} to {high:,}")
        if self.verbosity not in (None, *VERBOSITIES):
            raise BadOption("verbosity", self.verbosity, f"one of {', '.join(VERBOSITIES)}")

    def set_fields(self) -> Iterator[str]:
        """Yield the names of the fields that are set."""
        return (each.name for each in fields(self) if getattr(self, each.name) is not None)

    def shown(self, field: str) -> str:
        """Return a field's name for people; of `extra` the names of the options in it."""
        return ", ".join(self.options(field)) if field == EXTRA else field

    def options(self, field: str) -> dict[str, Any]:
        """Return the object that a field of JSON text holds; empty if it is not set."""
        text: str | None = getattr(self, field)
        found: dict[str, Any] = json.loads(text) if text is not None else {}
        return found


ALL: frozenset[str] = frozenset(each.name for each in fields(Sampling))
"""Names of all fields, for servers that know every option or ignore those that they do not know."""
