"""One line an agent: its name, state and group, and its latest thought or outcome."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from rich.cells import cell_len
from rich.text import Text

from musespark.cli.view import wording
from musespark.cli.view.board import Board, Lane, LaneState
from musespark.cli.view.cells import MARGIN, cut, dim, fitted, padded, tail, wrapped
from musespark.cli.view.groups import LetteredGroup
from musespark.events import MAIN

_STATE_CELLS = max(map(len, get_args(LaneState)))
_ALONE = 4
"""Lines for the thoughts of an agent that thinks alone."""
_WIDE = 100
"""Columns from which on there is room for an agent's approach and usage."""
_TOKEN_CELLS = 6
_URGENCY = {
    "won": 0,
    "thinking": 1,
    "waiting": 1,
    "answered": 2,
    "returned": 3,
    "failed": 4,
    "cancelled": 5,
}
_MARKS = {"thinking": "·", "waiting": "·", "cancelled": "×", "failed": "!"}
_COLOURS = ("green", "magenta", "yellow", "blue", "cyan", "red")
_ASIDE = re.compile(r"(same|judge)-\d+(-again)?$")
"""Agents that compare answers: of interest while they are at it."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Width of each column in cells; 0 leaves it out."""

    letter: int
    name: int
    model: int
    tokens: int


def colour(group: LetteredGroup | None) -> str:
    """The style of a group's letter and answer; there are more groups than colours, but seldom."""
    return _COLOURS[group.number] if group is not None and group.number < len(_COLOURS) else ""


def lanes(board: Board, width: int, height: int) -> list[Text]:
    """At most `height` lines; the agents for which there is no room are counted."""
    if len(board.lanes) == 1 and MAIN in board.lanes:
        return _alone(board.lanes[MAIN], width, min(_ALONE, height))
    present = _present(board)
    shown = _chosen(board, present, height)
    tree = _tree(shown)
    columns = _columns(board, tree, width)
    lines = [_lane(board, branch, lane, columns, width) for branch, lane in tree]
    kept = {lane.agent for lane in shown}
    hidden = [lane for lane in present if lane.agent not in kept]
    return [*lines, *_rest(board, hidden, width, height)] if hidden else lines


def _present(board: Board) -> list[Lane]:
    """The lanes worth a line: each agent of a team once, in its latest round, and only its running threads."""
    if not board.team:
        return list(board.lanes.values())
    latest = {lane.base_name: lane for lane in board.lanes.values()}
    at_work = {lane.agent for lane in latest.values() if lane.running}
    return [
        lane
        for lane in latest.values()
        if _counts(lane) and (not _is_thread(board, lane) or lane.parent in at_work)
    ]


def _counts(lane: Lane) -> bool:
    if lane.agent == MAIN:
        return bool(lane.thoughts or lane.images or lane.note or lane.tools)
    return lane.state not in ("returned", "cancelled") or not _ASIDE.match(lane.agent)


def _is_thread(board: Board, lane: Lane) -> bool:
    return lane.agent != MAIN and not wording.in_team(board, lane)


def _chosen(board: Board, present: list[Lane], height: int) -> list[Lane]:
    """The lanes to show when there is no room for all: the first agent, the winners, who still thinks, who ended last."""
    if len(present) <= height:
        return present
    earlier: dict[str, int] = {}
    ranks = {}
    for lane in present:
        # A team that is done shows some agents of every state; the letters of the others tell who won.
        turn = earlier.get(lane.state, 0) if board.team and board.over else 0
        ranks[lane.agent] = (
            lane.agent != MAIN,
            board.team and _is_thread(board, lane),
            turn,
            _URGENCY[lane.state],
        )
        earlier[lane.state] = turn + 1
    ranked = sorted(ranks, key=ranks.__getitem__)
    kept = set(ranked[: max(1, height - (2 if _with_strip(board, height) else 1))])
    return [lane for lane in present if lane.agent in kept]


def _with_strip(board: Board, height: int) -> bool:
    """True if agents without a line of their own get one letter each."""
    return board.team and height > 4


def _rest(board: Board, hidden: Sequence[Lane], width: int, height: int) -> list[Text]:
    """Lines for the lanes that are not shown: their number, and in a team the group or state of each."""
    lines = [dim(f"and {len(hidden)} more: {wording.tally(hidden)}", width)]
    if _with_strip(board, height):
        strip = Text(MARGIN)
        for lane in hidden:
            if not _is_thread(board, lane):
                group = board.group(lane)
                strip.append(
                    group.letter if group else _MARKS.get(lane.state, "○"), colour(group) or "dim"
                )
        lines.insert(0, cut(strip, width))
    return lines


def _tree(shown: Sequence[Lane]) -> list[tuple[str, Lane]]:
    """The lanes depth first, each with the branches of the tree in front of its name."""
    known = {lane.agent for lane in shown}

    def below(parent: str | None, bars: str) -> list[tuple[str, Lane]]:
        children = [
            lane for lane in shown if (lane.parent if lane.parent in known else None) == parent
        ]
        rows: list[tuple[str, Lane]] = []
        for lane in children:
            last = lane is children[-1]
            root = parent is None
            rows.append(("" if root else bars + ("└ " if last else "├ "), lane))
            rows += below(lane.agent, "" if root else bars + ("  " if last else "│ "))
        return rows

    return below(None, "")


