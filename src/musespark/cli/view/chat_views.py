"""Three views of a conversation: on a terminal, as plain text in a pipe, as a JSON object for each exchange."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Protocol

from musespark.cli.view import wording
from musespark.cli.view.board import Board
from musespark.cli.view.run_views import BETWEEN_FRAMES, run_object
from musespark.content import Mode
from musespark.events import AnswerDelta, AnswerDropped, Event
from musespark.usage import Usage

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_MOST_IMAGE_ROWS = 14
_MOST_ROWS = 24
"""Rows of the terminal that a team at work takes."""


class ChatView(Protocol):
    """A view of a conversation, question after question."""

    def say(self, text: str) -> None:
        """Show text of the program itself."""

    def fail(self, sentence: str) -> None:
        """Show an error."""

    def happened(self, board: Board, event: Event) -> None:
        """Show an event. board: after it."""

    def pulse(self) -> None:
        """Show that time passes; called several times a second."""

    def ended(self, board: Board) -> None:
        """Show the end of an exchange."""

    def broken(self) -> None:
        """Leave an exchange that ended with an error."""

    def costs(self, board: Board, total: Usage, exchanges: int) -> None:
        """Show the cost of an exchange and, after several, of the conversation."""

    def agents(self, board: Board) -> None:
        """Show the agents of an exchange."""


class PlainChatView:
    """Answers on standard output and nothing else; the rest on standard error."""

    def say(self, text: str) -> None:
        """Print it to standard error."""
        print(text, file=sys.stderr, flush=True)

    def fail(self, sentence: str) -> None:
        """Print it to standard error."""
        print(sentence, file=sys.stderr, flush=True)

    def happened(self, board: Board, event: Event) -> None:
        """Wait for the end: an answer may be withdrawn."""

    def pulse(self) -> None:
        """Nothing moves."""

    def ended(self, board: Board) -> None:
        """Print the answer, and on standard error all that has to be said of it."""
        if board.answer.strip():
            print(wording.clean(board.answer).strip("\n"), flush=True)
        else:
            self.fail(wording.empty(board))
        for line in remarks(board):
            self.say(line)

    def broken(self) -> None:
        """Nothing is open."""

    def costs(self, board: Board, total: Usage, exchanges: int) -> None:
        """Print them to standard error."""
        self.say(cost_line(board, total, exchanges))

    def agents(self, board: Board) -> None:
        """Print a line for each."""
        for lane in board.lanes.values():
            self.say(
                f"{wording.name(board, lane)}  {lane.state}  {wording.outcome(board, lane)}".rstrip()
            )


class JsonChatView(PlainChatView):
    """A JSON object a line for each exchange that has an answer."""

    def ended(self, board: Board) -> None:
        """Print the object."""
        if board.answer.strip() or board.finish_reason is not None:
            print(json.dumps(run_object(board, [])), flush=True)
        if not board.answer.strip():
            self.fail(wording.empty(board))

    def costs(self, board: Board, total: Usage, exchanges: int) -> None:
        """They stand in the object."""


class TerminalChatView:
    """A team as lanes while it works; a single agent's answer as it is written."""

    def __init__(self, console: Console) -> None:
        from musespark.cli.view.live_screen import LiveScreen

        self._console = console
        self._screen = LiveScreen(console)
        self._previews = console.color_system in ("truecolor", "256") and not console.no_color
        self._start()

    def _start(self) -> None:
        """Begin an exchange."""
        self._board, self._heard = Board(), time.monotonic()
        self._next = 0.0
        self._drawn = False
        self._written = False
        """True while part of the answer stands on the screen, as it came."""

    def say(self, text: str) -> None:
        """Print it dimmed."""
        self._console.print(wording.clean(text), style="dim", soft_wrap=True)

    def fail(self, sentence: str) -> None:
        """Print it in red."""
        self._console.print(wording.clean(sentence), style="red", soft_wrap=True)

    def happened(self, board: Board, event: Event) -> None:
        """Write what belongs to the answer, or draw the team."""
        self._board, self._heard = board, time.monotonic()
        if board.mode != Mode.CONTEMPLATING:
            if isinstance(event, AnswerDelta) and (event.text.strip() or self._written):
                self._erase()
                self._write(event.text)
            elif isinstance(event, AnswerDropped) and self._written:
                self._write(f"\n({wording.one_line(event.reason)}; once more)\n")
        self.pulse()

    def pulse(self) -> None:
        """Draw the team, or that a single agent is thinking, when a frame is due."""
        from musespark.cli.view.cells import dim
        from musespark.cli.view.frames import live_frame

        began = time.monotonic()
        board = self._board
        if began < self._next or not board.lanes or board.over or self._written:
            return
        seconds = board.at + began - self._heard
        size = self._console.size
        if board.mode == Mode.CONTEMPLATING:
            lines = live_frame(
                board, size.width, min(size.height - 1, _MOST_ROWS), seconds, self._previews
            )
        else:
            lines = [dim(f"thinking · {seconds:.1f} s", size.width)]
        self._screen.draw(lines)
        self._drawn = True
        done = time.monotonic()
        self._next = max(began + BETWEEN_FRAMES, done + 19 * (done - began))

    def ended(self, board: Board) -> None:
        """Write the answer, unless it stands there already, and what has to be said of it."""
        self._erase()
        if not self._written:
            self._write(board.answer.strip("\n"))
        if board.answer.strip():
            self._write("\n")
        else:
            self.fail(wording.empty(board))
        if self._previews:
            from musespark.cli.view.frames import image_rows

            for row in image_rows(board, self._console.width, _MOST_IMAGE_ROWS):
                self._console.print(row, soft_wrap=True)
        for line in remarks(board):
            self.say(line)
        self._start()

    def broken(self) -> None:
        """Erase what moves; a text that broke off stays."""
        self._erase()
        if self._written:
            self._write("\n")
        self._start()

    def costs(self, board: Board, total: Usage, exchanges: int) -> None:
        """Print them dimmed, and an empty line."""
        self.say(cost_line(board, total, exchanges) + "\n")

    def agents(self, board: Board) -> None:
        """Print the lanes, as `muse ask` shows them at its end."""
        from musespark.cli.view.agent_rows import lanes

        lines: list[Text] = lanes(board, self._console.width, _MOST_ROWS)
        self._screen.finish(lines)

    def _erase(self) -> None:
        if self._drawn:
            self._screen.finish()
            self._drawn = False

    def _write(self, text: str) -> None:
        self._console.file.write(wording.clean(text))
        self._console.file.flush()
        self._written = bool(text)


def remarks(board: Board) -> list[str]:
    """Remarks on an answer: that it came early, who checked it, images that were drawn."""
    if not board.answer.strip():
        return []
    told = [f"This is the {early}." for early in [wording.early(board)] if early]
    if board.status != "unchecked":
        told.append(wording.verdict(board))
    if board.images:
        told.append(f"{wording.counted(len(board.images), 'image')} drawn")
    return told


def cost_line(board: Board, total: Usage, exchanges: int) -> str:
    """The cost of an exchange and, after several, of the conversation."""
    line = " · ".join(wording.spending(board))
    if exchanges < 2:
        return line
    return f"{line} · so far {wording.counted(total.tokens, 'token')}, {wording.money(total.usd)}"
