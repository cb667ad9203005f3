"""Three ways to show a run: lanes on a terminal, plain lines in a pipe, one JSON object. Each is fed event by event."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from musespark.cli import words
from musespark.cli.board import Board, Lane, Use, gist
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


class Show(Protocol):
    """A way to show a run."""

    def happened(self, board: Board, event: Event, picture: Path | None) -> None:
        """An event, the board after it, and the file that its picture was kept in."""

    def pulse(self) -> None:
        """Time passes; called several times a second."""

    def ended(self, board: Board, pictures: Sequence[Path]) -> None:
        """Nothing more will happen; the board may know of nothing that did."""

    def dropped(self) -> None:
        """The process ends within this signal handler; only what the terminal needs may still be done."""


def show_for(as_json: bool) -> Show:
    """The way that suits where the output goes."""
    if as_json:
        return Json()
    if sys.stdout.isatty():
        from rich.console import Console

        console = Console(highlight=False, markup=False, emoji=False)
        if not (console.is_dumb_terminal or console.legacy_windows or console.options.ascii_only):
            return Lanes(console)
    return Lines()


class Json:
    """One object when all is over, and nothing where there is no answer to speak of."""

    def happened(self, board: Board, event: Event, picture: Path | None) -> None:
        """Wait for the end."""

    def pulse(self) -> None:
        """Nothing moves."""

    def ended(self, board: Board, pictures: Sequence[Path]) -> None:
        """Print the object, unless there is nothing to put into it."""
        if board.failed or (board.finish_reason is None and not board.answer):
            return
        if board.answer and (early := words.early(board)):
            print(f"This is the {early}.", file=sys.stderr)
        print(json.dumps(_object(board, pictures)), flush=True)

    def dropped(self) -> None:
        """Nothing is open."""


def _object(board: Board, pictures: Sequence[Path]) -> dict[str, Any]:
    """A run as a JSON object; each agent once, as it stood in its last round."""
    usage, decided = board.usage, board.decided
    latest = {lane.who: lane for lane in board.lanes.values() if lane.agent != MAIN}
    return {
        "answer": board.answer, "mode": board.mode, "status": board.status, "verified": board.verified,
        "abstained": board.abstained or None,
        "usage": {"tokens": usage.tokens, "critical_path": usage.critical_path, "threads": board.threads,
                  "seconds": usage.seconds or board.at, "usd": usage.usd, "calls": usage.calls,
                  "prompt_tokens": usage.prompt_tokens},
        "pictures": [str(path) for path in pictures],
        "decided": decided and {"by": decided.by, "winners": list(decided.winners), "reason": decided.reason},
        "agents": [_agent(board, lane) for lane in latest.values()],
    }


def _agent(board: Board, lane: Lane) -> dict[str, Any]:
    """An agent as a JSON object: what it answered, or why there is no answer of it."""
    group, first = board.group(lane), board.lanes.get(lane.who, lane)
    answered = lane.state in ("returned", "won")
    ended = lane.outcome if lane.state == "failed" else words.outcome(board, lane)
    return {
        "agent": lane.who, "parent": lane.parent, "model": words.model_and_way(board, lane)[0], "task": first.task,
        "state": lane.state, "answer": words.answer(board, lane) if answered else None, "reason": None if answered else ended,
        "before": lane.changed.before if lane.changed and not lane.changed.kept else None, "group": group and group.letter,
    }


class Lines:
    """A line whenever something has happened, without control codes: what a pipe, a file or a CI log wants."""

    def __init__(self) -> None:
        self._thoughts: dict[str, str] = {}

    def happened(self, board: Board, event: Event, picture: Path | None) -> None:
        """Say it, thoughts a line at a time."""
        match event:
            case RunStarted():
                self._say(event.at, "", f"{words.one_line(event.model)} · {event.mode} · {words.one_line(event.question)}")
            case Thought():
                self._thought(board, event)
            case AgentStarted() if event.agent != MAIN:
                self._flush(board, event.at, event.parent or "")
                self._say(event.at, *_started(board, event))
            case Pictured():
                caption = words.one_line(event.caption)
                self._did(board, event, f"drew {words.clean(str(picture))}" + (caption and f" ({caption})"))
            case ToolCalled():
                given = words.arguments(Use(event.call, event.tool, event.arguments))
                self._did(board, event, f"uses {words.one_line(event.tool)}: {_short(given)}")
            case ToolReturned():
                got = _short(words.one_line(gist(event)) or "nothing")
                self._did(board, event, f"{'failed' if event.failed else 'got'}: {got}")
            case Noted():
                self._did(board, event, words.one_line(event.text))
            case Changed():
                self._did(board, event, words.change(event))
            case AgentReturned() | AgentCancelled() | AgentFailed():
                self._flush(board, event.at, event.agent)
                if event.agent != MAIN:
                    lane = board.lanes[event.agent]
                    self._say(event.at, _who(board, event.agent), lane.state + _ending(board, lane))
            case StageStarted() | Agreed() | Judged() | AnswerDropped():
                self._say(event.at, "", _together(board, event))

    def pulse(self) -> None:
        """Nothing moves."""

    def ended(self, board: Board, pictures: Sequence[Path]) -> None:
        """Print how it ended, as a terminal shows it."""
        from musespark.cli.drawing import closing

        for agent in list(self._thoughts):
            self._flush(board, board.at, agent)
        if board.lanes:
            print("\n".join(line.plain for line in closing(board, pictures, _ANY_WIDTH)), flush=True)

    def dropped(self) -> None:
        """Nothing is open."""

    def _did(self, board: Board, event: Pictured | ToolCalled | ToolReturned | Noted | Changed, what: str) -> None:
        """Say what an agent did, after what it thought before."""
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
            self._say(at, _who(board, agent), f"thinks {words.one_line(line)}")

    def _say(self, at: float, who: str, what: str) -> None:
        print(f"{at:6.2f}  {who}{'  ' if who else ''}{what}", flush=True)


def _who(board: Board, agent: str) -> str:
    """What an agent is called; a thread below one of a team with that agent's name, for several may have the same task."""
    lane = board.lanes.get(agent)
    if lane is None:
        return words.one_line(agent)
    name, above = words.name(board, lane), board.lanes.get(lane.parent or "")
    if above is None or not board.team or words.in_team(board, lane):
        return name
    return f"{words.one_line(above.who)} › {_short(name, _MOST_OF_A_NAME)}"


