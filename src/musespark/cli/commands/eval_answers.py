"""`muse eval answers`: equivalence of answers, measured on labelled pairs beside other programs' rules."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated

import typer


def answers(
    each: Annotated[
        int,
        typer.Option(
            "-n", help="Generated pairs of each kind, beside written ones.", min=0, max=10_000
        ),
    ] = 40,
    seed: Annotated[int, typer.Option(help="Random seed of the generated pairs.", min=0)] = 0,
    others: Annotated[bool, typer.Option(help="Also compare with other programs' rules.")] = True,
    mistakes: Annotated[
        bool, typer.Option(help="Print misjudged pairs, except held-out ones.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as one JSON object and nothing else.")
    ] = False,
) -> None:
    """Measure when two answers are called the same: precision and recall on labelled pairs."""
    import asyncio

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from musespark.evals import answers as evaluation
    from musespark.evals.answer_pairs import pairs
    from musespark.evals.answer_rules import rules

    labelled = pairs(each, seed)
    chosen = dict(list(rules().items())[: None if others else 1])
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), disable=as_json) as progress:
        bars = {name: progress.add_task(name, total=len(labelled)) for name in chosen}
        found = asyncio.run(
            evaluation.verdicts(
                labelled, chosen, lambda rule, done: progress.update(bars[rule], completed=done)
            )
        )
    if as_json:
        about: dict[str, object] = {
            "command": "muse " + shlex.join(sys.argv[1:]),
            "each": each,
            "seed": seed,
        }
        print(evaluation.as_json(labelled, found, about), end="", flush=True)
        return
    print(evaluation.table(labelled, found), end="")
    if mistakes:
        print(evaluation.mistakes(labelled, found["musespark"]))
    sys.stdout.flush()
