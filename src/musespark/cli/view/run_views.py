"""Three ways to show a run: lanes on a terminal, plain lines in a pipe, one JSON object. Each is fed event by event."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from musespark.cli.view import wording
from musespark.cli.view.board import ActiveToolCall, Board, Lane, gist
from musespark.events import (
    MAIN,
    AgentCancelled,
    AgentFailed,
    AgentReturned,
    AgentStarted,
    Agreed,
    AnswerDropped,
    Changed,
    Event,
    Judged,
    Noted,
    Pictured,
    RunStarted,
    StageStarted,
    Thought,
    ToolCalled,
    ToolReturned,
)

if TYPE_CHECKING:
    from rich.console import Console

BETWEEN_FRAMES = 1 / 12
"""Seconds; and at most a twentieth of the time goes into drawing, so that it never holds up a model."""
_ANY_WIDTH = 10_000
_MOST_OF_A_NAME = 40
_MOST_OF_A_LINE = 160
"""Characters of thought that wait for the end of their line; of what a tool or an agent says, so many are shown."""


class RunView(Protocol):
    """A view of a run."""

    def happened(self, board: Board, event: Event, image: Path | None) -> None:
        """Show an event. board: after it. image: the file of its image; None if it has none, or none is kept."""

    def pulse(self) -> None:
        """Show that time passes; called several times a second."""

    def ended(self, board: Board, images: Sequence[Path]) -> None:
        """Show the end; the board may be empty."""

    def dropped(self) -> None:
        """Restore the terminal: the process ends within this signal handler."""


def view_for(as_json: bool) -> RunView:
    """The view that suits the output."""
    if as_json:
        return JsonView()
    if sys.stdout.isatty():
        from rich.console import Console

        console = Console(highlight=False, markup=False, emoji=False)
        if not (console.is_dumb_terminal or console.legacy_windows or console.options.ascii_only):
            return LiveView(console)
    return LinesView()


class JsonView:
    """One object at the end, and nothing if there is no answer."""

    def happened(self, board: Board, event: Event, image: Path | None) -> None:
        """Wait for the end."""

    def pulse(self) -> None:
        """Nothing moves."""

    def ended(self, board: Board, images: Sequence[Path]) -> None:
        """Print the object, unless there is nothing to put into it."""
        if board.failed or (board.finish_reason is None and not board.answer):
            return
        if board.answer and (early := wording.early(board)):
            print(f"This is the {early}.", file=sys.stderr)
        print(json.dumps(run_object(board, images)), flush=True)

    def dropped(self) -> None:
        """Nothing is open."""


def run_object(board: Board, images: Sequence[Path]) -> dict[str, Any]:
    """A run as a JSON object; each agent once, as it stood in its last round."""
    usage, decided = board.usage, board.decided
    latest = {lane.base_name: lane for lane in board.lanes.values() if lane.agent != MAIN}
    return {
        "answer": board.answer,
        "mode": board.mode,
        "status": board.status,
        "verified": board.verified,
        "abstained": board.abstained or None,
        "usage": {
            "tokens": usage.tokens,
            "critical_path": usage.critical_path,
            "threads": board.threads,
            "seconds": usage.seconds or board.at,
            "usd": usage.usd,
            "calls": usage.calls,
            "prompt_tokens": usage.prompt_tokens,
        },
        "pictures": [str(path) for path in images],
        "decided": decided
        and {"by": decided.by, "winners": list(decided.winners), "reason": decided.reason},
        "agents": [_agent(board, lane) for lane in latest.values()],
    }


def _agent(board: Board, lane: Lane) -> dict[str, Any]:
    """An agent as a JSON object: what it answered, or why there is no answer of it."""
    group, first = board.group(lane), board.lanes.get(lane.base_name, lane)
    answered = lane.state in ("returned", "won")
    ended = lane.outcome if lane.state == "failed" else wording.outcome(board, lane)
    return {
        "agent": lane.base_name,
        "parent": lane.parent,
        "model": wording.model_and_way(board, lane)[0],
        "task": first.task,
        "state": lane.state,
        "answer": wording.answer(board, lane) if answered else None,
        "reason": None if answered else ended,
        "before": lane.changed.before if lane.changed and not lane.changed.kept else None,
        "group": group and group.letter,
    }


class RescueView:
    """The answer on standard error, once standard output cannot be written any more."""

    def happened(self, board: Board, event: Event, image: Path | None) -> None:
        """Wait for the end."""

    def pulse(self) -> None:
        """Nothing moves."""

    def ended(self, board: Board, images: Sequence[Path]) -> None:
        """Print the answer, and discard what standard output still holds."""
        if board.answer.strip():
            print(wording.clean(board.answer).strip("\n"), file=sys.stderr)
        drop_output()

    def dropped(self) -> None:
        """Nothing is open."""


def drop_output() -> None:
    """Discard buffered output, on which the interpreter would fail once more when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class LinesView:
    """A line for each event, without control codes, for a pipe, a file or a CI log."""

    def __init__(self) -> None:
        self._thoughts: dict[str, str] = {}

    def happened(self, board: Board, event: Event, image: Path | None) -> None:
        """Print it, thoughts a line at a time."""
        match event:
            case RunStarted():
                self._say(
                    event.at,
                    "",
                    f"{wording.one_line(event.model)} · {event.mode} · {wording.one_line(event.question)}",
                )
            case Thought():
                self._thought(board, event)
            case AgentStarted() if event.agent != MAIN:
                self._flush(board, event.at, event.parent or "")
                self._say(event.at, *_started(board, event))
            case Pictured():
                caption = wording.one_line(event.caption)
                self._did(
                    board,
                    event,
                    f"drew {wording.clean(str(image)) if image else 'an image'}"
                    + (caption and f" ({caption})"),
                )
            case ToolCalled():
                given = wording.arguments(ActiveToolCall(event.call, event.tool, event.arguments))
                self._did(board, event, f"uses {wording.one_line(event.tool)}: {_short(given)}")
            case ToolReturned():
                got = _short(wording.one_line(gist(event)) or "nothing")
                self._did(board, event, f"{'failed' if event.failed else 'got'}: {got}")
            case Noted():
                self._did(board, event, wording.one_line(event.text))
            case Changed():
                self._did(board, event, wording.change(event))
            case AgentReturned() | AgentCancelled() | AgentFailed():
                self._flush(board, event.at, event.agent)
                if event.agent != MAIN:
                    lane = board.lanes[event.agent]
                    self._say(event.at, _who(board, event.agent), lane.state + _ending(board, lane))
            case StageStarted() | Agreed() | Judged() | AnswerDropped():
                self._say(event.at, "", _together(board, event))

    def pulse(self) -> None:
        """Nothing moves."""

    def ended(self, board: Board, images: Sequence[Path]) -> None:
        """Print how it ended, as a terminal shows it."""
        from musespark.cli.view.frames import summary_lines

        for agent in list(self._thoughts):
            self._flush(board, board.at, agent)
        if board.lanes:
            print(
                "\n".join(line.plain for line in summary_lines(board, images, _ANY_WIDTH)),
                flush=True,
            )

    def dropped(self) -> None:
        """Nothing is open."""

    def _did(
        self, board: Board, event: Pictured | ToolCalled | ToolReturned | Noted | Changed, what: str
    ) -> None:
        """Print an agent's action, after its thoughts before it."""
        self._flush(board, event.at, event.agent)
        self._say(event.at, _who(board, event.agent), what)

    def _thought(self, board: Board, event: Thought) -> None:
        """Keep it until its line is complete, or long enough."""
        *lines, rest = (self._thoughts.get(event.agent, "") + event.text).split("\n")
        if len(rest) > _MOST_OF_A_LINE:
            lines, rest = [*lines, rest], ""
        self._thoughts[event.agent] = rest
        for line in lines:
            self._think(board, event.at, event.agent, line)

    def _flush(self, board: Board, at: float, agent: str) -> None:
        self._think(board, at, agent, self._thoughts.pop(agent, ""))

    def _think(self, board: Board, at: float, agent: str, line: str) -> None:
        if line.strip():
            self._say(at, _who(board, agent), f"thinks {wording.one_line(line)}")

    def _say(self, at: float, who: str, what: str) -> None:
        print(f"{at:6.2f}  {who}{'  ' if who else ''}{what}", flush=True)


