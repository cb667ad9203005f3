"""Spawn: an agent hands sub-tasks to sub-agents, each in a fresh context, and receives only what they return.

For models that cannot spawn by themselves; the events are those of the native model's threads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from musespark.content import Message, ToolSpec
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.agent_pool import AgentPool
from musespark.reasoning.parallel.budget_split import TokenAllocator
from musespark.reasoning.parallel.stragglers import EVERYONE
from musespark.reasoning.usage_node import UsageNode
from musespark.sampling import Sampling
from musespark.tools.tool import ToolOutput

MOST = 16
"""Sub-agents of one call."""
DEPTH = 2
"""Generations below the first agent."""

SPEC = ToolSpec.of(
    "spawn_agents",
    f"Hands sub-tasks to up to {MOST} sub-agents that work side by side, and returns what each of them answers. A sub-agent "
    "knows nothing of this conversation: its message must say everything it needs. Use it to split a task into independent "
    "parts. The message of each sub-agent is message_template with every {name} replaced by that sub-agent's own value.",
    {
        "type": "object",
        "properties": {
            "message_template": {
                "type": "string",
                "description": "What the sub-agents are told, with {placeholders}.",
            },
            "subagents": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST,
                "description": "One object a sub-agent: the values of the placeholders.",
                "items": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "required": ["message_template", "subagents"],
    },
)

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass
class SpawnAgents:
    """The tool in the hands of one agent."""

    run: RunContext
    task: AgentTask
    node: UsageNode

    spec = SPEC

    def __post_init__(self) -> None:
        self._number = count(1)

    async def use(self, arguments: Mapping[str, Any]) -> ToolOutput:
        """Send the sub-agents and wait for all of them; the caps on depth and on the run's agents hold across all calls."""
        if self.task.depth >= DEPTH:
            return ToolOutput("A sub-agent of a sub-agent does its work itself.", failed=True)
        told = messages(arguments)
        if isinstance(told, str):
            return ToolOutput(told, failed=True)
        allowed = self.run.request.threads - self.run.spawned
        if len(told) > allowed:
            return ToolOutput(
                f"Only {max(0, allowed)} more sub-agents may be spawned in this run; do the rest yourself.",
                failed=True,
            )
        names = [f"{self.task.agent}/sub-{next(self._number)}" for _ in told]
        allocator = TokenAllocator(self.run)
        tasks = [self._task(name, message) for name, message in zip(names, told, strict=True)]
        sent = allocator.allocate(
            tasks, len(tasks), allocator.cost([self.task]), planned=len(tasks) + 1
        )
        if len(sent) < len(told):
            return ToolOutput(
                f"What is left of the budget pays for {len(sent)} sub-agents; send no more, or do the work yourself.",
                failed=True,
            )
        self.run.spawned += len(told)
        answers: dict[str, str] = {}
        async with AgentPool(self.run, self.node, EVERYONE) as pool:
            for task in sent:
                pool.send(task)
            while (back := await pool.next_with_hedges()) is not None:
                task, outcome = back
                said = outcome.text if isinstance(outcome, Attempt) else f"(failed: {outcome})"
                answers[task.agent.removesuffix("-again")] = said
        told_back = [
            f"<subagent {number}>\n{answers.get(name, '(no answer)')}\n</subagent {number}>"
            for number, name in enumerate(names, 1)
        ]
        return ToolOutput(
            "\n".join(told_back),
            failed=all(answers.get(name, "(failed").startswith("(failed") for name in names),
        )

    def _task(self, name: str, message: str) -> AgentTask:
        request = replace(
            self.task.request,
            messages=(Message.user(message),),
            tools=(),
            tool_choice="auto",
            schema=None,
            json_mode=False,
            sampling=Sampling(),
        )
        return AgentTask(
            agent=name,
            parent=self.task.agent,
            model=self.task.model,
            request=request,
            label=message,
            tools=self.task.tools,
            depth=self.task.depth + 1,
        )


def messages(arguments: Mapping[str, Any]) -> list[str] | str:
    """The message for each sub-agent; or a sentence for the model about a mistake in its arguments."""
    template, given = arguments.get("message_template"), arguments.get("subagents")
    if not isinstance(template, str) or not template.strip():
        return "message_template must be a text that tells the sub-agents what to do."
    if (
        not isinstance(given, list)
        or not given
        or not all(isinstance(each, dict) for each in given)
    ):
        return "subagents must be a list of objects, one for each sub-agent, with the values of the placeholders."
    if len(given) > MOST:
        return f"There can be at most {MOST} sub-agents in one call; these are {len(given)}."
    wanted = set(_PLACEHOLDER.findall(template))
    for number, each in enumerate(given, 1):
        if lacking := sorted(wanted - each.keys()):
            return f"Sub-agent {number} has no value for {', '.join(lacking)}."
    told = [_filled(template, each) for each in given]
    return told if all(each.strip() for each in told) else "A sub-agent's message is empty."


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """The template with the values of its placeholders."""
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), template)
