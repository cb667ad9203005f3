"""`muse calibrate`: ask models questions with known answers, and record their votes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from musespark.errors import BadOption, MissingFile, ModelFailed, MuseError

if TYPE_CHECKING:
    from musespark.content import Request
    from musespark.models.model import Model
    from musespark.reasoning.attempt import Attempt
    from musespark.reasoning.consensus.equivalence import Equivalence
    from musespark.reasoning.team.strategy import Strategy
    from musespark.store import Vote

AT_ONCE = 8
"""Questions that are under way at a time."""


def calibrate(
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS.jsonl",
            help='JSON lines of {"question": ..., "answer": ...}; 50 suffice.',
        ),
    ],
    model: Annotated[
        list[str],
        typer.Option(
            metavar="NAME", help="A model to ask. Repeatable; at least three make a panel."
        ),
    ],
    kind: Annotated[str, typer.Option(metavar="KIND", help="Kind of task, in a word.")] = "general",
    same: Annotated[
        str | None, typer.Option(help="Equivalence of answers; by default chosen by their form.")
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Store of votes; by default in XDG_DATA_HOME/musespark."),
    ] = None,
    agents: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=64,
            help="Also find a strategy for a team of this size: "
            "about twenty calls a label and model. 0: votes alone.",
        ),
    ] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Ask models questions with known answers, so that later votes can be weighed."""
    import asyncio

    from musespark.config import load_config
    from musespark.models.registry import create_model
    from musespark.reasoning.consensus.panel import Panel
    from musespark.reasoning.consensus.reliability import reliabilities
    from musespark.store import VoteStore

    known = _labels(labels)
    config = load_config()
    models = [create_model(name, config) for name in model]
    names = [each.name for each in models]
    if len(set(names)) < len(names):
        raise BadOption(
            "--model",
            ", ".join(model),
            f"models of different names, and these are called {', '.join(names)}",
        )
    with VoteStore(store) as kept:
        votes, failures = asyncio.run(_asked(models, known, kind, same))
        kept.add(votes)
        strategies = {
            each.name: asyncio.run(_strategy(each, known, agents))
            for each in models
            if agents and votes and each.abilities.conversation
        }
        for name, strategy in strategies.items():
            kept.add_strategy(kind, name, strategy.to_json())
        reliability = reliabilities(kept.votes(kind))
        panel = Panel.from_store(kept, kind)
    if as_json:
        print(
            json.dumps(
                {
                    "kind": kind,
                    "votes": len(votes),
                    "failed": failures,
                    "reliability": reliability,
                    "panel": None if panel is None else list(panel.models),
                    "store": str(kept.path),
                    "strategies": {name: strategy.options for name, strategy in strategies.items()},
                }
            ),
            flush=True,
        )
    else:
        for name, value in sorted(reliability.items(), key=lambda item: -item[1]):
            print(f"{value:.3f}  {name}")
        for name, strategy in strategies.items():
            print(f"{name}: {strategy.label}. {strategy.because}")
        order = ", ".join(panel.models) if panel else "three models are needed for one"
        print(f"{len(votes)} votes are kept in {kept.path}; the panel: {order}.", flush=True)
    for failure in failures:
        typer.echo(failure, err=True)
    if not votes:
        raise ModelFailed(", ".join(model), "no question was answered")


def _labels(path: Path) -> list[dict[str, str]]:
    """The labelled questions; raises `MissingFile` and `BadOption`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MissingFile(
            path, getattr(error, "strerror", None) or "it is not UTF-8 text"
        ) from error
    known = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or not all(
            str(row.get(name, "")).strip() for name in ("question", "answer")
        ):
            raise BadOption(
                f"line {number} of {path}", line[:60], 'a JSON object with "question" and "answer"'
            )
        known.append({"question": str(row["question"]), "answer": str(row["answer"])})
    if not known:
        raise BadOption("LABELS.jsonl", str(path), "a file with at least one labelled question")
    return known


async def _strategy(model: Model, known: Sequence[dict[str, str]], agents: int) -> Strategy:
    """The strategy that the labels support; findings on the way go to stderr."""
    from musespark.reasoning.calibration import Calibration, Labelled

    labels = [Labelled(row["question"], row["answer"]) for row in known]
    return await Calibration(
        model, labels, agents, told=lambda text: typer.echo(f"{model.name}: {text}", err=True)
    ).strategy()


async def _asked(
    models: Sequence[Model], known: Sequence[dict[str, str]], kind: str, same: str | None
) -> tuple[list[Vote], list[str]]:
    """Votes of all models on all questions, and failures; a failed call is no wrong answer."""
    import asyncio

    from musespark.content import Request
    from musespark.reasoning.consensus.equivalence import equivalence_for, equivalence_named

    gate = asyncio.Semaphore(AT_ONCE)
    votes: list[Vote] = []
    failures: list[str] = []

    async def one(row: dict[str, str]) -> None:
        async with gate:
            request = Request.of(row["question"], mode="thinking")
            sameness = equivalence_named(same) if same else equivalence_for(request)
            asked = (_reply(model, request) for model in models)
            replies = await asyncio.gather(*asked, return_exceptions=True)
            attempts = []
            for reply in replies:
                if isinstance(reply, MuseError):
                    failures.append(str(reply))
                elif isinstance(reply, BaseException):
                    raise reply
                else:
                    attempts.append(reply)
            votes.extend(await _votes(attempts, row, kind, sameness))

    async with asyncio.TaskGroup() as tasks:
        for row in known:
            tasks.create_task(one(row))
    return votes, list(dict.fromkeys(failures))


async def _reply(model: Model, request: Request) -> Attempt:
    from musespark.models.model import TextDelta
    from musespark.reasoning.attempt import Attempt
    from musespark.reasoning.consensus.equivalence import answer_in

    async with aclosing(model.stream(request)) as deltas:
        text = "".join([delta.text async for delta in deltas if isinstance(delta, TextDelta)])
    return Attempt(agent=model.name, model=model.name, text=text, answer=answer_in(text))


async def _votes(
    attempts: Sequence[Attempt], row: dict[str, str], kind: str, sameness: Equivalence
) -> list[Vote]:
    """Group the attempts with the known answer; those in its group, in the requested form, are right."""
    from musespark.reasoning.attempt import Attempt
    from musespark.reasoning.consensus.equivalence.protocols import Forms
    from musespark.reasoning.consensus.groups import AnswerGroups
    from musespark.store import Vote

    groups = AnswerGroups(sameness)
    label = Attempt(agent="(label)", model="(label)", text=row["answer"], answer=row["answer"])
    for attempt in (label, *attempts):
        await groups.add(attempt)
    fell = {id(attempt): group.answer for group in groups.ranked for attempt in group.attempts}
    formed = sameness.formed if isinstance(sameness, Forms) else lambda attempt: True
    question = hashlib.sha256(row["question"].encode()).hexdigest()[:16]
    return [
        Vote(
            kind,
            question,
            attempt.model,
            fell.get(id(attempt)),
            fell.get(id(attempt)) == fell[id(label)] and (formed(attempt) or not formed(label)),
        )
        for attempt in attempts
    ]