def _who(board: Board, agent: str) -> str:
    """Name of an agent; a thread of a team has its agent's name before it, for several may have the same task."""
    lane = board.lanes.get(agent)
    if lane is None:
        return wording.one_line(agent)
    name, above = wording.name(board, lane), board.lanes.get(lane.parent or "")
    if above is None or not board.team or wording.in_team(board, lane):
        return name
    return f"{wording.one_line(above.base_name)} › {_short(name, _MOST_OF_A_NAME)}"


def _started(board: Board, event: AgentStarted) -> tuple[str, str]:
    """Speaker and sentence of an agent's start."""
    lane = board.lanes[event.agent]
    if wording.in_team(board, lane):
        return wording.name(board, lane), f"starts · {wording.one_line(event.task)}"
    return _who(board, event.parent or ""), f"spawned {wording.name(board, lane)}"


def _ending(board: Board, lane: Lane) -> str:
    """Outcome of an agent; a long reply is cut to its end, which has the point."""
    from musespark.cli.view.cells import tail

    outcome = wording.outcome(board, lane)
    return f" {tail(outcome, _MOST_OF_A_LINE)}" if lane.state == "returned" else f": {outcome}"


def _together(board: Board, event: StageStarted | Agreed | Judged | AnswerDropped) -> str:
    """Sentence for an event of the whole team."""
    match event:
        case StageStarted():
            return f"stage: {wording.stage(event)}"
        case Agreed():
            enough = f" · enough: {wording.one_line(board.settled)}" if board.settled else ""
            return f"agreement: {wording.agreement(board.groups) or 'none'}{enough}"
        case Judged():
            return f"{wording.one_line(event.by)} judged: {wording.verdict_of(event)}"
        case AnswerDropped():
            return f"the answer so far is void: {wording.one_line(event.reason)}"


