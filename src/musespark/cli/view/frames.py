"""A board as lines of styled text, for a given width and height. Only the terminal's own colours, so that they suit its theme."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import set_cell_size
from rich.text import Text

from musespark.cli.view import wording
from musespark.cli.view.agent_rows import colour, lanes
from musespark.cli.view.board import Board
from musespark.cli.view.cells import MARGIN, cut, dim, row, wrapped
from musespark.cli.view.image_preview import preview
from musespark.events import MAIN, Pictured

_MOST_LANES = 24
"""Lanes that stay on screen after a run."""
_MOST_GROUPS = 4
"""Groups of equal answers that are shown."""
_MOST_VOTES = 16
"""Votes that are drawn one by one."""


def live_frame(board: Board, width: int, height: int, seconds: float, previews: bool) -> list[Text]:
    """A frame of a running run: at most `height` lines, each narrower than `width`."""
    head = _head(board, width, 2)
    foot = [*_answer(board, width, 3), Text(), *row(wording.spending(board, seconds), width)]
    rest = height - len(head) - len(foot)
    agreement = _agreement(board, width, rest // 3)
    rest -= len(agreement)
    images = image_rows(board, width, rest // 2) if previews else []
    agents = lanes(board, width, rest - len(images))
    return [*head, *agents, *agreement, *images, *foot][:height]


def final_frame(board: Board, width: int, previews: bool, kept: Sequence[Path]) -> list[Text]:
    """The lines that stay on screen."""
    head = _head(board, width, 4)
    images = image_rows(board, width, 14) if previews else []
    agents, agreement = lanes(board, width, _MOST_LANES), _agreement(board, width, _MOST_GROUPS + 2)
    return [*head, *agents, *agreement, *images, *summary_lines(board, kept, width), Text()]


def summary_lines(board: Board, kept: Sequence[Path], width: int) -> list[Text]:
    """The answer, its verification, its cost, and the paths of images.

    Answer and paths are not broken into lines: a person may want to copy them.
    """
    lines = [Text()]
    room = max(1, width - 1 - len(MARGIN))
    if board.answer.strip():
        lines += [
            Text(MARGIN).append(line, "bold")
            for line in wording.clean(board.answer).strip("\n").split("\n")
        ]
        told = [(wording.decision(board.decided), "")] if board.decided else []
        told.append((wording.verdict(board), _verdict_style(board)))
        if board.finish_reason != "finished":
            told.append((wording.early(board), "bold"))
        lines += [
            Text(),
            *(
                Text(MARGIN).append(line, style)
                for text, style in told
                for line in wrapped(text, room, 4)
            ),
        ]
    lines += row(wording.spending(board), width)
    if board.images and not kept:
        lines += [dim(line, width) for line in wrapped(wording.unkept(len(board.images)), room, 2)]
    for index, path in enumerate(wording.paths(kept)):
        lines.append(
            Text(MARGIN).append("pictures  " if index == 0 else " " * 10, "dim").append(path)
        )
    return lines


def _verdict_style(board: Board) -> str:
    if board.verified:
        return "green"
    return "bold red" if board.checked_by else "bold"


def _head(board: Board, width: int, most: int) -> list[Text]:
    """The question, the model and mode, and the stages of a team."""
    question = wording.one_line(board.question)
    lines = [
        Text(MARGIN).append(line, "bold")
        for line in wrapped(question, width - 1 - len(MARGIN), most)
    ]
    model = wording.one_line(board.model)
    if not board.team:
        return [Text(), *lines, dim(f"{model} · {board.mode}", width), Text()]
    how = Text(MARGIN).append(f"{board.mode} · ", "dim")
    *past, now = map(wording.stage, board.stages)
    how.append("".join(f"{stage} › " for stage in past), "dim").append(
        now, "dim" if board.over else "cyan"
    )
    return [Text(), *lines, cut(how.append(f" · {model}", "dim"), width), Text()]


def _agreement(board: Board, width: int, most: int) -> list[Text]:
    """Votes: a line for each group of equal answers, the reason to stop, and a judge's last verdict."""
    if not board.groups or most < 2:
        return []
    shown = board.groups[: min(_MOST_GROUPS, most - 1)]
    largest = max(len(group.agents) for group in board.groups)
    drawn = min(largest, _MOST_VOTES, max(1, width // 4))
    lines = [Text()]
    for group in shown:
        votes = len(group.agents)
        bar = "●" * max(1 if votes else 0, round(votes * drawn / max(1, largest)))
        line = Text(MARGIN).append(f"{group.letter} {bar.ljust(drawn)} ", colour(group))
        line.append(f"{votes:>{len(str(largest))}}  ", "dim")
        lines.append(
            cut(line.append(wording.one_line(group.answer) or "nothing", colour(group)), width)
        )
    rest = board.groups[len(shown) :]
    agents = wording.counted(sum(len(group.agents) for group in rest), "agent")
    said = [f"and {wording.counted(len(rest), 'group')} more of {agents}"] if rest else []
    if not board.over:
        said += [f"enough: {wording.one_line(board.settled)}"] if board.settled else []
        said += map(wording.verdict_of, board.verdicts[-1:])
    return [*lines, *(dim(line, width) for line in said)][:most]


def _answer(board: Board, width: int, most: int) -> list[Text]:
    """The answer as it arrives."""
    lines = wording.clean(board.answer).strip("\n").split("\n")
    if not board.answer.strip():
        return []
    return [Text(), *(cut(Text(MARGIN).append(line, "bold"), width) for line in lines[-most:])]


def image_rows(board: Board, width: int, height: int) -> list[Text]:
    """The newest images side by side, a caption below each; nothing if there is no room."""
    side = 24 if height >= 14 and width > 24 + len(MARGIN) else 16
    beside = (width - 1) // (side + len(MARGIN))
    if not board.images or not beside or height < side // 2 + 2:
        return []
    newest = board.images[-beside:]
    shown = [(image, preview(image.image, side)) for image in newest]
    blocks = [(lines, _caption(board, image)) for image, lines in shown if lines]
    rows = [
        Text(),
        *(Text() for _ in range(max((len(lines) for lines, _ in blocks), default=0) + 1)),
    ]
    for lines, caption in blocks:
        for index, across in enumerate(rows[1:-1]):
            line = lines[index] if index < len(lines) else Text()
            across.append(MARGIN).append_text(line).append(" " * (side - line.cell_len))
        rows[-1].append(MARGIN).append(set_cell_size(caption, side), "dim")
    return rows if blocks else []


def _caption(board: Board, image: Pictured) -> str:
    lane = board.lanes.get(image.agent)
    return (
        wording.name(board, lane)
        if lane and lane.agent != MAIN
        else wording.one_line(image.caption)
    )
