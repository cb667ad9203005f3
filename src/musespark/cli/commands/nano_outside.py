"""`muse nano tasks` and `muse nano outside`: the tasks of the native model, and its behaviour on other questions."""

from __future__ import annotations

import json
import shlex
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from musespark.evals.outside import VerdictCounts


def tasks() -> None:
    """List the tasks of the native model, with an example each."""
    from musespark.nano.tasks.scope import SCOPES

    for scope in SCOPES:
        image = (
            f" --image {'PICTURE' if scope.task == 'shapes' else f'examples/{scope.task}.png'}"
            if scope.has_image
            else ""
        )
        example = scope.example.replace("\n", "\\n")
        quoted = f"$'{example}'" if "\\n" in example else f'"{example}"'
        print(f"{scope.title}: {scope.limits}\n    muse ask{image} {quoted}\n")
    print("From anything else it abstains, with the reason; the exit code is then 3.", flush=True)


def outside(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Questions as JSON lines; by default published questions for its tasks.",
        ),
    ] = None,
    count: Annotated[
        int,
        typer.Option(
            "-n", help="Number of questions of each source, and of variations of each task.", min=1
        ),
    ] = 20,
    verifiers: Annotated[
        bool,
        typer.Option(
            help="Check the verifiers only, without the network: with the answers of FILE, right answers to "
            "its own questions, and wrong ones to variations of these."
        ),
    ] = False,
    classic_art: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The directory toy_text/img of gymnasium 0.29 to 1.2, "
            "whose art may not be shipped.",
        ),
    ] = None,
    mode: Annotated[
        str, typer.Option(help="instant, thinking or contemplating.")
    ] = "contemplating",
    seed: Annotated[int, typer.Option(help="Random seed of the questions.", min=0)] = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Directory for the figures, for the model card."),
    ] = None,
) -> None:
    """Ask the native model questions it is not trained for: it should be right or abstain, and never confirm a wrong answer."""
    import asyncio

    from musespark.errors import BadOption
    from musespark.evals import outside as measured
    from musespark.evals.outside_sources import published_questions
    from musespark.evals.report import replace_file

    if classic_art is not None and not (classic_art / "stool.png").is_file():
        raise BadOption(
            "--classic-art",
            classic_art,
            "a directory with stool.png, elf_down.png, hole.png, ice.png and goal.png",
        )
    asked = list(
        published_questions(count, seed, classic_art)
        if file is None
        else measured.load(file, classic_art)
    )
    if verifiers:
        sums = measured.sum_counts(measured.check_verifiers(asked)) if file else {}
        sums |= _varied(count, seed)
    else:
        sums = measured.sum_counts(asyncio.run(measured.ask_model(asked, mode)))
    _show(sums)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        rows = [
            {"task": task, "name": name, **_figures(each)}
            for (task, name), each in sums.items()
            if name != "all"
        ]
        places = {str(file): "FILE", str(classic_art): "DIR"}  # paths of this machine are left out
        about = {
            "command": "muse " + shlex.join(places.get(word, word) for word in sys.argv[1:]),
            "rows": rows,
        }
        replace_file(
            out / ("verifiers.json" if verifiers else "outside.json"),
            (json.dumps(about, indent=1) + "\n").encode(),
        )


def _varied(count: int, seed: int) -> dict[tuple[str, str], VerdictCounts]:
    """Counts of own questions with right answers, and of variations, whose usual answers are wrong."""
    import random

    from musespark.evals.outside import OutsideQuestion, check_verifiers, sum_counts
    from musespark.evals.variations import TASKS, vary
    from musespark.nano.tasks import load_task

    def own(task: str) -> Iterator[OutsideQuestion]:
        rng = random.Random(seed)
        for _ in range(count):
            problem = load_task(task).generate(rng, held_out=False)
            answer, name = problem.answer, "own templates, right answers"
            yield OutsideQuestion(
                problem.task,
                name,
                problem.question,
                problem.image,
                (answer,),
                frozenset([answer.lower()]),
            )

    usual = (own(task) for task in TASKS)
    varied = (OutsideQuestion(each.task.partition("-")[0], f"varied: {each.change}", each.question, each.image, (each.usual,),
                              frozenset())
            for task in TASKS for each in vary(task, count, seed))  # fmt: skip
    return sum_counts(check_verifiers(chain(chain.from_iterable(usual), varied)))


def _figures(count: VerdictCounts) -> dict[str, int]:
    return {
        name: getattr(count, name)
        for name in ("asked", "answered", "right", "confirmed", "wrongly", "abstained")
    }


def _show(sums: Mapping[tuple[str, str], VerdictCounts]) -> None:
    print(
        "| task | questions | asked | answered | right | confirmed | confirmed, but wrong | abstained |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for (task, name), each in sorted(
        sums.items(), key=lambda item: (item[0][0], item[0][1] == "all", item[0][1])
    ):
        print(
            f"| {task} | {name} | {' | '.join(str(value) for value in _figures(each).values())} |"
        )
    wrongly = sum(each.wrongly for (_, name), each in sums.items() if name != "all")
    print(f"\nAnswers that a verifier confirmed and that are wrong: {wrongly}.", flush=True)
    if wrongly:
        raise typer.Exit(1)
