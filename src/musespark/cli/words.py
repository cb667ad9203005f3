"""A run in words: what is said of it wherever it is shown, on a terminal, in a pipe or on stderr."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from musespark.cli.board import Board, Lane
from musespark.events import MAIN

MOST_PATHS = 16
"""Paths of pictures that are listed one by one."""

# What a terminal would obey instead of show: control characters, overrides of the writing direction, halves of a character.
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff]")

_EARLY = {
    "finished": "",
    "length": "the token limit ended the run",
    "budget": "the budget ended the run",
    "cut": "the model's reply broke off",
    None: "the run was stopped",
}
_CANCELLED = {
    "finished": "it was not needed",
    "length": "the token limit was reached",
    "budget": "the budget ran out",
    "cut": "the reply broke off",
}
_EMPTY = {
    "finished": "The model ended without an answer{}; ask differently or choose another model.",
    "length": "The token limit was reached before an answer{}; try another mode, or raise --max-tokens where it is set.",
    "budget": "The budget ran out before an answer{}; raise --deadline or --max-tokens.",
    "cut": "The model's reply broke off before an answer{}; ask again.",
    None: "The run was stopped before an answer{}.",
}


def clean(text: str) -> str:
    """Text that a terminal shows and never obeys; a model or a file may have written anything."""
    return _UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\t", "    "))


def one_line(text: str) -> str:
    """Clean text with all white space, line breaks too, made single spaces."""
    return " ".join(clean(text).split())


def name(lane: Lane) -> str:
    """What a lane is called: the first agent by its name, the others by what they were asked to do."""
    return lane.agent if lane.agent == MAIN else one_line(lane.task) or lane.agent


def outcome(lane: Lane) -> str:
    """What came of an agent that has ended."""
    if lane.state == "cancelled":
        return _CANCELLED.get(lane.outcome) or one_line(lane.outcome)
    return one_line(lane.outcome) or "nothing"


def early(board: Board) -> str:
    """Why an answer is only the best so far; empty for one that the model finished."""
    why = "the run failed" if board.failed else _EARLY[board.why] + _in_brackets(board.reason)
    return "" if board.why == "finished" else f"best answer so far: {why}"


def empty(board: Board) -> str:
    """One sentence for a run without an answer."""
    return _EMPTY[board.why].format(_in_brackets(board.reason))


def _in_brackets(reason: str) -> str:
    reason = one_line(reason)
    return f" ({reason})" if reason else ""


def verdict(board: Board) -> str:
    """Whether the answer was checked, and by what."""
    if board.verified:
        return f"verified by {one_line(board.checked_by)}" if board.checked_by else "verified"
    if board.checked_by:
        return f"not verified: {one_line(board.checked_by)} found it wrong"
    return "not verified: nothing here can check it"


def spending(board: Board, seconds: float | None = None) -> list[str]:
    """What the run has cost so far, item by item; seconds where they are known better than by the latest event."""
    usage = board.usage
    return [
        f"critical path {usage.critical_path:,}",
        counted(usage.tokens, "token"),
        counted(board.threads, "thread"),
        f"{(usage.seconds or board.at) if seconds is None else seconds:.1f} s",
        money(usage.usd),
    ]


def counted(number: int, thing: str) -> str:
    """`1 token`, `2,000 tokens`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def money(usd: float) -> str:
    """Dollars; small amounts keep two digits that say something."""
    if usd == 0:
        return "$0"
    return f"${usd:.2f}" if usd >= 0.995 else f"${usd:.2g}"


def paths(pictures: Sequence[Path]) -> list[str]:
    """The pictures' paths, a few by name and the rest by their directory."""
    listed = [clean(str(path)) for path in pictures[:MOST_PATHS]]
    if len(pictures) > MOST_PATHS:
        listed.append(f"and {len(pictures) - MOST_PATHS:,} more in {clean(str(pictures[0].parent))}")
    return listed


def tally(lanes: Iterable[Lane]) -> str:
    """`5 returned, 2 cancelled`: lanes by their state, the most frequent first."""
    counts: dict[str, int] = {}
    for lane in lanes:
        counts[lane.state] = counts.get(lane.state, 0) + 1
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items(), key=lambda item: -item[1]))
