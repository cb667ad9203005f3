"""Warnings of a request: everything in it that has no effect here, told at once in a header and in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from musespark.server.http.body import OpenModel, unknown_fields
from musespark.server.resolve.options import EFFORTS

HEADER = b"x-muse-warning"
MAX_NAMES = 40
"""Names in one warning; the others are counted."""
MAX_NAME = 80
"""Characters of a name."""
MAX_HEADER = 4000
"""Characters of the header."""
_logger = logging.getLogger("musespark.server")


class RequestWarnings:
    """Warnings of one request, in the order in which they were found."""

    def __init__(self) -> None:
        self._fields: list[str] = []
        self._sentences: list[str] = []

    def ignore(self, *names: str) -> None:
        """Note fields, parts or tools that have no effect."""
        self._fields += names

    def ignore_unknown(self, body: OpenModel, *, but: Iterable[str] = ()) -> None:
        """Note all unknown fields of a body. but: those that are known after all."""
        known = frozenset(but)
        self.ignore(*(name for name in unknown_fields(body) if name not in known))

    def say(self, sentence: str) -> None:
        """Note something that was done otherwise, in a sentence."""
        self._sentences.append(sentence)

    def effort(self, name: str | None, param: str) -> str | None:
        """Return the name of an effort; None, with a warning, for one that is not known."""
        if name is None or name.lower() in EFFORTS:
            return name and name.lower()
        self.say(f"{param} {shown(name)} is none of {', '.join(EFFORTS)}; it has no effect.")
        return None

    @property
    def told(self) -> tuple[str, ...]:
        """All warnings, as sentences."""
        if not self._fields:
            return tuple(self._sentences)
        names = [shown(name) for name in dict.fromkeys(self._fields)]
        if len(names) > MAX_NAMES:
            names = [*names[:MAX_NAMES], f"{len(names) - MAX_NAMES} more"]
        return (f"No effect here: {', '.join(names)}.", *self._sentences)


def shown(name: str) -> str:
    """Return a name as it may stand in a header and in a log: short, in one line, in ASCII."""
    short = name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 3]}..."
    return "".join(
        character if character.isascii() and character.isprintable() else ascii(character)[1:-1]
        for character in short
    )


def warning_headers(warnings: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """Return the header that holds all warnings of a request; none if there are none."""
    if not warnings:
        return []
    line = " ".join(text.encode("ascii", "backslashreplace").decode() for text in warnings)
    line = "".join(character if character.isprintable() else "?" for character in line)
    return [(HEADER, line[:MAX_HEADER].encode())]


def log_warnings(run: str, model: str, warnings: Sequence[str]) -> None:
    """Write all warnings of a request to the log, in one line."""
    if warnings:
        _logger.warning("run %s of %s: %s", run, shown(model), " ".join(map(str, warnings)))
