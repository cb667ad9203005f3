"""Texts for clients that are not the operator: without addresses of backends, names of variables, and paths of files.

Models and libraries word their errors for whoever runs them. A client with a key gets the same sentence with these parts replaced;
the log has it whole.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from musespark.config import Config
from musespark.errors import MuseError
from musespark.events import (
    AgentCancelled,
    AgentFailed,
    AgentStarted,
    AnswerDropped,
    Decided,
    Event,
    Noted,
    RunFailed,
    RunStarted,
)
from musespark.models.registry import PROVIDERS, create_provider
from musespark.server.errors import ErrorReply, error_reply

_ADDRESSES = re.compile(
    r"@?\b[a-z][a-z0-9+.-]*://[^\s'\")\],;]+"  # a URL, also at the end of a model's name
    r"|\('[^'()]*', \d+(?:, \d+)*\)"  # an address as the operating system has it
    r"|\[?\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?"
    r"|\[[0-9a-fA-F:]*::?[0-9a-fA-F:]+(?:%\w+)?\](?::\d+)?"
    r"|(?<![\w:])(?=[0-9a-fA-F:]*::|(?:[0-9a-fA-F]+:){7})[0-9a-fA-F]*(?::[0-9a-fA-F]*){2,7}(?:%\w+)?(?![\w:])"
)
_AT = re.compile(r"(?<=\w)@[a-z][a-z0-9+.-]*://[^\s'\")\],;]+?(?=:?(?:[\s'\")\],;]|$))")
_PATHS = re.compile(r"(?<![\w/.:])(?:~|/[\w.@+-]+)(?:/[\w.@+-]+)+|\b[A-Za-z]:\\[^\s'\":]+")
_TEXTS: dict[type[Event], tuple[str, ...]] = {
    RunStarted: ("model",),
    AgentStarted: ("model",),
    AgentCancelled: ("reason",),
    AgentFailed: ("message",),
    AnswerDropped: ("reason",),
    Decided: ("reason",),
    Noted: ("text",),
    RunFailed: ("message",),
}
"""Fields of events that name models or tell of errors."""


class Redactor:
    """Replaces what only the operator is to know."""

    def __init__(self, config: Config) -> None:
        names = {entry.key_env for entry in config.models.values() if entry.key_env}
        hosts = {
            urlsplit(entry.base_url).hostname for entry in config.models.values() if entry.base_url
        }
        for kind in PROVIDERS:
            provider = create_provider(kind)
            names |= {*provider.key_variables, *provider.url_variables}
        self._names = _any_of(names, r"\b{}\b")
        self._hosts = _any_of({host for host in hosts if host}, r"(?<![\w.-]){}(?![\w-])(?::\d+)?")

    def text(self, said: str) -> str:
        """A sentence without addresses, names of variables and paths."""
        said = _ADDRESSES.sub(lambda found: "" if found[0].startswith("@") else "its server", said)
        for pattern, instead in (
            (self._hosts, "its server"),
            (self._names, "its variable"),
            (_PATHS, "a file of the server"),
        ):
            if pattern is not None:
                said = pattern.sub(instead, said)
        return said

    def event(self, event: Event) -> Event:
        """An event whose texts can be shown to a client."""
        changes: dict[str, Any] = {}
        for name in _TEXTS.get(type(event), ()):
            said = getattr(event, name)
            if (shown := self.text(said)) != said:
                changes[name] = shown
        if isinstance(event, AgentStarted) and (task := _AT.sub("", event.task)) != event.task:
            changes["task"] = task  # it may be a person's words: only a model's address goes
        return replace(event, **changes) if changes else event

    def reply(self, error: MuseError) -> ErrorReply:
        """The reply to an error; the operator's own part of it is left out."""
        found = error_reply(error)
        return replace(found, message=self.text(found.message))


def _any_of(texts: set[str], around: str) -> re.Pattern[str] | None:
    if not texts:
        return None
    longest_first = sorted(texts, key=len, reverse=True)
    return re.compile(
        around.format(f"(?:{'|'.join(map(re.escape, longest_first))})"), re.IGNORECASE
    )
