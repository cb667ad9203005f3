"""`muse nano eval` and `muse nano card`: measure the native model, and write down what was measured."""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from musespark.cli.extras import require
from musespark.content import MAX_THREADS, THREADS
from musespark.errors import BadOption

if TYPE_CHECKING:
    from musespark.evals.native import EvalSpec
    from musespark.evals.report import EvalRow

TASKS = ("countdown-3", "countdown-4", "lake", "maze", "shapes", "code", "decline")
MODES = ("instant", "thinking", "contemplating")


def measure(
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task", "--world", help=f"One of {', '.join(TASKS)}. Repeatable; by default all."
        ),
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(MODES)}. Repeatable; by default all."),
    ] = None,
    problems: Annotated[
        int, typer.Option("-n", help="Problems for each task and mode.", min=1)
    ] = 200,
    threads: Annotated[
        int, typer.Option(help="Maximum number of threads of a question.", min=1, max=MAX_THREADS)
    ] = THREADS,
    batch: Annotated[int, typer.Option(help="Problems decoded together.", min=1, max=256)] = 16,
    seed: Annotated[int, typer.Option(help="Random seed of the problems.", min=0)] = 0,
    jobs: Annotated[
        int | None, typer.Option(help="Number of processes; by default one for each core.", min=1)
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Directory for table, plot and figures.")
    ] = Path("runs/eval"),
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A weights file; by default the package's own."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as one JSON object and nothing else.")
    ] = False,
    ablate: Annotated[
        bool, typer.Option(help="Also ablate the imagined images, and compare with a serial vote.")
    ] = True,
) -> None:
    """Measure the native model on fresh problems: accuracy, threads, critical path, tokens and seconds."""
    from musespark.evals.native import EvalSpec
    from musespark.evals.parallel import plan_evals, plan_vote
    from musespark.evals.report import table, write
    from musespark.nano.weights import load

    require("The evaluation", "eval", "matplotlib")
    tasks, modes = _chosen("--task", task, TASKS), _chosen("--mode", mode, MODES)
    if "shapes" in tasks:
        require("Measuring shapes", "eval", "easy_vqa")
    load(weights) if weights else load()  # a damaged file is named before any process is started
    like = EvalSpec("", "", problems, seed, threads, batch)
    specs = plan_evals(tasks, modes, like, ablate)
    rows = _show(specs, weights, jobs or os.cpu_count() or 1, quiet=as_json)
    if ablate and (again := plan_vote(rows, like)):
        rows += _show([again], weights, 1, quiet=as_json)
    about = {
        "command": "muse " + shlex.join(sys.argv[1:]),
        "seed": seed,
        "threads": threads,
        "batch": batch,
    }
    write(rows, out, about)
    print(
        json.dumps({**about, "rows": [asdict(row) for row in rows]})
        if as_json
        else f"{table(rows)}\n{out}"
    )


def card(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Directory with results.json and log.jsonl.")
    ],
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A weights file; by default the package's own."),
    ] = None,
) -> None:
    """Write the model card of what was measured, and the loss curve of its log."""
    from musespark.evals.card import write_card
    from musespark.nano.training.curve import draw_curve
    from musespark.nano.weights import DEFAULT, load_half

    for needed in ("results.json", "log.jsonl"):
        if not (directory / needed).is_file():
            raise BadOption("DIR", directory, f"a directory that holds {needed}")
    path = weights or DEFAULT
    _, tensors, about = load_half(path)
    require("The loss curve", "eval", "matplotlib")
    draw_curve(directory / "log.jsonl", directory / "loss.png")
    print(
        write_card(
            directory,
            about,
            sum(tensor.size for tensor in tensors.values()),
            Path(path).stat().st_size,
        )
    )


def _chosen(option: str, given: list[str] | None, known: tuple[str, ...]) -> list[str]:
    for name in given or []:
        if name not in known:
            raise BadOption.choice(option, name, known)
    return given or list(known)


def _show(specs: list[EvalSpec], weights: Path | None, jobs: int, quiet: bool) -> list[EvalRow]:
    """Run the specs behind a progress bar on stderr; their rows, in the order of the specs."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from musespark.evals.parallel import run_evals

    rows: dict[int, EvalRow] = {}
    done = [0] * len(specs)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task("measuring", total=sum(spec.problems for spec in specs))
        for step in run_evals(specs, str(weights) if weights else None, jobs):
            progress.advance(task, step.done - done[step.spec])
            done[step.spec] = step.done
            spec = specs[step.spec]
            progress.update(
                task, description=f"{spec.task} {spec.mode} {step.right / step.done:.1%}"
            )
            if step.row:
                rows[step.spec] = step.row
    return [rows[number] for number in range(len(specs))]
