"""What every tool is to an agent: how a model is told of it, and what using it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from musespark.content import Image, ToolSpec


@dataclass(frozen=True, slots=True)
class Output:
    """What a tool gave back. A tool that failed says why in the text: the model reads it and may try again."""

    text: str
    images: tuple[Image, ...] = ()
    failed: bool = False


class Tool(Protocol):
    """Something an agent may use in the middle of a thought."""

    @property
    def spec(self) -> ToolSpec:
        """What the model is told."""

    async def use(self, arguments: Mapping[str, Any]) -> Output:
        """Do it. The arguments are what the model wrote, checked by nobody; whatever is wrong with them is a failed output.

        Cancelling it leaves nothing running.
        """
