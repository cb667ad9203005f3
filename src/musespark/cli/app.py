"""The commands. Only typer is imported to parse one; the rest is imported when it runs."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from typer.main import get_command

import musespark
from musespark.cli.commands.ask import EXIT_CODES, ask
from musespark.cli.commands.calibrate import calibrate
from musespark.cli.commands.config import app as config
from musespark.cli.commands.eval import app as recorded
from musespark.cli.commands.keys import app as keys
from musespark.cli.commands.models import models
from musespark.cli.commands.nano import app as nano
from musespark.cli.commands.serve import serve
from musespark.errors import MuseError

app = typer.Typer(add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}, rich_markup_mode=None)

FAILED, BAD_INPUT = 1, 2


def run(args: list[str]) -> int:
    """Run a command and return its exit code. An error is one sentence on stderr."""
    if sys.stdout is None:
        return _failed("The output is closed; open it or send it to a file.", FAILED)
    # Nothing that is shown may fail on a character that the terminal's encoding lacks.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    command = get_command(app)
    try:
        with command.make_context("muse", args) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    except MuseError as error:
        return _failed(str(error), error.exit_code)
    except typer.TyperException as error:
        return _failed(_sentence(error), BAD_INPUT)
    except OSError as error:
        _drop_output()
        if isinstance(error, BrokenPipeError):
            return FAILED  # the reader of the output has closed it
        where = "The output" if error.filename is None else repr(str(error.filename))
        return _failed(f"{where} cannot be written: {error.strerror or error}.", FAILED)
    return 0


def _failed(sentence: str, code: int) -> int:
    if sys.stderr is not None:
        print(sentence, file=sys.stderr)
    return code


def _sentence(error: typer.TyperException) -> str:
    """An error of the parser as one sentence that names the help."""
    said = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{said}; see {context.command_path if context else 'muse'} --help."


def _drop_output() -> None:
    """Discard buffered output, on which the interpreter would fail once more when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(wanted: bool) -> None:
    if wanted:
        print(f"muse {musespark.__version__}", flush=True)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def muse(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """A reasoning system you host yourself: a team thinks about your question, partly in images."""
    if context.invoked_subcommand is None:
        print(context.get_help(), flush=True)


EXIT_CODES = (
    "Exit codes: 0 there is an answer, 1 there is none, 2 something asked has to change, 3 the model abstains, 4 the answer was "
    "checked and is wrong, 130 Ctrl-C stopped it."
)


@app.command(epilog=EXIT_CODES)
def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What you want to know; - reads it from standard input.")],
    mode: Annotated[str, typer.Option(help="instant, thinking or contemplating.")] = "contemplating",
    image: Annotated[list[str] | None, typer.Option(metavar="FILE", help="A picture; - reads standard input. Repeatable.")] = None,
    video: Annotated[list[str] | None, typer.Option(metavar="FILE", help="A short video: frames of it are shown, or the whole, as "
                                                    "the model takes it. Repeatable.")] = None,
    model: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Who answers: nano, provider:name or a configured "
                                                    "name. Repeatable: a team mixes them.")] = None,
    agents: Annotated[int | None, typer.Option(metavar="N", help="Contemplating: the most explorers of the team, 8.")] = None,
    first: Annotated[int | None, typer.Option(metavar="N", help="So many start at once, 2; others while there is doubt.")] = None,
    rounds: Annotated[int | None, typer.Option(metavar="N", help="Rounds of refinement where they disagree, 0.")] = None,
    approach: Annotated[str | None, typer.Option(help="How explorers are asked: plain, varied, answer only, answer line or step by "
                                                 "step.")] = None,
    aggregate: Annotated[str | None, typer.Option(help="auto, vote, weigh, judge or merge.")] = None,
    judge: Annotated[str | None, typer.Option(metavar="NAME", help="The model that judges.")] = None,
    refiner: Annotated[str | None, typer.Option(metavar="NAME", help="The model that reconsiders.")] = None,
    merger: Annotated[str | None, typer.Option(metavar="NAME", help="The model that merges.")] = None,
    tools: Annotated[list[str] | None, typer.Option(metavar="TOOL", help="What agents may use: python, spawn, look, or one of its "
                                                    "tools: zoom, rotate, enhance, measure, mark, compare, sketch, read, find. "
                                                    "Repeatable.")] = None,
    kind: Annotated[str | None, typer.Option(metavar="WORD", help="The kind of question: votes are weighed by what is known "
                                                     "of the models on such questions, and kept.")] = None,
    effort: Annotated[str | None, typer.Option(help="How long a model may reason: none, minimal, low, medium, high, max.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy.")] = None,
    threads: Annotated[int, typer.Option(help=f"The most threads or sub-agents that are spawned, 1 to {MAX_THREADS}.")] = THREADS,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same answer, from models that have one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    trace: Annotated[str | None, typer.Option(metavar="DIR", help="Keep every event and every picture there.")] = None,
    deadline: Annotated[float | None, typer.Option(metavar="SECONDS", help="Answer within so many seconds.")] = None,
    max_tokens: Annotated[int | None, typer.Option(metavar="N", help="The most tokens of all agents together.")] = None,
    max_usd: Annotated[float | None, typer.Option(metavar="USD", help="The most money of all agents together.")] = None,
) -> None:
    """Ask a question."""
    from musespark.cli.commands.ask_options import options_of, question_of
    from musespark.cli.commands.ask_run import answer
    from musespark.cli.view.run_views import view_for
    from musespark.config import load_config

    options = options_of(
        question, image or [], load_config(), video=video, mode=mode, model=model, agents=agents, first_wave=first, rounds=rounds,
        approach=approach, aggregate=aggregate, judge=judge, refiner=refiner, merger=merger, tools=tools, task_kind=kind,
        effort=effort,
        temperature=temperature, threads=threads, seed=seed, trace=trace, deadline=deadline, max_tokens=max_tokens,
        max_usd=max_usd)
    raise typer.Exit(answer(question_of(question), options, view_for(as_json)))


# The help lists them in this order.
app.command(epilog=EXIT_CODES)(ask)
app.command(short_help="Answer over HTTP: an endpoint for other programs, and a page.")(serve)
app.command(short_help="List the models: configured, served here, or one key away.")(models)
app.command(short_help="Estimate models' reliability from questions with known answers.")(calibrate)
app.add_typer(config, name="config", short_help="Show or check the configuration.")
app.add_typer(keys, name="keys")
app.add_typer(nano, name="nano", short_help="Train, export and measure the native model.")
app.add_typer(recorded, name="eval")
