"""`muse ask`: ask one question. Its options are generated from `option_schema`, and so are those of `muse chat`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Annotated, Any

import typer

from musespark.cli.completion import completer
from musespark.content import THREADS
from musespark.option_schema import QUESTION_OPTIONS, OptionSpec

EXIT_CODES = (
    "Exit codes: 0 there is an answer, 1 there is none, 2 something in the request has to change, 3 the model abstains, 4 the "
    "answer was checked and is wrong, 5 there is an answer but a file could not be written, 130 Ctrl-C stopped it."
)
ASK_EXAMPLES = (
    ('muse ask "Use 25, 3, 7 and 12 to make 66."', "the native model, as a team"),
    (
        'muse ask "What is the total?" --image receipt.png --model openai:gpt-5 --tools look',
        "an image, and tools to look at it",
    ),
    (
        'muse ask "..." --model ollama:qwen3 --agents 8 --deadline 60 --max-usd 0.50',
        "eight agents within limits",
    ),
    ("git diff | muse ask --mode thinking --model openai:gpt-5", "the question from a pipe"),
    (
        'muse ask "Which moves solve this maze?" --image maze.png --json',
        "one JSON object, for programs",
    ),
)
_TYPES: dict[str, Any] = {
    "text": str | None,
    "choice": str | None,
    "texts": list[str] | None,
    "integer": int | None,
    "number": float | None,
    "flag": bool,
}


def with_options(
    names: Iterable[str] = QUESTION_OPTIONS, **defaults: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator that gives a function with keyword options the signature from which typer reads them.

    defaults: those that differ from the schema's.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters = [
            each
            for each in inspect.signature(command, eval_str=True).parameters.values()
            if each.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        for name in names:
            spec = QUESTION_OPTIONS[name]
            spec = replace(spec, default=defaults.get(name, spec.default))
            parameters.append(
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=spec.default,
                    annotation=_option(spec),
                )
            )
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return command

    return decorate


def _option(spec: OptionSpec) -> Any:
    """The annotation of an option. Ranges are checked where the command line and Python meet, with one sentence for both."""
    return Annotated[
        _TYPES[spec.kind],
        typer.Option(
            spec.command_line,
            *([spec.short] if spec.short else []),
            metavar=spec.metavar if spec.kind != "flag" else None,
            help=spec.help,
            rich_help_panel=spec.group,
            autocompletion=completer(spec),
        ),
    ]


@with_options(threads=THREADS)
def ask(
    question: Annotated[
        str | None,
        typer.Argument(
            metavar="QUESTION",
            help="The question; without one, or for -, it is read from standard input.",
        ),
    ] = None,
    **options: Any,
) -> None:
    """Ask a question."""
    from musespark.cli.commands.ask_options import options_of, question_of, question_source
    from musespark.cli.commands.ask_run import answer
    from musespark.cli.commands.run_files import RunFiles
    from musespark.cli.view.run_views import view_for
    from musespark.config import load_config

    question = question_source(question)
    view = view_for(options.pop("as_json"))
    outputs = {name: options.pop(name) for name in ("output", "save_images", "trace")}
    built = options_of(question, options.pop("image") or [], load_config(), **options)
    files = RunFiles(**outputs)
    raise typer.Exit(answer(question_of(question), built, view, files))
