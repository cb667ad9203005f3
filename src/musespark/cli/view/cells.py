"""Text cut, wrapped or shortened to a number of terminal cells."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from rich.cells import cell_len, set_cell_size
from rich.text import Text

MARGIN = "  "


def dim(text: str, width: int) -> Text:
    """A dimmed line."""
    return cut(Text(MARGIN).append(text, "dim"), width)


def row(items: Sequence[str], width: int) -> list[Text]:
    """Items side by side, on as few lines as hold them."""
    rows = [""]
    for item in items:
        longer = f"{rows[-1]} · {item}" if rows[-1] else item
        rows[-1:] = [longer] if len(MARGIN + longer) < width else [rows[-1], item]
    return [dim(line, width) for line in rows if line]


def wrapped(text: str, width: int, most: int) -> list[str]:
    """A text on at most `most` lines; the last is shortened if the text is longer."""
    # textwrap counts characters; where some are two cells wide, half as many always fit.
    letters = width if cell_len(text) == len(text) else width // 2
    lines = wrap(text, max(1, letters)) or [""]
    return (
        lines
        if len(lines) <= most
        else [*lines[: most - 1], fitted(" ".join(lines[most - 1 :]), width)]
    )


def fitted(text: str, width: int) -> str:
    """The beginning of a text, in at most `width` cells."""
    return (
        text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)).rstrip() + "…"
    )


def padded(text: str, width: int) -> str:
    """The beginning of a text, in exactly `width` cells."""
    return set_cell_size(fitted(text, width), width)


def tail(text: str, width: int) -> str:
    """The end of a text, in at most `width` cells."""
    if cell_len(text) <= width:
        return text
    kept = text[-max(1, width - 1) :]
    while cell_len(kept) > max(0, width - 1):
        kept = kept[1:]
    return "…" + kept


def cut(line: Text, width: int) -> Text:
    """The line itself, narrower than a terminal of that width."""
    line.truncate(width - 1, overflow="ellipsis")
    return line
