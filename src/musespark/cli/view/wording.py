"""A run in words, for every view: terminal, pipe and stderr."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from musespark.cli.view.board import ActiveToolCall, Board, Lane
from musespark.cli.view.groups import LetteredGroup
from musespark.events import MAIN, Changed, Decided, Judged, StageStarted

MOST_PATHS = 16
"""Paths of images that are listed one by one."""
_MOST_ARGUMENTS = 100_000
"""Characters of a tool's arguments that are read as JSON to be shown."""

# Characters that a terminal would obey rather than show: control characters, overrides of the writing direction, lone surrogates.
_UNSHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff]"
)

_EARLY = {
    "finished": "",
    "length": "the token limit ended the run",
    "budget": "the budget ended the run",
    "cut": "the model's reply broke off",
    "filtered": "the reply ended early",
    "refused": "",
    None: "the run was stopped",
}
_CANCELLED = {
    "finished": "it was not needed",
    "length": "the token limit was reached",
    "budget": "the budget ran out",
    "cut": "the reply broke off",
    "filtered": "the provider's filter stopped the reply",
    "refused": "the model declined",
}
_WAYS = {
    "verified": "verification",
    "weigh": "weighed votes",
    "judge": "a judge",
    "merge": "merging",
}
_FAILED = re.compile(r"^The model '[^']*' failed( with|:) ")
"""Beginning of an error that a lane leaves out, since it names the model already."""
_OTHERS = re.compile(r"((same|judge)-\d+|merge|.*-again)$")
"""Agents of a team that give no answer of their own."""
_EMPTY = {
    "finished": "The model ended without an answer{}; ask differently or choose another model.",
    "length": "The token limit was reached before an answer{}; try another mode, or raise --max-tokens where it is set.",
    "budget": "The budget ran out before an answer{}; raise --deadline or --max-tokens.",
    "cut": "The model's reply broke off before an answer{}; ask again.",
    "filtered": "The model's reply ended before an answer{}; ask differently.",
    "refused": "The model declined{}; ask differently.",
    None: "The run was stopped before an answer{}.",
}


def clean(text: str) -> str:
    """Text that a terminal shows and never obeys; a model or a file may have written anything."""
    return _UNSHOWN.sub(
        "\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\t", "    ")
    )


def one_line(text: str) -> str:
    """Clean text with all white space, line breaks too, made single spaces."""
    return " ".join(clean(text).split())


def name(board: Board, lane: Lane) -> str:
    """Name of a lane: an agent of a team by its name, a thread by its task."""
    if lane.agent == MAIN or in_team(board, lane):
        return one_line(lane.base_name)
    return one_line(lane.task) or one_line(lane.agent)


def in_team(board: Board, lane: Lane) -> bool:
    """True for an agent of the team, false for a thread below one."""
    return board.team and lane.parent in (MAIN, None) and lane.agent != MAIN


def explorers(board: Board) -> int:
    """Number of explorers that have started."""
    return len(
        {
            lane.base_name
            for lane in board.lanes.values()
            if in_team(board, lane) and not _OTHERS.match(lane.agent)
        }
    )


def model_and_way(board: Board, lane: Lane) -> tuple[str, str]:
    """The model behind an agent, and the way it goes about the question; either may be empty."""
    if not in_team(board, lane):
        return one_line(board.model), one_line(lane.task)
    first = board.lanes.get(
        lane.base_name, lane
    )  # in a later round its task says only that it reconsiders
    model, colon, way = one_line(first.task).partition(": ")
    return (model, way) if colon else ("", model)


def outcome(board: Board, lane: Lane) -> str:
    """Outcome of an agent that has ended."""
    if lane.state == "cancelled":
        return _CANCELLED.get(lane.outcome) or one_line(lane.outcome)
    if lane.state == "failed":
        return _FAILED.sub("", one_line(lane.outcome)) or "nothing"
    return one_line(answer(board, lane)) or "nothing"


def answer(board: Board, lane: Lane) -> str:
    """Answer of an agent: its short answer if known, else its whole reply."""
    if (
        lane.agent != lane.base_name
    ):  # the groups are those before the round until all have come back
        return (lane.changed and lane.changed.after) or lane.outcome
    group = board.group(lane)
    return (group and group.answer) or lane.outcome


def doing(lane: Lane) -> str:
    """Current activity of an agent: a tool's arguments or result, or its latest thoughts; in a later round its task."""
    if lane.tools:
        return arguments(lane.tools[-1])
    return (
        one_line(lane.note)
        or one_line(lane.thoughts)
        or ("" if lane.agent == lane.base_name else one_line(lane.task))
    )


def arguments(use: ActiveToolCall) -> str:
    """Arguments of a tool call; a single one is shown as its value alone."""
    try:
        given = json.loads(use.arguments) if len(use.arguments) < _MOST_ARGUMENTS else None
    except (ValueError, RecursionError):  # a model wrote it
        given = None
    if not isinstance(given, dict):
        return one_line(use.arguments)
    if len(given) == 1:
        return one_line(str(next(iter(given.values()))))
    return ", ".join(f"{one_line(key)}={one_line(str(value))}" for key, value in given.items())


