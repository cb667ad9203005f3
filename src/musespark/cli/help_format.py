"""Commands whose help has groups of options and examples, and whose errors suggest the name that was meant.

The help is plain text: typer's panels would import rich, which takes longer than everything else that `muse --help` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, cast

import typer
from typer.core import TyperCommand, TyperGroup

Example: TypeAlias = tuple[str, str]
"""A command and its purpose, in a few words."""
_EXAMPLES = "\b\nExamples:\n"
_OPTIONS = "Options"
_NOT_A_NUMBER = re.compile(r"Input should be a valid (integer|number).*")
_ONE_DASH = re.compile(r"-[a-z][a-z-]+")


class HelpApp(typer.Typer):
    """A group of commands with the help of this file."""

    def __init__(self, *, examples: Iterable[Example] = (), **settings: Any) -> None:
        super().__init__(
            **{
                "cls": _Group,
                "rich_markup_mode": None,
                "epilog": _epilog(None, examples),
                "context_settings": {"help_option_names": ["-h", "--help"]},
                **settings,
            }
        )

    def command(
        self, name: str | None = None, *, examples: Iterable[Example] = (), **settings: Any
    ) -> Callable[[Any], Any]:
        """Add a command. examples: commands that its help shows."""
        epilog = _epilog(settings.pop("epilog", None), examples)
        return cast(
            "Callable[[Any], Any]",
            super().command(name, **{"cls": _Command, "epilog": epilog, **settings}),
        )


def _epilog(text: str | None, examples: Iterable[Example]) -> str | None:
    """Examples, then the text. Line breaks of a paragraph that begins with a backspace are kept."""
    listed = [f"  {command}\n      {purpose}" for command, purpose in examples]
    parts = ([_EXAMPLES + "\n".join(listed)] if listed else []) + ([text] if text else [])
    return "\n\n".join(parts) or None


class _Grouped:
    """Help in which each group of options has a heading, and examples are written as they are."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then options by group, those without one last, then subcommands."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):  # type: ignore[attr-defined]
            record = parameter.get_help_record(ctx)
            if record is not None:
                usual = "Arguments" if parameter.param_type_name == "argument" else _OPTIONS
                groups.setdefault(parameter.rich_help_panel or usual, []).append(record)
        plain = groups.pop(_OPTIONS, None)
        for heading, records in (*groups.items(), *([(_OPTIONS, plain)] if plain else [])):
            with formatter.section(heading):
                formatter.write_dl(records)
        if isinstance(self, TyperGroup):
            self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples, one below the other, and the text after them."""
        for part in (self.epilog or "").split("\n\n"):  # type: ignore[attr-defined]
            if part.startswith(_EXAMPLES):
                formatter.write_paragraph()
                formatter.write("Examples:\n" + part.removeprefix(_EXAMPLES) + "\n")
            elif part:
                formatter.write_paragraph()
                formatter.write_text(part)


class _Command(_Grouped, TyperCommand):
    """A command."""


class _Group(_Grouped, TyperGroup):
    """A group of commands."""


def usage_sentence(error: typer.TyperException, args: list[str]) -> str:
    """An error of the parser as one sentence that suggests what was meant, and names the help."""
    said = " ".join(error.format_message().split()).rstrip(".")
    said = _NOT_A_NUMBER.sub(
        lambda found: f"it must be a {'whole ' if found[1] == 'integer' else ''}number", said
    )
    said = said.partition(" (Possible options")[0]
    said = said.replace(". Did you mean ", " (did you mean ").replace("'?", "'?)")
    context = getattr(error, "ctx", None)
    if meant := _meant(error, context, args):
        said += f" (did you mean {meant}?)"
    elif "unexpected extra argument" in said:
        said += "; put a question of several words in quotes"
    return f"{said}; see {context.command_path if context else 'muse'} --help."


def _meant(error: typer.TyperException, context: Any, args: list[str]) -> str:
    """The option that an unknown one is like; a long one with a single dash is meant as one with two."""
    parameters = context.command.get_params(context) if context else ()
    known = [option for parameter in parameters for option in parameter.opts]
    long = [f"-{arg.partition('=')[0]}" for arg in args if _ONE_DASH.match(arg)]
    close = [option for option in long if option in known]
    return next(iter(close or sorted(getattr(error, "possibilities", None) or ())), "")
