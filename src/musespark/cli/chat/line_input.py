"""Lines of a conversation: from a terminal, with a history and completion, or from a pipe, a line a question."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from musespark.cli.chat.commands import COMMANDS
from musespark.cli.text_input import decode_text

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.history import History
    from prompt_toolkit.input import Input
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.output import Output

PROMPT = "> "
_TAKE_PATHS = ("/image", "/save")
Words = Callable[[str], Iterable[str]]
"""Words that can follow a command, by its name."""


class LineInput(Protocol):
    """Lines that a person or a program writes."""

    def read(self) -> str | None:
        """The next line; None at the end. An empty one if it was given up with Ctrl-C."""


class PipeInput:
    """Lines of standard input."""

    def read(self) -> str | None:
        """The next line; None at the end."""
        if sys.stdin is None:
            return None
        line = sys.stdin.buffer.readline()
        return decode_text(line) if line else None


class DumbInput:
    """Lines of a terminal that cannot move its cursor."""

    def read(self) -> str | None:
        """The next line; None at the end."""
        print(PROMPT, end="", file=sys.stderr, flush=True)
        try:
            return input()
        except EOFError:
            return None
        except KeyboardInterrupt:
            print()
            return ""


class TerminalInput:
    """Lines of a terminal, with editing, a history over sessions, and completion of commands.

    A text that is pasted is one line, whatever is in it.
    """

    def __init__(
        self,
        words: Words,
        terminal_input: Input | None = None,
        terminal_output: Output | None = None,
    ) -> None:
        """words: words after a command. The terminal is that of the process by default."""
        from prompt_toolkit import PromptSession
        from prompt_toolkit.shortcuts import CompleteStyle

        self._session: PromptSession[str] = PromptSession(
            history=_history(history_path()),
            completer=_completer(words),
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            key_bindings=_keys(),
            multiline=True,
            input=terminal_input,
            output=terminal_output,
        )

    def read(self) -> str | None:
        """The next line; None at the end."""
        try:
            return self._session.prompt(PROMPT)
        except EOFError:
            return None
        except KeyboardInterrupt:
            return ""


def history_path() -> Path:
    """File of the lines typed before, in the user's data directory."""
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "musespark" / "chat_history"


def _history(path: Path) -> History:
    """The history in a file that only its owner can read; without one where it cannot be written."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    class _Kept(FileHistory):
        def store_string(self, string: str) -> None:
            try:
                super().store_string(string)
            except OSError:  # a full disk is no reason to end a conversation
                return

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError:
        return InMemoryHistory()
    return _Kept(str(path))


def _keys() -> KeyBindings:
    """Enter sends; Alt-Enter begins a new line."""
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("enter")
    @keys.add("c-j")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def _completer(words: Words) -> Completer:
    """Completes commands, the words after them, and paths."""
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
    from prompt_toolkit.document import Document

    class _Words(Completer):
        def get_completions(
            self, document: Document, complete_event: CompleteEvent
        ) -> Iterator[Completion]:
            command, space, rest = document.text_before_cursor.partition(" ")
            if space and command in _TAKE_PATHS:
                yield from PathCompleter(expanduser=True).get_completions(
                    Document(rest), complete_event
                )
                return
            typed = rest.rpartition(" ")[2] if space else command
            for word in words(command) if space else COMMANDS:
                if document.text.startswith("/") and word.startswith(typed):
                    yield Completion(word, -len(typed))

    return _Words()
