"""The figures as one Markdown table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Figures = Mapping[str, Any]


def wall(figures: Figures) -> str:
    """`2.1 (8 in flight)`: the best of several, because whatever else the machine does only adds to it."""
    flying = f" ({figures['in flight']} in flight)" if "in flight" in figures else ""
    return f"{figures.get('at best', figures['calls of wall']):.1f}{flying}"


def first(figures: Figures) -> str:
    """`0.0; the answer 2.1`"""
    return f"{figures['at best']:.1f}; the answer {figures['answer at best']:.1f}"


def struck(figures: Figures) -> str:
    """What became of the answer, and after how many calls of wall."""
    after = f"{figures['calls of wall']:.1f} calls"
    if figures["answered"]:
        return f"answers after {after}"
    lost = f", {figures['finished calls']} finished calls lost" if figures["finished calls"] else ""
    return f"**{figures['failed']}** after {after}{lost}"


def left(figures: Figures) -> str:
    """What became of the calls that were open or still to come."""
    run_on, stopped, after = (
        figures["in flight"] - figures["stopped"],
        figures["stopped"],
        figures["sent after"],
    )
    words = (
        [f"{stopped} of {figures['in flight']} stopped within {figures['seconds to stop']:.2f} s"]
        if stopped
        else []
    )
    words += [f"{run_on} of {figures['in flight']} run on"] if run_on else []
    words += [f"{after} more are sent"] if after else []
    return ", ".join(words)


def usage(figures: Figures) -> str:
    """Tokens reported of those the backend counted."""

    def part(name: str) -> str:
        reported = figures[f"{name} reported"]
        return f"{name} {'none' if reported is None else reported} of {figures[name]}"

    return f"{part('prompt')}, {part('completion')}"


def agree(figures: Figures) -> str:
    return str(figures["answers"])


ROWS: Mapping[str, tuple[str, Callable[[Figures], str]]] = {
    "best of 3": ("best of 3 with a judge, wall in calls", wall),
    "best of 8": ("best of 8 with a judge, wall in calls", wall),
    "merge": ("one answer written from several, wall in calls", wall),
    "first byte": ("8 answers, streamed: first byte, in calls", first),
    "hang": ("one call hangs for {hang:g} s", struck),
    "400": ("one call: HTTP 400", struck),
    "429": ("one call: HTTP 429, Retry-After 1 s", struck),
    "500": ("one call: HTTP 500", struck),
    "cut": ("one call: cut in the middle", struck),
    "html": ("one call: a web page", struck),
    "garbage": ("one call: garbage", struck),
    "leave": ("the client leaves", left),
    "usage": ("tokens reported, best of 8 with a judge", usage),
    "usage of a vote": ("tokens reported, vote of 8", usage),
    "agree": ("all answers agree, n = 16: answers asked for", agree),
}


def table(columns: Mapping[str, Mapping[str, Figures]], hang: float) -> str:
    """One row a scenario, one column a peer."""
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for name, (title, cell) in ROWS.items():
        cells = [shown(figures[name], cell) for figures in columns.values()]
        lines.append(f"| {title.format(hang=hang)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def shown(figures: Figures, cell: Callable[[Figures], str]) -> str:
    """A cell: the figures, or why there are none."""
    if "cannot" in figures:
        return str(figures["cannot"])
    return (
        cell(figures)
        if "failed" not in figures or "answered" in figures
        else f"**{figures['failed']}**"
    )
