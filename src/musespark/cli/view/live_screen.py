"""The lower end of a terminal, redrawn in place.

Only lines that changed are written, each over its old self, and a frame is one write between the marks of a synchronised
update (terminals that do not know them ignore them): nothing is ever blank for a moment, so nothing flickers.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import COLOR_SYSTEMS, Console
from rich.segment import Segment
from rich.text import Text

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
_REST_OF_LINE, _REST_OF_SCREEN = "\x1b[K", "\x1b[J"


class LiveScreen:
    """Frames on a console. A frame is a list of lines, each narrower than the console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines: list[Text] = []
        self._width = console.width
        self._colours = COLOR_SYSTEMS.get(console.color_system or "")

    def draw(self, lines: Sequence[Text]) -> None:
        """Put a frame in the place of the last one; it must be lower than the console."""
        self._write(("" if self._lines else HIDE_CURSOR) + self._change(lines))

    def finish(self, lines: Sequence[Text] = ()) -> None:
        """Put the last lines, of any number, in the place of the last frame; they stay, and the cursor is back."""
        self._write(self._change(lines) + SHOW_CURSOR)
        self._lines = []

    def _change(self, lines: Sequence[Text]) -> str:
        """Control codes that turn the last frame into this one. The cursor is below the frame before and after."""
        written = [_BEGIN, "\r", f"\x1b[{up}A" if (up := self._rows()) else ""]
        resized = self._width != self._console.width
        for index, line in enumerate(lines):
            if resized or index >= len(self._lines) or line != self._lines[index]:
                written += [self._styled(line), _REST_OF_LINE]
            written.append("\r\n")
        self._lines, self._width = list(lines), self._console.width
        return "".join([*written, _REST_OF_SCREEN, _END])

    def _rows(self) -> int:
        """Rows that the last frame takes now: a terminal that was narrowed has wrapped its lines."""
        width = max(1, self._console.width)
        return sum(max(1, -(-line.cell_len // width)) for line in self._lines)

    def _styled(self, line: Text) -> str:
        """A line as the terminal takes it. Console.print lays text out first, which takes ten times as long."""
        parts = line.render(self._console)
        if self._console.no_color:
            parts = Segment.remove_color(parts)
        return "".join(
            part.style.render(part.text, color_system=self._colours) if part.style else part.text
            for part in parts
        )

    def _write(self, control: str) -> None:
        self._console.file.write(control)
        self._console.file.flush()
