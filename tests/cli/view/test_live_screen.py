"""Frames on a terminal: `Terminal` obeys what is written as a real one does."""

import io
import re

from rich.console import Console
from rich.text import Text

from musespark.cli.view.live_screen import LiveScreen


class Terminal(io.StringIO):
    """As much of a terminal as the screen makes use of."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = ["$ muse"]
        self.row, self.column = 1, 0
        self.cursor = True
        self.written: list[str] = []

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written.append(text)
        for control, move, letter, plain in re.findall(
            r"(\x1b\[(\??[\d;]*)([A-Za-z]))|([^\x1b])", text
        ):
            self._obey(move, letter) if control else self._put(plain)
        return len(text)

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
        else:
            self._reach()
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[: self.column] + character + row[self.column + 1 :]
            self.column += 1

    def _obey(self, move: str, letter: str) -> None:
        if letter == "A":
            self.row -= int(move)
        elif letter == "K":
            self._reach()
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif letter == "J":
            del self.rows[self.row :]
        elif move == "?25":
            self.cursor = letter == "h"

    def _reach(self) -> None:
        while len(self.rows) <= self.row:
            self.rows.append("")


def screen_of(terminal: Terminal, **options) -> LiveScreen:
    return LiveScreen(
        Console(file=terminal, force_terminal=True, width=40, height=10, _environ={}, **options)
    )


def test_a_frame_takes_the_place_of_the_last_one():
    terminal = Terminal()
    screen = screen_of(terminal)
    screen.draw([Text("question"), Text("a thinks"), Text("b thinks")])
    assert terminal.rows == ["$ muse", "question", "a thinks", "b thinks"] and not terminal.cursor
    screen.draw([Text("question"), Text("a"), Text("b thinks"), Text("c thinks")])
    assert terminal.rows == ["$ muse", "question", "a", "b thinks", "c thinks"]
    screen.draw([Text("question")])
    assert terminal.rows == ["$ muse", "question"]
    screen.finish([Text("question"), Text(), Text("42")])
    assert terminal.rows == ["$ muse", "question", "", "42"] and terminal.cursor
    assert (terminal.row, terminal.column) == (4, 0)


def test_only_what_changed_is_written_in_one_go_and_nothing_is_blank_in_between():
    terminal = Terminal()
    screen = screen_of(terminal)
    screen.draw([Text("question"), Text("a thinks")])
    terminal.written.clear()
    screen.draw([Text("question"), Text("a returned")])
    assert len(terminal.written) == 1
    assert "question" not in terminal.written[0] and "a returned" in terminal.written[0]
    assert terminal.written[0].startswith("\x1b[?2026h") and terminal.written[0].endswith(
        "\x1b[?2026l"
    )
    assert "\x1b[2K" not in terminal.written[0] and "\x1b[2J" not in terminal.written[0]


def test_colours_are_those_the_terminal_has():
    line = Text().append("won", "bold green")
    for options, written in (
        ({"color_system": "standard"}, "\x1b[1;32mwon\x1b[0m"),
        ({"no_color": True}, "\x1b[1mwon\x1b[0m"),
    ):
        terminal = Terminal()
        screen_of(terminal, **options).draw([line])
        assert written in terminal.written[0]


def test_a_narrowed_terminal_has_wrapped_the_last_frame():
    terminal = Terminal()
    console = Console(file=terminal, force_terminal=True, width=40, height=10)
    screen = LiveScreen(console)
    screen.draw([Text("x" * 39), Text("y")])
    console.width = 20
    screen.draw([Text("x"), Text("y")])
    assert "\x1b[3A" in terminal.written[-1] and "y" in terminal.written[-1]
