"""Lines of the fields of a TOML file."""

from __future__ import annotations

import re


class TomlLines:
    """Line of each field, which `tomllib` does not report. Finds tables and keys that are written plainly, a line each."""

    def __init__(self, text: str) -> None:
        self._at: dict[tuple[str, ...], int] = {}
        table: tuple[str, ...] = ()
        for number, line in enumerate(text.splitlines(), 1):
            if header := re.match(r"\s*\[\[?([^\]]+)\]", line):
                table = _keys(header[1])
                self._note(table, number)
            elif key := re.match(
                r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""",
                line,
            ):
                self._note((*table, *_keys(key[1])), number)

    def _note(self, path: tuple[str, ...], number: int) -> None:
        for length in range(1, len(path) + 1):
            self._at.setdefault(path[:length], number)

    def line(self, path: tuple[str, ...]) -> int | None:
        """Line of a field, or of the nearest table around it; None if neither is written plainly."""
        around = (path[:length] for length in range(len(path), 0, -1))
        return next((self._at[each] for each in around if each in self._at), None)


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(
        key.strip().strip("\"'") for key in re.findall(r"""[\w-]+|"[^"]*"|'[^']*'""", dotted)
    )
