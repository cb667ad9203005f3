"""Lines that a person types: questions, and commands such as /model. No terminal: what is to be told goes to a function."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from musespark.cli.chat.attachments import as_path, split_images
from musespark.cli.chat.conversation import Conversation, transcript
from musespark.cli.completion import complete_model
from musespark.content import Image, Mode
from musespark.errors import (
    BadInput,
    BadOption,
    EmptyQuestion,
    FileUnwritable,
    MuseError,
    did_you_mean,
)
from musespark.images import as_image
from musespark.models.registry import create_model
from musespark.option_schema import QUESTION_OPTIONS

COMMANDS: Mapping[str, tuple[str, str]] = {
    "/model": ("[NAME ...]", "show the models, or choose; several are the mix of a team"),
    "/mode": ("[MODE]", "show the mode, or choose: instant, thinking, contemplating"),
    "/agents": ("[N]", "show the agents of the last answer, or how many there may be"),
    "/tools": ("[NAME ... | none]", "show the tools of the agents, or choose"),
    "/image": ("[PATH]", "add an image to the next question; a path within it does, too"),
    "/retry": ("", "ask the last question again"),
    "/save": ("FILE", "write the conversation to a file, as Markdown"),
    "/clear": ("", "forget what was said"),
    "/help": ("", "show this"),
    "/quit": ("", "leave; so does Ctrl-D"),
}
_COMMAND = re.compile(r"/[\w?-]+(?=\s|$)")
"""Looks like a command, and not like a path."""
_OTHER_NAMES = {"/exit": "/quit", "/models": "/model", "/q": "/quit", "/?": "/help"}


@dataclass(frozen=True)
class Ask:
    """A question to be asked now; `None` in it is the last one, once more."""

    question: str | None
    images: tuple[Image, ...] = ()


class UnknownCommand(BadInput):
    """A line begins with a slash and a word that is no command."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no command {name}{did_you_mean(name, COMMANDS)}; /help lists them."
        )


class Commands:
    """Reads line after line, and changes the conversation's settings as they say."""

    def __init__(
        self,
        conversation: Conversation,
        say: Callable[[str], None],
        show_agents: Callable[[], None] = lambda: None,
    ) -> None:
        """say: called with text to show. show_agents: called to show the agents of the last answer."""
        self._conversation, self._say, self._show_agents = conversation, say, show_agents
        self._images: list[tuple[str, Image]] = []
        self._saved: Path | None = None
        self.over = False
        """True once the person wants to leave."""

    def read(self, line: str) -> Ask | None:
        """The question of a line, or None if it was a command or nothing. Raises the kinds of `MuseError`."""
        line = line.strip()
        name, _, argument = line.partition(" ")
        name = _OTHER_NAMES.get(name, name)
        if name in COMMANDS:
            return self._obey(name, argument.strip())
        if _COMMAND.match(line):
            raise UnknownCommand(name)
        text, paths = split_images(line)
        for path in paths:
            self._add(path)
        if not text:
            if paths:
                self._tell_images()
            return None
        images, self._images = tuple(image for _, image in self._images), []
        return Ask(text, images)

    def _obey(self, name: str, argument: str) -> Ask | None:
        match name:
            case "/model":
                self._model(argument.split())
            case "/mode":
                self._mode(argument)
            case "/agents":
                self._agents(argument)
            case "/tools":
                self._tools(argument.replace(",", " ").split())
            case "/image":
                self._image(argument)
            case "/retry":
                if not self._conversation.can_retry:
                    raise EmptyQuestion
                return Ask(None)
            case "/save":
                self._save(argument)
            case "/clear":
                self._conversation.clear()
                self._images.clear()
                self._say("What was said is forgotten.")
            case "/help":
                self._say(help_text())
            case "/quit":
                self.over = True
        return None

    def _model(self, names: Sequence[str]) -> None:
        settings = self._conversation.settings
        if not names:
            known = ", ".join(
                f"{name}NAME" if name[-1] == ":" else name for name in complete_model()
            )
            self._say(f"{settings.named}. There are {known}.")
            return
        for name in names:
            create_model(name, settings.config)
        self._conversation.settings = replace(settings, models=tuple(names))
        self._tell_settings()

    def _mode(self, name: str) -> None:
        if name:
            settings = self._conversation.settings
            self._conversation.settings = replace(settings, mode=Mode.named(name))
        self._tell_settings()

    def _agents(self, number: str) -> None:
        settings = self._conversation.settings
        if not number:
            self._show_agents()
            return
        wanted = int(number) if number.isascii() and number.isdecimal() else number
        QUESTION_OPTIONS["agents"].require("/agents", wanted)
        self._conversation.settings = settings.with_option("agents", wanted)
        told = "" if settings.mode is Mode.CONTEMPLATING else " in /mode contemplating"
        self._say(f"Up to {number} agents{told}.")

    def _tools(self, names: Sequence[str]) -> None:
        settings = self._conversation.settings
        if names and list(names) != ["none"]:
            QUESTION_OPTIONS["tools"].require("/tools", list(names))
        if names:
            chosen = None if list(names) == ["none"] else list(names)
            settings = self._conversation.settings = settings.with_option("tools", chosen)
        self._say(f"Tools: {', '.join(settings.options.get('tools') or ()) or 'none'}.")

    def _image(self, name: str) -> None:
        if name:
            self._add(as_path(name))
        self._tell_images()

    def _add(self, path: Path) -> None:
        looks = bool(self._conversation.settings.options.get("tools"))
        self._images.append((path.name, as_image(path, strict=not looks)))

    def _tell_images(self) -> None:
        names = ", ".join(name for name, _ in self._images)
        self._say(f"With the next question: {names}." if names else "There is no image.")

    def _tell_settings(self) -> None:
        settings = self._conversation.settings
        self._say(f"{settings.named}.")
        try:
            team = settings.team()
        except MuseError:  # it is told when it is asked
            return
        if self._conversation.exchanges and not self._conversation.remembers(team):
            self._say(f"{team.name} reads one question at a time, and not what was said before.")

    def _save(self, name: str) -> None:
        if not name:
            raise BadOption("/save", "", "the name of a file")
        path = as_path(name)
        if path.exists() and path != self._saved:
            raise BadOption("/save", name, "a new file, for this one is there already")
        try:
            path.write_text(transcript(self._conversation), "utf-8", errors="replace")
        except OSError as error:
            raise FileUnwritable("conversation", path, error.strerror or str(error)) from error
        self._saved = path
        self._say(f"The conversation is in {path}.")


def help_text() -> str:
    """The commands, a line each."""
    rows = [(f"{name} {form}".strip(), purpose) for name, (form, purpose) in COMMANDS.items()]
    width = max(len(row[0]) for row in rows)
    listed = [f"{form:<{width}}  {purpose}" for form, purpose in rows]
    keys = "Ctrl-C stops an answer; Alt-Enter begins a new line; the path of an image within a question is read as that image."
    return "\n".join([*listed, keys])
