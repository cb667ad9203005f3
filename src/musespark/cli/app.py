"""The commands. Only typer is imported to parse one; the rest is imported when it runs."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.main import get_command

import musespark
from musespark.cli import completion
from musespark.cli.commands.ask import ASK_EXAMPLES, EXIT_CODES, ask
from musespark.cli.commands.calibrate import calibrate
from musespark.cli.commands.chat import CHAT_EXAMPLES, chat
from musespark.cli.commands.config import app as config
from musespark.cli.commands.eval import app as recorded
from musespark.cli.commands.keys import app as keys
from musespark.cli.commands.models import models
from musespark.cli.commands.nano import app as nano
from musespark.cli.commands.serve import serve
from musespark.cli.commands.store import app as store
from musespark.cli.flags import with_flag
from musespark.cli.help_format import HelpApp, usage_sentence
from musespark.errors import MuseError

app = HelpApp(
    add_completion=True,
    examples=(
        ('muse ask "Use 25, 3, 7 and 12 to make 66."', "ask the native model"),
        ("muse chat --model ollama:qwen3", "talk with a model"),
        ("muse models", "list the models that can be asked"),
        ("muse help ask", "show a command's help"),
    ),
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
    if completion.is_asked():
        command._main_shell_completion({}, "muse")
    try:
        with command.make_context("muse", args) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    except MuseError as error:
        return _failed(str(with_flag(error)), error.exit_code)
    except typer.TyperException as error:
        return _failed(usage_sentence(error, args), BAD_INPUT)
    except OSError as error:
        from musespark.cli.view.run_views import drop_output

        drop_output()
        if isinstance(error, BrokenPipeError):
            return FAILED  # the reader of the output has closed it
        where = "The output" if error.filename is None else repr(str(error.filename))
        return _failed(f"{where} cannot be written: {error.strerror or error}.", FAILED)
    return 0


def _failed(sentence: str, code: int) -> int:
    if sys.stderr is not None:
        print(sentence, file=sys.stderr)
    return code


def _version(wanted: bool) -> None:
    if wanted:
        print(f"muse {musespark.__version__}", flush=True)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def muse(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """A reasoning system you host yourself: a team thinks about your question, partly in images."""
    if context.invoked_subcommand is None:
        print(context.get_help(), flush=True)


def _complete_command(ctx: typer.Context) -> list[str]:
    """Names of commands below those that were typed."""
    at: Any = ctx.find_root().command
    for word in ctx.params.get("command") or ():
        at = getattr(at, "commands", {}).get(word, at)
    return list(getattr(at, "commands", ()))


def show_help(
    context: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COMMAND",
            help="A command, such as ask or nano train.",
            autocompletion=_complete_command,
        ),
    ] = None,
) -> None:
    """Show the help of a command."""
    at: Any = context.find_root()
    for word in command or ():
        if not hasattr(at.command, "resolve_command"):
            break
        name, found, _ = at.command.resolve_command(at, [word])
        at = type(at)(found, info_name=name, parent=at)
    print(at.get_help(), flush=True)


# The help lists them in this order.
app.command(epilog=EXIT_CODES, examples=ASK_EXAMPLES)(ask)
app.command(
    short_help="Talk with a model: a conversation in the terminal.", examples=CHAT_EXAMPLES
)(chat)
app.command(
    short_help="Answer over HTTP: an endpoint for other programs, and a page.",
    examples=(
        ("muse serve", "the page, and both protocols, on this machine"),
        ("muse serve --host 0.0.0.0 --keep 30d", "for other machines, with keys; see muse keys"),
    ),
)(serve)
app.command(
    short_help="List the models: configured, served here, or one key away.",
    examples=(
        ("muse models", "names, abilities, prices, and what is missing"),
        ("muse models --json", "the same for programs"),
    ),
)(models)
app.command(
    short_help="Estimate models' reliability from questions with known answers.",
    examples=(
        (
            "muse calibrate labels.jsonl --model ollama:qwen3 --kind sums --agents 8",
            "find what helps a model on such questions",
        ),
    ),
)(calibrate)
app.add_typer(config, name="config", short_help="Show or check the configuration.")
app.add_typer(keys, name="keys")
app.add_typer(store, name="store")
app.add_typer(nano, name="nano", short_help="Train, export and measure the native model.")
app.add_typer(recorded, name="eval")
app.command(name="help", examples=(("muse help nano train", "the options of muse nano train"),))(
    show_help
)