def stage(event: StageStarted) -> str:
    """`explore`, `refine 2`."""
    return f"{one_line(event.stage)} {event.round}" if event.round else one_line(event.stage)


def change(event: Changed) -> str:
    """Decision of an agent after it saw its rivals' answers."""
    if event.kept:
        return f"kept {one_line(event.after) or 'its answer'}"
    return f"changed {one_line(event.before) or 'nothing'} to {one_line(event.after) or 'nothing'}"


def verdict_of(event: Judged) -> str:
    """Verdict of a judge."""
    found = (
        f"{one_line(event.winner)} over {one_line(event.loser)}" if event.winner else "no verdict"
    )
    return _with_reason(found, event.reason)


def agreement(groups: Sequence[LetteredGroup]) -> str:
    """Groups of equal answers, on one line."""
    return " · ".join(
        f"{group.letter} {one_line(group.answer)} ({listed(group.agents)})" for group in groups
    )


def decision(event: Decided) -> str:
    """Decision of a team for its answer."""
    by = f"decided by {_WAYS.get(event.by) or one_line(event.by)}"
    return _with_reason(f"{by} ({listed(event.winners)})" if event.winners else by, event.reason)


def _with_reason(what: str, reason: str) -> str:
    return f"{what}: {one_line(reason)}" if reason.strip() else what


def listed(agents: Sequence[str], most: int = 4) -> str:
    """`agent-1, agent-2 and 6 more`."""
    names = [one_line(agent) for agent in agents]
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def early(board: Board) -> str:
    """Reason an answer is only the best so far; empty for one that the model finished."""
    why = (
        "the run failed"
        if board.failed
        else _EARLY[board.finish_reason] + _in_brackets(board.detail)
    )
    is_whole = board.finish_reason in ("finished", "refused")
    return "" if is_whole else f"best answer so far: {why}"


def empty(board: Board) -> str:
    """One sentence for a run without an answer."""
    return _EMPTY[board.finish_reason].format(_in_brackets(board.detail))


def _in_brackets(reason: str) -> str:
    reason = one_line(reason)
    return f" ({reason})" if reason else ""


def verdict(board: Board) -> str:
    """Verification of the answer, in words."""
    match board.status:
        case "verified":
            return f"verified by {one_line(board.checked_by)}" if board.checked_by else "verified"
        case "refuted":
            return f"refuted: {one_line(board.checked_by)} found it wrong"
        case "abstained":
            return f"abstained: {one_line(board.abstained)}"
        case "unchecked":
            return "unchecked: nothing here can check it"


def spending(board: Board, seconds: float | None = None) -> list[str]:
    """Usage of the run so far, item by item, against its limits. seconds: elapsed time, if known better than by an event."""
    usage, limits = board.usage, board.limits
    waited = (usage.seconds or board.at) if seconds is None else seconds
    usd = money(usage.usd) if limits.usd is None else f"{money(usage.usd)} of {money(limits.usd)}"
    return [
        f"critical path {usage.critical_path:,}",
        _counted(usage.tokens, limits.tokens, "token"),
        counted(explorers(board), "agent") if board.team else counted(board.threads, "thread"),
        *(
            [_counted(usage.calls, limits.calls, "call")]
            if usage.calls > 1 or limits.calls is not None
            else []
        ),
        f"{waited:.1f} s" if limits.seconds is None else f"{waited:.1f} of {limits.seconds:g} s",
        usd,
    ]


def _counted(number: int, limit: int | None, thing: str) -> str:
    return counted(number, thing) if limit is None else f"{number:,} of {counted(limit, thing)}"


def counted(number: int, thing: str) -> str:
    """`1 token`, `2,000 tokens`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def short(number: int) -> str:
    """`950`, `1.2k`, `34k`, `5.6M`: a number in at most five characters."""
    for scale, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= scale:
            return (
                f"{number / scale:.1f}{letter}"
                if number < 10 * scale
                else f"{number // scale}{letter}"
            )
    return str(number)


def money(usd: float) -> str:
    """Dollars; small amounts keep two digits that say something."""
    if usd == 0:
        return "$0"
    if usd < 0.0001:
        return "under $0.0001"
    return f"${usd:.2f}" if usd >= 0.0995 else f"${usd:.2g}"


def paths(images: Sequence[Path]) -> list[str]:
    """The images' paths, a few by name and the rest by their directory."""
    listed = [clean(str(path)) for path in images[:MOST_PATHS]]
    if len(images) > MOST_PATHS:
        listed.append(f"and {len(images) - MOST_PATHS:,} more in {clean(str(images[0].parent))}")
    return listed


def unkept(images: int) -> str:
    """Note on images of which no file was kept, and the way to keep them."""
    return f"{counted(images, 'image')} drawn and not kept; --save-images DIR keeps images"


def tally(lanes: Iterable[Lane]) -> str:
    """`5 returned, 2 cancelled`: lanes by their state, the most frequent first."""
    counts: dict[str, int] = {}
    for lane in lanes:
        counts[lane.state] = counts.get(lane.state, 0) + 1
    return ", ".join(
        f"{count} {state}" for state, count in sorted(counts.items(), key=lambda item: -item[1])
    )
