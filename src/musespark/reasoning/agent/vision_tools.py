"""Looking, for one agent: its images, numbered, and the tools that look at them (`musespark.vision`)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from musespark.content import Message
from musespark.events import Noted
from musespark.models.model import Model
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.context import RunContext
from musespark.reasoning.usage_node import UsageNode
from musespark.tools.registry import make_vision_tools
from musespark.tools.tool import Tool
from musespark.vision.album import Album

DESCRIBING_TOOLS = frozenset({"read", "find"})
"""Tools that describe an image in words, to a model that cannot see it."""


@dataclass(frozen=True)
class VisionToolFactory:
    """Makes an agent's tools of looking."""

    names: tuple[str, ...]

    def __call__(self, run: RunContext, task: AgentTask, node: UsageNode) -> VisionToolset:
        """The tools, with an album of their own."""
        return VisionToolset(run, task, self.names)

    def serves(self, model: Model) -> bool:
        """True if a model can work on images with these tools: a model that cannot see needs one that describes."""
        return model.abilities.tools and (
            model.abilities.pictures_in or bool(DESCRIBING_TOOLS & set(self.names))
        )


class VisionToolset:
    """One agent's tools of looking, and its conversation as it sees it."""

    def __init__(self, run: RunContext, task: AgentTask, names: Sequence[str]) -> None:
        self._run, self._task = run, task
        can = task.model.abilities
        self._album = Album(model_sees=can.pictures_in, longest_side=can.longest_side)
        self.tools: tuple[Tool, ...] = make_vision_tools(self._album, names)
        self._noted = can.pictures_in

    async def prepare_messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The messages with every image numbered; for a model that sees none, without the images, which the trace says."""
        async with self._album.lock:
            told = await asyncio.to_thread(self._album.label_images, messages)
        if not self._noted and self._album.images:
            self._noted = True
            self._run.emit(
                Noted(
                    self._task.agent,
                    f"{self._task.model.name} sees no pictures: it is blind here, and works from "
                    "what its tools tell it in words.",
                )
            )
        return told
