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
from musespark.cli.commands.store import app as store
from musespark.errors import MuseError

app = typer.Typer(
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)

FAILED, BAD_INPUT = 1, 2


def run(args: list[str]) -> int:
    """Run a command and return its exit code. An error is one sentence on stderr."""
    if sys.stdout is None:
        return _failed("The output is closed; open it or send it to a file.", FAILED)
    # The engine's matrices are small: a second BLAS thread gains nothing on an idle machine and, where another process wants
    # the core, makes every product wait for it. NumPy reads it when it is imported; a value from the environment is kept.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Output must not fail on a character that the terminal's encoding lacks.
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
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A reasoning system you host yourself: a team thinks about your question, partly in images."""
    if context.invoked_subcommand is None:
        print(context.get_help(), flush=True)


# The help lists them in this order.
app.command(epilog=EXIT_CODES)(ask)
app.command(short_help="Answer over HTTP: an endpoint for other programs, and a page.")(serve)
app.command(short_help="List the models: configured, served here, or one key away.")(models)
app.command(short_help="Estimate models' reliability from questions with known answers.")(calibrate)
app.add_typer(config, name="config", short_help="Show or check the configuration.")
app.add_typer(keys, name="keys")
app.add_typer(store, name="store")
app.add_typer(nano, name="nano", short_help="Train, export and measure the native model.")
app.add_typer(recorded, name="eval")
