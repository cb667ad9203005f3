"""A board as lines of styled text, for a given width and height. Only the terminal's own colours, so that they suit its theme."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import set_cell_size
from rich.text import Text

from musespark.cli import words
from musespark.cli.board import Board
from musespark.cli.fitting import MARGIN, cut, dim, row, wrapped
from musespark.cli.previews import preview
from musespark.cli.rows import colour, lanes
from musespark.events import MAIN, Pictured

_MOST_LANES = 24
"""Lanes that stay on screen after a run."""
_MOST_GROUPS = 4
"""Groups of equal answers that are shown."""
_MOST_VOTES = 16
"""Votes that are drawn one by one."""


def live(board: Board, width: int, height: int, seconds: float, previews: bool) -> list[Text]:
    """A frame while the run goes on: at most `height` lines, each narrower than `width`."""
    head = _head(board, width, 2)
    foot = [*_answer(board, width, 3), Text(), *row(words.spending(board, seconds), width)]
    rest = height - len(head) - len(foot)
    agreement = _agreement(board, width, rest // 3)
    rest -= len(agreement)
    pictures = _pictures(board, width, rest // 2) if previews else []
    agents = lanes(board, width, rest - len(pictures))
    return [*head, *agents, *agreement, *pictures, *foot][:height]


def final(board: Board, width: int, previews: bool, kept: Sequence[Path]) -> list[Text]:
    """What stays on screen."""
    head = _head(board, width, 4)
    pictures = _pictures(board, width, 14) if previews else []
    agents, agreement = lanes(board, width, _MOST_LANES), _agreement(board, width, _MOST_GROUPS + 2)
    return [*head, *agents, *agreement, *pictures, *closing(board, kept, width), Text()]


def closing(board: Board, kept: Sequence[Path], width: int) -> list[Text]:
    """How it ended: the answer, whether it was checked, what it cost, where the pictures are.

    Answer and paths are not broken into lines: a person may want to copy them.
    """
    lines = [Text()]
    if board.answer.strip():
        lines += [Text(MARGIN).append(line, "bold") for line in words.clean(board.answer).strip("\n").split("\n")]
        told = [(words.decision(board.decided), "")] if board.decided else []
        told.append((words.verdict(board), _verdict_style(board)))
        if board.finish_reason != "finished":
            told.append((words.early(board), "bold"))
        room = max(1, width - 1 - len(MARGIN))
        lines += [Text(), *(Text(MARGIN).append(line, style) for text, style in told for line in wrapped(text, room, 4))]
    lines += row(words.spending(board), width)
    for index, path in enumerate(words.paths(kept)):
        lines.append(Text(MARGIN).append("pictures  " if index == 0 else " " * 10, "dim").append(path))
    return lines


def _verdict_style(board: Board) -> str:
    if board.verified:
        return "green"
    return "bold red" if board.checked_by else "bold"


def _head(board: Board, width: int, most: int) -> list[Text]:
    """The question, what is asked how, and how far a team has come."""
    question = words.one_line(board.question)
    lines = [Text(MARGIN).append(line, "bold") for line in wrapped(question, width - 1 - len(MARGIN), most)]
    model = words.one_line(board.model)
    if not board.team:
        return [Text(), *lines, dim(f"{model} · {board.mode}", width), Text()]
    how = Text(MARGIN).append(f"{board.mode} · ", "dim")
    *past, now = map(words.stage, board.stages)
    how.append("".join(f"{stage} › " for stage in past), "dim").append(now, "dim" if board.over else "cyan")
    return [Text(), *lines, cut(how.append(f" · {model}", "dim"), width), Text()]


def _agreement(board: Board, width: int, most: int) -> list[Text]:
    """The votes: a line for each group of equal answers, why they are enough, and what a judge found last."""
    if not board.groups or most < 2:
        return []
    shown = board.groups[:min(_MOST_GROUPS, most - 1)]
    largest = max(len(group.agents) for group in board.groups)
    drawn = min(largest, _MOST_VOTES, max(1, width // 4))
    lines = [Text()]
    for group in shown:
        votes = len(group.agents)
        bar = "●" * max(1 if votes else 0, round(votes * drawn / max(1, largest)))
        line = Text(MARGIN).append(f"{group.letter} {bar.ljust(drawn)} ", colour(group))
        line.append(f"{votes:>{len(str(largest))}}  ", "dim")
        lines.append(cut(line.append(words.one_line(group.answer) or "nothing", colour(group)), width))
    rest = board.groups[len(shown):]
    agents = words.counted(sum(len(group.agents) for group in rest), "agent")
    said = [f"and {words.counted(len(rest), 'group')} more of {agents}"] if rest else []
    if not board.over:
        said += [f"enough: {words.one_line(board.settled)}"] if board.settled else []
        said += map(words.verdict_of, board.verdicts[-1:])
    return [*lines, *(dim(line, width) for line in said)][:most]


def _answer(board: Board, width: int, most: int) -> list[Text]:
    """The answer as it comes."""
    lines = words.clean(board.answer).strip("\n").split("\n")
    if not board.answer.strip():
        return []
    return [Text(), *(cut(Text(MARGIN).append(line, "bold"), width) for line in lines[-most:])]


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
        for index, across in enumerate(rows[1:-1]):
            line = lines[index] if index < len(lines) else Text()
            across.append(MARGIN).append_text(line).append(" " * (side - line.cell_len))
        rows[-1].append(MARGIN).append(set_cell_size(caption, side), "dim")
    return rows if blocks else []


def _caption(board: Board, picture: Pictured) -> str:
    lane = board.lanes.get(picture.agent)
    return words.name(board, lane) if lane and lane.agent != MAIN else words.one_line(picture.caption)
