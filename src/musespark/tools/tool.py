"""Protocols of a tool and of a toolset, and the output of a tool call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from musespark.content import Image, Message, ToolSpec


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """Result of a tool call. The text of a failed call gives the reason: the model reads it and may try again."""

    text: str
    images: tuple[Image, ...] = ()
    failed: bool = False
    captions: tuple[str, ...] = ()
    """Caption of each image for the trace; by default the name of the tool."""


class Tool(Protocol):
    """A function that a model may call while it answers."""

    @property
    def spec(self) -> ToolSpec:
        """Name, description and parameters for the model."""

    async def use(self, arguments: Mapping[str, Any]) -> ToolOutput:
        """Run the tool. The arguments come from the model, unchecked; any fault in them becomes a failed output.

        Cancelling the call leaves nothing running.
        """


@runtime_checkable
class Toolset(Protocol):
    """Tools of one agent that share state and prepare its conversation for the model."""

    @property
    def tools(self) -> Sequence[Tool]:
        """The tools of the set."""

    async def prepare_messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """Return the messages as the model gets them; called before every call of the model, with the whole conversation."""
