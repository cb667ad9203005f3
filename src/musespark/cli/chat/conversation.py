"""A conversation: its exchanges, its settings and its cost. No terminal."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from musespark.api import build_team, stream_request
from musespark.budget import Limits
from musespark.config import Config
from musespark.content import MAX_IMAGES, THREADS, Image, Message, Mode, Request, Text
from musespark.events import MAIN, AnswerDelta, AnswerDropped, Event, RunEnded, Spent
from musespark.models.model import Model
from musespark.reasoning.team.team import Team
from musespark.usage import Usage

_TEAM = ("agents", "first_wave", "rounds", "approach", "aggregate")
"""Options that only a team has."""


@dataclass(frozen=True, kw_only=True)
class ChatSettings:
    """Settings of the next exchange."""

    config: Config = field(default_factory=Config)
    models: tuple[str | Model, ...] = ()
    """Models or their names; empty for the configured ones, or the native one."""
    mode: Mode = Mode.THINKING
    limits: Limits = field(default_factory=Limits)
    """Limits of each exchange."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further options of `musespark.stream`."""

    def with_option(self, name: str, value: Any) -> ChatSettings:
        """The settings with one more option, or without it if the value is None."""
        options = {key: each for key, each in self.options.items() if key != name}
        return replace(self, options=options if value is None else {**options, name: value})

    def team(self) -> Team:
        """The team that answers. Raises `BadOption` and `UnknownModel`."""
        options: dict[str, Any] = {
            name: value
            for name, value in self.options.items()
            if self.mode is Mode.CONTEMPLATING or name not in _TEAM
        }
        for sampling in ("effort", "temperature", "seed", "threads"):
            options.pop(sampling, None)
        if self.models:
            options["model"] = list(self.models)
        return build_team({"config": self.config, **options})  # type: ignore[typeddict-item]

    @property
    def named(self) -> str:
        """Models and mode, in a few words."""
        models = self.models or self.config.roles.explorer or ("nano",)
        names = (each if isinstance(each, str) else each.name for each in models)
        return f"{' + '.join(names)} · {self.mode}"


@dataclass(frozen=True)
class Exchange:
    """A question with its images, and the answer to it."""

    question: Message
    answer: str
    by: str
    """Models that were asked."""

    @property
    def messages(self) -> tuple[Message, Message]:
        """Both as messages."""
        return self.question, Message("assistant", (Text(self.answer),))


class Conversation:
    """Exchanges so far, and their cost. One that has no answer leaves them as they were."""

    def __init__(self, settings: ChatSettings) -> None:
        self.settings = settings
        self.exchanges: list[Exchange] = []
        self.spent = Usage()
        """Usage of all exchanges, those that were stopped or failed included."""
        self._last: Message | None = None
        self._retries = 0

    @property
    def can_retry(self) -> bool:
        """True if a question was asked before."""
        return self._last is not None

    def clear(self) -> None:
        """Forget what was said; the cost stays."""
        self.exchanges.clear()
        self._last = None

    def ask(self, question: str, images: Sequence[Image] = ()) -> AsyncGenerator[Event, None]:
        """Ask, as a stream of events; close it to stop, and what was answered until then is kept."""
        self._last, self._retries = Message.user(*images, question), 0
        return self._exchange(self._last)

    def retry(self) -> AsyncGenerator[Event, None]:
        """Ask the last question once more, in place of its answer; with another seed, where the model has seeds."""
        assert self._last is not None
        if self.exchanges and self.exchanges[-1].question is self._last:
            self.exchanges.pop()
        self._retries += 1
        return self._exchange(self._last)

    def remembers(self, team: Team) -> bool:
        """True if all models of the team read what was said before; others are sent the last question alone."""
        return all(model.abilities.conversation for model in team.explorers)

    async def _exchange(self, question: Message) -> AsyncGenerator[Event, None]:
        """Events of an exchange; it is kept if it has an answer, however it ended."""
        team = self.settings.team()
        answer, usage = "", Usage()
        try:
            events = stream_request(
                self._request(question, team),
                {"team": team, "budget": self.settings.limits, "config": self.settings.config},
            )
            async with aclosing(events):
                async for event in events:
                    match event:
                        case AnswerDelta():
                            answer += event.text
                        case AnswerDropped():
                            answer = ""
                        case Spent(agent=agent) if agent == MAIN:
                            usage = event.usage
                        case RunEnded():
                            answer, usage = event.answer, event.usage
                    yield event
        finally:
            self.spent += usage
            if answer.strip():
                self.exchanges.append(Exchange(question, answer, team.name))

    def _request(self, question: Message, team: Team) -> Request:
        options = self.settings.options
        seed = options.get("seed")
        if self._retries and all(model.abilities.seed for model in team.explorers):
            seed = (seed or 0) + self._retries
        before = [message for each in self.exchanges for message in each.messages]
        messages = [*before, question] if self.remembers(team) else [question]
        return Request(
            messages=_with_newest_images(messages),
            mode=self.settings.mode,
            threads=options.get("threads", THREADS),
            seed=seed,
            temperature=options.get("temperature"),
            effort=options.get("effort"),
        ).checked()


def _with_newest_images(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages without the oldest images, if there are more than a request may have."""
    extra = sum(len(message.images) for message in messages) - MAX_IMAGES
    if extra <= 0:
        return tuple(messages)
    kept = []
    for message in messages:
        parts = []
        for part in message.parts:
            if isinstance(part, Image) and extra > 0 and message is not messages[-1]:
                extra -= 1
                continue
            parts.append(part)
        kept.append(replace(message, parts=tuple(parts)))
    return tuple(kept)


def transcript(conversation: Conversation) -> str:
    """The conversation as Markdown, to be kept."""
    parts = ["# A conversation"]
    for each in conversation.exchanges:
        images = len(each.question.images)
        told = f"\n\n({images} image{'' if images == 1 else 's'})" if images else ""
        parts += [
            f"## Question\n\n{each.question.text.strip()}{told}",
            f"## {each.by}\n\n{each.answer.strip()}",
        ]
    return "\n\n".join(parts) + "\n"