def _short(text: str, most: int = _MOST_OF_A_LINE) -> str:
    """The beginning of a text, for one line."""
    return text if len(text) <= most else text[:most] + "…"


class LiveView:
    """A live view of the team, redrawn in place; its last state stays on screen."""

    def __init__(self, console: Console) -> None:
        from musespark.cli.view.live_screen import LiveScreen

        self._console = console
        self._screen = LiveScreen(console)
        self._previews = console.color_system in ("truecolor", "256") and not console.no_color
        self._board = Board()
        self._heard = time.monotonic()
        self._next = 0.0

    def happened(self, board: Board, event: Event, image: Path | None) -> None:
        """Draw the board, unless a frame is just behind."""
        self._board, self._heard = board, time.monotonic()
        self.pulse()

    def pulse(self) -> None:
        """Draw the latest board when a frame is due."""
        from musespark.cli.view.frames import live_frame

        began = time.monotonic()
        if began < self._next or not self._board.lanes or self._board.over:
            return
        # The stream is silent while a model computes; the clock goes on from its latest event.
        seconds = self._board.at + began - self._heard
        size = self._console.size
        self._screen.draw(
            live_frame(self._board, size.width, size.height - 1, seconds, self._previews)
        )
        done = time.monotonic()
        self._next = max(began + BETWEEN_FRAMES, done + 19 * (done - began))

    def ended(self, board: Board, images: Sequence[Path]) -> None:
        """Draw what stays."""
        from musespark.cli.view.frames import final_frame

        self._screen.finish(
            final_frame(board, self._console.width, self._previews, images) if board.lanes else []
        )

    def dropped(self) -> None:
        """Show the cursor again. The handler may have interrupted a write, so not through the same buffer."""
        from musespark.cli.view.live_screen import SHOW_CURSOR

        os.write(self._console.file.fileno(), SHOW_CURSOR.encode())
