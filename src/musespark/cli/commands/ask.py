"""`muse ask`: ask one question. Its options are generated from `option_schema`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import typer

from musespark.content import THREADS
from musespark.option_schema import QUESTION_OPTIONS, OptionSpec

EXIT_CODES = (
    "Exit codes: 0 there is an answer, 1 there is none, 2 something in the request has to change, 3 the model abstains, 4 the "
    "answer was checked and is wrong, 130 Ctrl-C stopped it."
)
_TYPES: dict[str, Any] = {
    "text": str | None,
    "choice": str | None,
    "texts": list[str] | None,
    "integer": int | None,
    "number": float | None,
    "flag": bool,
}


def _with_question_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a function that takes `question` and keyword options the signature from which typer reads its options."""
    question = Annotated[
        str,
        typer.Argument(metavar="QUESTION", help="The question; - reads it from standard input."),
    ]
    parameters = [
        inspect.Parameter("question", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=question)
    ]
    for spec in QUESTION_OPTIONS.values():
        spec = replace(spec, default=THREADS) if spec.name == "threads" else spec
        parameters.append(
            inspect.Parameter(
                spec.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=spec.default,
                annotation=_option(spec),
            )
        )
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _option(spec: OptionSpec) -> Any:
    """The annotation of an option. Ranges are checked where the command line and Python meet, with one sentence for both."""
    names = [spec.flag] if spec.flag else []
    metavar = spec.metavar if spec.kind != "flag" else None
    return Annotated[_TYPES[spec.kind], typer.Option(*names, metavar=metavar, help=spec.help)]


@_with_question_options
def ask(question: str, **options: Any) -> None:
    """Ask a question."""
    from musespark.cli.commands.ask_options import options_of, question_of
    from musespark.cli.commands.ask_run import answer
    from musespark.cli.view.run_views import view_for
    from musespark.config import load_config

    view = view_for(options.pop("as_json"))
    built = options_of(question, options.pop("image") or [], load_config(), **options)
    raise typer.Exit(answer(question_of(question), built, view))
