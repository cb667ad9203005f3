"""`muse chat`: a conversation in the terminal, or in a pipe, a line a question."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from musespark.cli.commands.ask import with_options
from musespark.option_schema import OUTPUT

if TYPE_CHECKING:
    from musespark.cli.chat.commands import Ask, Commands
    from musespark.cli.chat.conversation import ChatSettings, Conversation
    from musespark.cli.chat.line_input import LineInput
    from musespark.cli.view.board import Board
    from musespark.cli.view.chat_views import ChatView

CHAT_EXAMPLES = (
    ("muse chat", "the native model; /help lists the commands"),
    ("muse chat --model ollama:qwen3 --mode contemplating --agents 4", "a team"),
    (
        "muse chat --model openai:gpt-5 --tools look --max-usd 0.10",
        "with tools, and a limit for each answer",
    ),
    ("printf 'Hello\\nGoodbye\\n' | muse chat --model ollama:qwen3", "a line a question"),
)
_OPTIONS = (
    *("mode", "model", "effort", "temperature", "seed", "tools"),
    *("agents", "first", "rounds", "approach", "aggregate", "judge", "refiner", "merger"),
    *("threads", "deadline", "max_tokens", "max_usd"),
)
_LIMITS = ("deadline", "max_usd", "max_tokens")


@with_options(_OPTIONS, mode="thinking")
def chat(
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object an answer and nothing else.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    **options: Any,
) -> None:
    """Talk with a model or a team, question after question. Limits are those of each answer.

    On a terminal the lines typed before are remembered; without one, standard input is read, a line a question.
    """
    from musespark.cli.chat.conversation import Conversation

    talk = Talk(Conversation(_settings(options)), *_terminal(as_json))
    raise typer.Exit(talk.run())


def _settings(given: dict[str, Any]) -> ChatSettings:
    """The settings that the options and the configuration describe. Raises the kinds of `BadInput`."""
    from musespark.cli.chat.conversation import ChatSettings
    from musespark.cli.commands.ask_options import limits_of, require_in_range
    from musespark.config import load_config
    from musespark.content import Mode

    config = load_config()
    require_in_range(given)
    limits = limits_of(config.team, *(given.pop(name) for name in _LIMITS))
    models = tuple(given.pop("model") or ())
    mode = Mode.named(given.pop("mode"))
    names = {"first": "first_wave"}
    options = {
        names.get(name, name): value for name, value in given.items() if value not in (None, [])
    }
    settings = ChatSettings(config=config, models=models, mode=mode, limits=limits, options=options)
    settings.team()  # a mistake is told before anything is typed
    return settings


def _terminal(as_json: bool) -> tuple[LineInput | None, ChatView]:
    """The source of lines, and the view; None for a terminal that can move its cursor."""
    from musespark.cli.chat.line_input import DumbInput, PipeInput
    from musespark.cli.view.chat_views import JsonChatView, PlainChatView, TerminalChatView

    view: ChatView = JsonChatView() if as_json else PlainChatView()
    if sys.stdin is None or not sys.stdin.isatty():
        return PipeInput(), view
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if as_json or not console.is_terminal or console.is_dumb_terminal or console.legacy_windows:
        return DumbInput(), view
    return None, TerminalChatView(console)


class Talk:
    """Reads lines and answers them until there are no more."""

    def __init__(self, conversation: Conversation, lines: LineInput | None, view: ChatView) -> None:
        """lines: None reads them from the terminal, with a history and completion."""
        from musespark.cli.chat.commands import Commands
        from musespark.cli.chat.line_input import PipeInput

        self._conversation, self._view = conversation, view
        self._commands: Commands = Commands(conversation, view.say, self._show_agents)
        self._lines = lines or _prompt()
        self._by_person = not isinstance(self._lines, PipeInput)
        self._board: Board | None = None
        self._answered = 0
        self._failed = 0

    def run(self) -> int:
        """Answer line after line; returns the exit code: in a pipe that of the last line without an answer, else 0."""
        from musespark.cli.flags import with_flag
        from musespark.errors import MuseError

        if self._by_person:
            self._view.say(
                f"{self._conversation.settings.named} · /help lists the commands, Ctrl-D leaves"
            )
        while not self._commands.over and (line := self._lines.read()) is not None:
            try:
                asked = self._commands.read(line)
                if asked is not None:
                    self._answer(asked)
            except MuseError as error:
                self._view.fail(str(with_flag(error)))
                self._failed = error.exit_code
            except KeyboardInterrupt:  # before it had begun, or for the second time
                if not self._by_person:
                    raise
                self._view.say("Stopped.")
        return 0 if self._by_person else self._failed

    def _answer(self, asked: Ask) -> None:
        """Ask, and show the answer and its cost."""
        from musespark.cli.chat.follower import ExchangeFollower

        conversation = self._conversation
        events = (
            conversation.retry()
            if asked.question is None
            else conversation.ask(asked.question, asked.images)
        )
        self._answered += 1
        board = ExchangeFollower(self._view, conversation.settings.limits).run(
            events, self._by_person
        )
        self._board = board
        self._view.costs(board, conversation.spent, self._answered)
        if not board.answer.strip():
            self._failed = 1

    def _show_agents(self) -> None:
        settings = self._conversation.settings
        number = settings.options.get("agents") or settings.config.team.agents or 8
        if self._board is not None:
            self._view.agents(self._board)
        self._view.say(f"Up to {number} agents in /mode contemplating.")


def _prompt() -> LineInput:
    from musespark.cli.chat.line_input import TerminalInput

    return TerminalInput(_words)


def _words(command: str) -> list[str]:
    """Words that can follow a command of the conversation."""
    from musespark.cli.completion import complete_model
    from musespark.option_schema import QUESTION_OPTIONS

    match command:
        case "/model":
            return complete_model()
        case "/mode":
            return list(QUESTION_OPTIONS["mode"].choices)
        case "/tools":
            return [*QUESTION_OPTIONS["tools"].choices, "none"]
    return []
