"""`muse eval grounding`: accuracy of `find` and `read` on screens rendered in a real browser."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from musespark.cli.extras import require
from musespark.errors import BadOption

if TYPE_CHECKING:
    from rich.progress import Progress

    from musespark.evals.grounding import GroundingOutcome
    from musespark.evals.grounding_screens import LabelledScreen

PARTS = ("test", "development", "all")


def grounding(
    screens: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Screens rendered before; no browser is needed then."),
    ] = None,
    part: Annotated[
        str, typer.Option(help="MiniWoB++ pages: test, development (to tune on) or all.")
    ] = "test",
    page: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this page. Repeatable.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Problems of each page.", min=1, max=100)] = 1,
    seed: Annotated[
        int,
        typer.Option(
            help="Seed of the first problem; the development pages count on from 1000.", min=0
        ),
    ] = 0,
    scale: Annotated[
        list[float] | None,
        typer.Option(help="Pixels of a screen's image for one of the page. Repeatable; 1 and 2."),
    ] = None,
    reads: Annotated[
        int, typer.Option(help="Items of a screen that are read, at most.", min=0)
    ] = 6,
    browser: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The Chromium to render with; else MUSE_CHROMIUM, else the one on the path.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Directory for table, figures and screens.")
    ] = Path("runs/grounding"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as one JSON object and nothing else.")
    ] = False,
) -> None:
    """Measure find and read, and OCR alone, against the text and boxes of a browser: click-in-box, overlap, characters."""
    if part not in PARTS:
        raise BadOption.choice("--part", part, PARTS)
    for size in scale or []:
        if not 0.5 <= size <= 8:
            raise BadOption("--scale", size, "between 0.5 and 8")
    from musespark.evals.grounding_screens import read_screens

    kept = None if screens is None else read_screens(screens)
    require("Measuring grounding", "vision", "rapidocr", "onnxruntime")
    from musespark.evals.grounding_report import as_json as told, table, write

    with _bar(quiet=as_json) as progress:
        if kept is None:
            first = seed + (1000 if part == "development" else 0)
            found = _rendered(
                progress,
                out / "screens",
                part,
                page,
                range(first, first + seeds),
                scale or [1.0, 2.0],
                browser,
            )
        else:
            found = [
                screen
                for screen in kept
                if (not page or screen.page in page) and (not scale or screen.scale in scale)
            ]
        if not found:
            raise BadOption("--screens", screens or page, "screens with text")
        outcomes = _measured(progress, found, reads, seed)
    about = {
        "command": "muse " + shlex.join(sys.argv[1:]),
        "part": part,
        "seed": seed,
        "pages": len({one.page for one in found}),
    }
    write(out, outcomes, about)
    print(
        told(outcomes, about) if as_json else f"{table(outcomes)}\n{out}",
        end="" if as_json else "\n",
        flush=True,
    )


def _bar(quiet: bool) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=Console(stderr=True), disable=quiet)


def _rendered(
    progress: Progress,
    directory: Path,
    part: str,
    named: list[str] | None,
    seeds: range,
    scales: list[float],
    browser: str | None,
) -> list[LabelledScreen]:
    from musespark.evals.grounding_rendering import pages_of, render

    pages = named or pages_of(part)
    bar = progress.add_task("rendering", total=len(pages) * len(seeds) * len(scales))
    found = []
    for screen in render(directory, pages, seeds, scales, browser):
        found.append(screen)
        progress.advance(bar)
    return found


def _measured(
    progress: Progress, screens: list[LabelledScreen], reads: int, seed: int
) -> list[GroundingOutcome]:
    from musespark.evals.grounding import OcrGrounder, ToolGrounder, measure

    grounders = (ToolGrounder(), OcrGrounder())
    bar = progress.add_task("measuring", total=len(screens))
    outcomes: list[GroundingOutcome] = []
    for screen in screens:
        outcomes += measure([screen], grounders, reads, seed)
        progress.advance(bar)
    return outcomes
