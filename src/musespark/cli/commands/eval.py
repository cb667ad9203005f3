"""`muse eval recorded`: what the team's rules are worth on recorded answers of real models."""

from __future__ import annotations

import os
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from musespark.cli.commands.eval_answers import answers
from musespark.cli.commands.eval_grounding import grounding
from musespark.cli.extras import require
from musespark.cli.help_format import HelpApp
from musespark.errors import BadOption

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from musespark.evals.recorded import RuleResult

app = HelpApp(
    examples=(
        ("muse eval recorded --data DIR", "the rules of a team, on recorded answers"),
        ("muse eval answers", "when two answers are the same"),
        ("muse eval grounding", "the tools that look, on screens"),
    )
)
app.command(examples=(("muse eval grounding --part development", "on the pages for development"),))(
    grounding
)
app.command(examples=(("muse eval answers", "the labelled pairs of the package"),))(answers)
TASKS = ("gsm", "math-l5", "crux")


@app.callback(invoke_without_command=True)
def evaluate(context: typer.Context) -> None:
    """Measure the rules of a team, when two answers are the same, and the tools that look."""
    if context.invoked_subcommand is None:
        print(context.get_help(), flush=True)


@app.command(
    examples=(("muse eval recorded --data DIR --task gsm --labels 50", "one task, 50 labels"),)
)
def recorded(
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Directory of recorded answers; else MUSE_RECORDED."),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(help=f"Task: {', '.join(TASKS)}. Repeatable; all by default."),
    ] = None,
    labels: Annotated[
        int, typer.Option(help="Labelled questions to calibrate with.", min=10, max=200)
    ] = 50,
    draws: Annotated[
        int, typer.Option(help="Number of random choices of labels.", min=1, max=1000)
    ] = 20,
    seed: Annotated[int, typer.Option(help="Random seed of the draws.", min=0)] = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Directory for table, plot, figures and answers."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as one JSON object and nothing else.")
    ] = False,
) -> None:
    """Replay recorded answers through the team's rules: right answers against calls, with few labels and with none."""
    directory = data or (
        Path(os.environ["MUSE_RECORDED"]) if os.environ.get("MUSE_RECORDED") else None
    )
    if directory is None:
        raise BadOption(
            "--data",
            "",
            "the directory of recorded answers, here or in the environment variable MUSE_RECORDED",
        )
    for name in task or []:
        if name not in TASKS:
            raise BadOption.choice("--task", name, TASKS)
    chosen = task or list(TASKS)
    from musespark.evals.recording import task_file

    for name in chosen:  # before anything is asked to be installed
        task_file(directory, name)
    if "math-l5" in chosen:
        require("Comparing mathematics", "math", "math_verify")
    if out is not None:
        require("The plot", "eval", "matplotlib")
    import asyncio

    from musespark.evals.recorded_report import as_json as told, table, write

    results = asyncio.run(_measured(directory, chosen, labels, draws, seed, out, quiet=as_json))
    about: dict[str, object] = {
        "command": "muse " + shlex.join(sys.argv[1:]),
        "labels": labels,
        "draws": draws,
        "seed": seed,
    }
    if out is not None:
        write(results, out, about)
    print(told(results, about) if as_json else table(results), end="", flush=True)


def _advance(progress: Progress, bar: TaskID, done: int, of: int) -> None:
    progress.update(bar, completed=done, total=of)


async def _measured(
    directory: Path,
    tasks: list[str],
    labels: int,
    draws: int,
    seed: int,
    out: Path | None,
    quiet: bool,
) -> list[RuleResult]:
    """Task after task, behind a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from musespark.evals.recorded import measure
    from musespark.evals.recording import load

    results: list[RuleResult] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        bars = {name: progress.add_task(f"{name}: comparing answers", total=None) for name in tasks}
        for name, bar in bars.items():
            recording = await load(directory, name, out, partial(_advance, progress, bar))
            if len(recording.questions) <= labels:
                raise BadOption(
                    "--labels",
                    labels,
                    f"fewer than the {len(recording.questions)} questions of {name}",
                )
            progress.update(bar, description=f"{name}: replaying")
            results += await measure(recording, labels, draws, seed)
    return results
