"""Limits of a key: what it may spend and ask, until when; and the values in which they are given and stored."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from musespark.errors import BadOption

NANO = 1_000_000_000
MODES = ("instant", "thinking", "contemplating")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MAX_SECONDS = 36_500 * 86_400.0
_MAX_MODELS = 100
_MAX_NAME = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLimits:
    """Limits of a key. None is no limit; what is given is checked, and raises `BadOption`."""

    usd_per_day: float | None = None
    per_minute: int | None = None
    expires_in: float | None = None
    """Seconds from now on."""
    models: tuple[str, ...] | None = None
    """Names of the models that may be asked."""
    modes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        usd, often, seconds = self.usd_per_day, self.per_minute, self.expires_in
        if usd is not None and not 1 / NANO <= usd <= 1_000_000:
            raise BadOption("--usd-per-day", usd, "more than 0 and at most 1,000,000")
        if often is not None and not 1 <= often <= 1_000_000:
            raise BadOption("--per-minute", often, "from 1 to 1,000,000")
        if seconds is not None and not 1 <= seconds <= _MAX_SECONDS:
            raise BadOption("--expires", seconds, "from a second to a hundred years")
        for name in self.models or ():
            if not name.strip() or len(name) > _MAX_NAME:
                raise BadOption("--models", name[:80], "names of models, with commas between")
        if self.models is not None and not 1 <= len(self.models) <= _MAX_MODELS:
            raise BadOption("--models", len(self.models), f"from 1 to {_MAX_MODELS} names")
        for mode in self.modes or ():
            if mode not in MODES:
                raise BadOption("--modes", mode[:80], f"some of {', '.join(MODES)}")
        if self.modes == ():
            raise BadOption("--modes", "", f"some of {', '.join(MODES)}")

    def columns(self, now: float) -> dict[str, Any]:
        """Values of all columns. now: the time by the database's clock."""
        usd = self.usd_per_day
        return {
            "nanousd_per_day": None if usd is None else round(usd * NANO),
            "per_minute": self.per_minute,
            "expires": None if self.expires_in is None else now + self.expires_in,
            "models": _names(self.models),
            "modes": _names(self.modes),
        }

    @classmethod
    def changes(cls, given: Iterable[str], limits: Self, now: float) -> dict[str, Any]:
        """Values of the columns of the limits that were given."""
        columns = limits.columns(now)
        return {COLUMNS[name]: columns[COLUMNS[name]] for name in given}


COLUMNS = {
    "usd_per_day": "nanousd_per_day",
    "per_minute": "per_minute",
    "expires_in": "expires",
    "models": "models",
    "modes": "modes",
}
"""Columns of the limits."""


def read_names(stored: str | None) -> tuple[str, ...] | None:
    """Names as they are stored."""
    return None if stored is None else tuple(json.loads(stored))


def parse_duration(option: str, text: str) -> float:
    """Parse a time such as `30d`, `12h`, `90m` or `45s` to seconds. Raises `BadOption`."""
    found = re.fullmatch(r"(\d{1,9})\s*([smhd])", text.strip())
    if found is None:
        raise BadOption(option, text[:80], "a time such as 30d, 12h, 90m or 45s")
    return int(found[1]) * _UNITS[found[2]]


def _names(given: tuple[str, ...] | None) -> str | None:
    return None if given is None else json.dumps(list(dict.fromkeys(given)))
