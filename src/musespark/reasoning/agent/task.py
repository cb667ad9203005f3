"""An agent's task: the model, the conversation and the tools of one line of thought."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from musespark.content import Request
from musespark.models.model import Model
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.answer_format import AnswerFormat
from musespark.reasoning.context import RunContext
from musespark.reasoning.usage_node import UsageNode
from musespark.tools.tool import Tool, Toolset

ToolFactory = Callable[[RunContext, "AgentTask", UsageNode], Tool | Toolset]
"""Makes a tool, or several, for one agent: they may need to know who uses them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTask:
    """The task of one agent."""

    agent: str
    model: Model
    request: Request
    """Conversation and options; the agent's tools are added to the caller's."""
    label: str = ""
    """One line for people who watch."""
    tools: tuple[Tool | ToolFactory, ...] = ()
    depth: int = 0
    """Number of generations above this agent."""
    parent: str = "main"
    verify: Callable[[Attempt], Awaitable[bool | None]] | None = field(default=None, repr=False)
    """Something that knows whether an answer is right."""
    asks_for: AnswerFormat | None = None
    """The short answer that the question asks for, to be found in the reply; None: what the reply itself marks as its answer."""
    fits: Callable[[str], str] | None = field(default=None, repr=False)
    """Reason why a text does not have the form that the request's schema asks for; empty if it has. None: any JSON will do."""
    concludes: bool = False
    """True if the agent may be asked for its answer so far, when time ends or its model falls silent."""