def _columns(board: Board, tree: Sequence[tuple[str, Lane]], width: int) -> _Columns:
    names = max((cell_len(branch + wording.name(board, lane)) for branch, lane in tree), default=0)
    names = min(names, max(12, width * 3 // 10))
    if not board.team:
        return _Columns(0, names, 0, 0)
    models = max((cell_len(_model(board, lane, width)) for _, lane in tree), default=0)
    models = min(models, width // 3 if width >= _WIDE else width // 5)
    counted = width >= _WIDE and any(board.tokens(lane) for _, lane in tree)
    return _Columns(2, names, models, _TOKEN_CELLS if counted else 0)


def _model(board: Board, lane: Lane, width: int) -> str:
    """An agent's model, unless all have the same, and its approach if there is room."""
    if not wording.in_team(board, lane):
        return ""
    model, way = wording.model_and_way(board, lane)
    short = "" if model == wording.one_line(board.model) else model.partition(":")[2] or model
    return " · ".join(filter(None, (short, way))) if width >= _WIDE or not short else short


def _style(board: Board, lane: Lane) -> str:
    """Style of a lane: coloured while it runs, dim if it came to nothing."""
    if lane.state == "won":
        return "bold green" if board.verified else "bold"
    if lane.state == "thinking":
        return "cyan"
    if lane.state == "failed":
        return "red"
    return "" if lane.state in ("returned", "answered") and lane.outcome.strip() else "dim"


def _lane(board: Board, branch: str, lane: Lane, columns: _Columns, width: int) -> Text:
    """Line of an agent: group, name, model, state, and latest thought or outcome."""
    style, group = _style(board, lane), board.group(lane)
    line = Text(MARGIN)
    if columns.letter:
        line.append(padded(group.letter if group else "", columns.letter), colour(group))
    line.append(branch, "dim")
    line.append(
        padded(wording.name(board, lane), columns.name - cell_len(branch)),
        "bold" if lane.agent == MAIN else style,
    )
    if columns.model:
        line.append(MARGIN).append(padded(_model(board, lane, width), columns.model), "dim")
    state = wording.one_line(lane.tools[-1].tool) if lane.tools and lane.running else lane.state
    line.append(MARGIN).append(padded(state, _STATE_CELLS), style).append(MARGIN)
    used = board.tokens(lane) if columns.tokens else 0
    tokens = MARGIN + wording.short(used).rjust(columns.tokens) if columns.tokens else ""
    room = width - 1 - line.cell_len - len(tokens)
    line.append_text(_latest(board, lane, group, room))
    if tokens and room > 0:
        line.append(" " * (width - 1 - line.cell_len - len(tokens))).append(
            tokens if used else "", "dim"
        )
        line.rstrip()
    return cut(line, width)


def _latest(board: Board, lane: Lane, group: LetteredGroup | None, room: int) -> Text:
    """Latest thought while it runs, then its outcome."""
    drew = wording.counted(lane.images, "picture") if lane.images else ""
    text = Text()
    if lane.running:
        text.append(drew + MARGIN if drew else "", "dim")
        shown = fitted if lane.tools or lane.note or not lane.thoughts else tail
        text.append(shown(wording.doing(lane), room - text.cell_len), "dim")
    elif lane.state == "answered":
        text.append(drew, "dim")
    else:
        aside = MARGIN.join(filter(None, (drew, _changed(lane))))
        left = room - (cell_len(aside + MARGIN) if aside else 0)
        # What a team's agent returns is a whole reply: it comes to its point at the end.
        whole = (
            lane.state in ("returned", "won")
            and wording.in_team(board, lane)
            and wording.answer(board, lane) == lane.outcome
        )
        shown = tail if whole else fitted
        text.append(shown(wording.outcome(board, lane), left), _outcome_style(board, lane, group))
        text.append(MARGIN + aside if aside else "", "dim")
    text.truncate(max(0, room), overflow="ellipsis")
    return text


def _outcome_style(board: Board, lane: Lane, group: LetteredGroup | None) -> str:
    if lane.state == "failed":
        return "dim"
    return colour(group) if lane.state == "returned" and group else _style(board, lane)


def _changed(lane: Lane) -> str:
    """Answer of an agent before it saw its rivals' answers."""
    if lane.changed is None:
        return ""
    return (
        "kept" if lane.changed.kept else f"was {fitted(wording.one_line(lane.changed.before), 16)}"
    )


def _alone(lane: Lane, width: int, height: int) -> list[Text]:
    """The last lines of the only agent's thoughts, and what it does with a tool."""
    room = width - 1 - len(MARGIN)
    written = [line for line in wording.clean(lane.thoughts).split("\n") if line.strip()]
    used = [f"{wording.one_line(lane.tools[-1].tool)}: {wording.doing(lane)}"] if lane.tools else []
    noted = [wording.one_line(lane.note)] if lane.note.strip() and not used else []
    lines = [part for line in written[-height:] for part in wrapped(line, room, height + 1)]
    return [
        Text(MARGIN).append(fitted(line, room), "dim") for line in [*lines, *used, *noted][-height:]
    ]
