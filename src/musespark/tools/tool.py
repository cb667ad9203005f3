"""What every tool is to an agent: how a model is told of it, and what using it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from musespark.content import Image, Message, ToolSpec


@dataclass(frozen=True, slots=True)
class Output:
    """What a tool gave back. A tool that failed says why in the text: the model reads it and may try again."""

    text: str
    images: tuple[Image, ...] = ()
    failed: bool = False
    captions: tuple[str, ...] = ()
    """What a person is told of each picture; by default, which tool it is from."""


class Tool(Protocol):
    """Something an agent may use in the middle of a thought."""

    @property
    def spec(self) -> ToolSpec:
        """What the model is told."""

    async def use(self, arguments: Mapping[str, Any]) -> Output:
        """Do it. The arguments are what the model wrote, checked by nobody; whatever is wrong with them is a failed output.

        Cancelling it leaves nothing running.
        """


@runtime_checkable
class Toolset(Protocol):
    """Tools of one agent that share something, and that see its conversation before the model does."""

    @property
    def tools(self) -> Sequence[Tool]:
        """The tools."""

    async def conversation(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The messages as the model is to see them; asked for before every call, with all that was said so far."""
