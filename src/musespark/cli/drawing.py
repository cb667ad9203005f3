"""A board as lines of styled text, for a given width and height. Only the terminal's own colours, so that they suit its theme."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from musespark.cli import words
from musespark.cli.board import Board, Lane, State
from musespark.cli.previews import preview
from musespark.events import MAIN, Pictured

MARGIN = "  "
_STATE_CELLS = max(map(len, get_args(State)))
_MOST_LANES = 24
"""Lanes that stay on screen after a run."""
_ALONE = 4
"""Lines for the thoughts of an agent that thinks alone."""


def live(board: Board, width: int, height: int, seconds: float, previews: bool) -> list[Text]:
    """A frame while the run goes on: at most `height` lines, each narrower than `width`."""
    head = _head(board, width, 2)
    foot = [*_answer(board, width, 3), Text(), *_row(words.spending(board, seconds), width)]
    rest = height - len(head) - len(foot)
    pictures = _pictures(board, width, rest // 2) if previews else []
    lanes = _lanes(board, width, rest - len(pictures))
    return [*head, *lanes, *pictures, *foot][:height]


def final(board: Board, width: int, previews: bool, kept: Sequence[Path]) -> list[Text]:
    """What stays on screen."""
    head = _head(board, width, 4)
    pictures = _pictures(board, width, 14) if previews else []
    return [*head, *_lanes(board, width, _MOST_LANES), *pictures, *closing(board, kept, width), Text()]


def closing(board: Board, kept: Sequence[Path], width: int) -> list[Text]:
    """How it ended: the answer, whether it was checked, what it cost, where the pictures are.

    Answer and paths are not broken into lines: a person may want to copy them.
    """
    lines = [Text()]
    if board.answer.strip():
        lines += [Text(MARGIN).append(line, "bold") for line in words.clean(board.answer).strip("\n").split("\n")]
        lines += [Text(), Text(MARGIN).append(words.verdict(board), _verdict_style(board))]
        if board.why != "finished":
            lines.append(Text(MARGIN).append(words.early(board), "bold"))
    lines += _row(words.spending(board), width)
    for index, path in enumerate(words.paths(kept)):
        lines.append(Text(MARGIN).append("pictures  " if index == 0 else " " * 10, "dim").append(path))
    return lines


def _verdict_style(board: Board) -> str:
    if board.verified:
        return "green"
    return "bold red" if board.checked_by else "bold"


def _head(board: Board, width: int, most: int) -> list[Text]:
    """The question, and what is asked how."""
    question = words.one_line(board.question)
    lines = [Text(MARGIN).append(line, "bold") for line in _wrapped(question, width - 1 - len(MARGIN), most)]
    return [Text(), *lines, _dim(f"{words.one_line(board.model)} · {board.mode}", width), Text()]


def _dim(text: str, width: int) -> Text:
    return _cut(Text(MARGIN).append(text, "dim"), width)


def _row(items: Sequence[str], width: int) -> list[Text]:
    """Items side by side, on as few lines as hold them."""
    rows = [""]
    for item in items:
        row = f"{rows[-1]} · {item}" if rows[-1] else item
        rows[-1:] = [row] if len(MARGIN + row) < width else [rows[-1], item]
    return [_dim(row, width) for row in rows if row]


def _answer(board: Board, width: int, most: int) -> list[Text]:
    """The answer as it comes."""
    lines = words.clean(board.answer).strip("\n").split("\n")
    if not board.answer.strip():
        return []
    return [Text(), *(_cut(Text(MARGIN).append(line, "bold"), width) for line in lines[-most:])]


def _pictures(board: Board, width: int, height: int) -> list[Text]:
    """The newest pictures side by side, a caption below each; nothing where there is no room for them."""
    side = 24 if height >= 14 and width > 24 + len(MARGIN) else 16
    beside = (width - 1) // (side + len(MARGIN))
    if not board.pictures or not beside or height < side // 2 + 2:
        return []
    newest = board.pictures[-beside:]
    shown = [(picture, preview(picture.picture, side)) for picture in newest]
    blocks = [(lines, _caption(board, picture)) for picture, lines in shown if lines]
    rows = [Text(), *(Text() for _ in range(max((len(lines) for lines, _ in blocks), default=0) + 1))]
    for lines, caption in blocks:
        for index, row in enumerate(rows[1:-1]):
            line = lines[index] if index < len(lines) else Text()
            row.append(MARGIN).append_text(line).append(" " * (side - line.cell_len))
        rows[-1].append(MARGIN).append(set_cell_size(caption, side), "dim")
    return rows if blocks else []


def _caption(board: Board, picture: Pictured) -> str:
    lane = board.lanes.get(picture.agent)
    return words.name(lane) if lane and lane.agent != MAIN else words.one_line(picture.caption)


def _lanes(board: Board, width: int, height: int) -> list[Text]:
    """One line an agent, the team as a tree; those for which there is no room are counted."""
    if len(board.lanes) == 1 and MAIN in board.lanes:
        return _alone(board.lanes[MAIN], width, min(_ALONE, height))
    shown = _chosen(board, height)
    tree = _tree(shown)
    names = max((cell_len(branch + words.name(lane)) for branch, lane in tree), default=0)
    names = min(names, max(12, width * 3 // 10))
    lines = [_lane(branch, lane, names, width, _style(board, lane)) for branch, lane in tree]
    hidden = [lane for lane in board.lanes.values() if lane not in shown]
    return [*lines, _dim(f"and {len(hidden)} more: {words.tally(hidden)}", width)] if hidden else lines


def _chosen(board: Board, height: int) -> list[Lane]:
    """The lanes to show when there is no room for all: the first agent, the winners, who still thinks, who ended last."""
    lanes = list(board.lanes.values())
    if len(lanes) <= height:
        return lanes
    urgency = {"won": 0, "thinking": 1, "waiting": 1, "answered": 2, "returned": 3, "cancelled": 4}
    ranked = sorted(lanes, key=lambda lane: (lane.agent != MAIN, urgency[lane.state]))
    kept = {lane.agent for lane in ranked[:max(1, height - 1)]}
    return [lane for lane in lanes if lane.agent in kept]


def _tree(lanes: Sequence[Lane]) -> list[tuple[str, Lane]]:
    """The lanes depth first, each with the branches of the tree in front of its name."""
    known = {lane.agent for lane in lanes}

    def below(parent: str | None, bars: str) -> list[tuple[str, Lane]]:
        children = [lane for lane in lanes if (lane.parent if lane.parent in known else None) == parent]
        rows: list[tuple[str, Lane]] = []
        for lane in children:
            last = lane is children[-1]
            root = parent is None
            rows.append(("" if root else bars + ("└ " if last else "├ "), lane))
            rows += below(lane.agent, "" if root else bars + ("  " if last else "│ "))
        return rows

    return below(None, "")


def _style(board: Board, lane: Lane) -> str:
    """What still goes on is coloured, what came to nothing recedes."""
    if lane.state == "won":
        return "bold green" if board.verified else "bold"
    if lane.state == "thinking":
        return "cyan"
    return "" if lane.state in ("returned", "answered") and lane.outcome.strip() else "dim"


def _lane(branch: str, lane: Lane, names: int, width: int, style: str) -> Text:
    """Its name, its state, and the latest it thought or what came of it."""
    line = Text(MARGIN).append(branch, "dim")
    room = names - cell_len(branch)
    line.append(set_cell_size(_fitted(words.name(lane), room), room), "bold" if lane.agent == MAIN else style)
    line.append(MARGIN).append(lane.state.ljust(_STATE_CELLS), style).append(MARGIN)
    drew = words.counted(lane.pictures, "picture") if lane.pictures else ""
    room = width - 1 - line.cell_len - (len(drew + MARGIN) if drew else 0)
    if lane.state in ("thinking", "waiting"):
        line.append(drew + MARGIN if drew else "", "dim").append(_tail(words.one_line(lane.thoughts), room), "dim")
    elif lane.state == "answered":
        line.append(drew, "dim")
    else:
        line.append(_fitted(words.outcome(lane), room), style).append(MARGIN + drew if drew else "", "dim")
    return _cut(line, width)


def _alone(lane: Lane, width: int, height: int) -> list[Text]:
    """The last lines of the only agent's thoughts."""
    room = width - 1 - len(MARGIN)
    written = [line for line in words.clean(lane.thoughts).split("\n") if line.strip()]
    wrapped = [part for line in written[-height:] for part in _wrapped(line, room, height + 1)]
    return [Text(MARGIN).append(_fitted(line, room), "dim") for line in wrapped[-height:]]


def _wrapped(text: str, width: int, most: int) -> list[str]:
    """The text in lines, broken at words where there are any; the last line that is allowed is cut."""
    from textwrap import wrap

    # textwrap counts characters; where some are two cells wide, half as many always fit.
    letters = width if cell_len(text) == len(text) else width // 2
    lines = wrap(text, max(1, letters)) or [""]
    return lines if len(lines) <= most else [*lines[:most - 1], _fitted(" ".join(lines[most - 1:]), width)]


def _fitted(text: str, width: int) -> str:
    """The beginning of a text, in so many cells."""
    return text if cell_len(text) <= width else set_cell_size(text, max(0, width - 1)).rstrip() + "…"


def _tail(text: str, width: int) -> str:
    """The end of a text, in so many cells."""
    if cell_len(text) <= width:
        return text
    kept = text[-max(1, width - 1):]
    while cell_len(kept) > max(0, width - 1):
        kept = kept[1:]
    return "…" + kept


def _cut(line: Text, width: int) -> Text:
    line.truncate(width - 1, overflow="ellipsis")
    return line
