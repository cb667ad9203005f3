"""Boards of teams, and their lines as plain text."""

from collections.abc import Iterable

from musespark.cli.view.board import Board
from musespark.cli.view.frames import live_frame
from musespark.events import (
    AgentStarted,
    Event,
    RunStarted,
    StageStarted,
)

ASKED = (
    RunStarted("r", "contemplating", "nano", "How many?"),
    AgentStarted("main", None, "How many?"),
    StageStarted("explore"),
)


def board_of(events: Iterable[Event], **fields) -> Board:
    board = Board(**fields)
    for event in events:
        board = board.after(event)
    return board


def explorers(*ways: str) -> list[Event]:
    return [
        *ASKED,
        *(AgentStarted(f"agent-{number}", "main", way) for number, way in enumerate(ways, 1)),
    ]


def plain(lines) -> list[str]:
    return [line.plain.rstrip() for line in lines]


def agents(board: Board, width: int = 80, height: int = 24) -> list[str]:
    """The lines between the head and the votes."""
    lines = plain(live_frame(board, width, height, 0.0, False))[4:]
    return lines[: lines.index("")]