def _started(board: Board, event: AgentStarted) -> tuple[str, str]:
    """Who says that an agent has started, and how."""
    lane = board.lanes[event.agent]
    if words.in_team(board, lane):
        return words.name(board, lane), f"starts · {words.one_line(event.task)}"
    return _who(board, event.parent or ""), f"spawned {words.name(board, lane)}"


def _ending(board: Board, lane: Lane) -> str:
    """What came of an agent; of a long reply its end, where it comes to its point."""
    from musespark.cli.fitting import tail

    outcome = words.outcome(board, lane)
    return f" {tail(outcome, _MOST_OF_A_LINE)}" if lane.state == "returned" else f": {outcome}"


def _together(board: Board, event: StageStarted | Agreed | Judged | AnswerDropped) -> str:
    """What concerns the whole team."""
    match event:
        case StageStarted():
            return f"stage: {words.stage(event)}"
        case Agreed():
            enough = f" · enough: {words.one_line(board.settled)}" if board.settled else ""
            return f"agreement: {words.agreement(board.groups) or 'none'}{enough}"
        case Judged():
            return f"{words.one_line(event.by)} judged: {words.verdict_of(event)}"
        case AnswerDropped():
            return f"the answer so far is void: {words.one_line(event.reason)}"


def _short(text: str, most: int = _MOST_OF_A_LINE) -> str:
    """The beginning of a text, for one line."""
    return text if len(text) <= most else text[:most] + "…"


class Lanes:
    """A live picture of the team, redrawn in place; its last state stays on screen."""

    def __init__(self, console: Console) -> None:
        from musespark.cli.screen import Screen

        self._console = console
        self._screen = Screen(console)
        self._previews = console.color_system in ("truecolor", "256") and not console.no_color
        self._board = Board()
        self._heard = time.monotonic()
        self._next = 0.0

    def happened(self, board: Board, event: Event, picture: Path | None) -> None:
        """Draw the board, unless a frame is just behind."""
        self._board, self._heard = board, time.monotonic()
        self.pulse()

    def pulse(self) -> None:
        """Draw the latest board when a frame is due."""
        from musespark.cli.drawing import live

        began = time.monotonic()
        if began < self._next or not self._board.lanes or self._board.over:
            return
        # The stream is silent while a model computes; the clock goes on from its latest event.
        seconds = self._board.at + began - self._heard
        size = self._console.size
        self._screen.draw(live(self._board, size.width, size.height - 1, seconds, self._previews))
        done = time.monotonic()
        self._next = max(began + BETWEEN_FRAMES, done + 19 * (done - began))

    def ended(self, board: Board, pictures: Sequence[Path]) -> None:
        """Draw what stays."""
        from musespark.cli.drawing import final

        self._screen.finish(final(board, self._console.width, self._previews, pictures) if board.lanes else [])

    def dropped(self) -> None:
        """Leave a cursor. The handler may have interrupted a write, so not through the same buffer."""
        from musespark.cli.screen import SHOW_CURSOR

        os.write(self._console.file.fileno(), SHOW_CURSOR.encode())
