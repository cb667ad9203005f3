"""Usage as a tree: what each agent used, and the agents below it."""

from __future__ import annotations

from functools import reduce
from operator import or_

from musespark.budget import Budget
from musespark.reasoning.progress import AgentProgress
from musespark.usage import Usage


class UsageNode:
    """Usage of one agent, and below it of the agents that worked for it, batch after batch.

    Agents of one batch work in parallel, batches follow one another. Tokens, money and calls add up either way; the critical path
    is the longest of a batch, summed over batches.
    """

    def __init__(self, agent: str) -> None:
        self.agent = agent
        self.scope: Budget | None = None
        """The scope of the run's budget that the calls of the agent and of those below it draw from; None is all of it."""
        self.progress = AgentProgress()
        self.conclude_because = ""
        """Reason for which the agent must conclude; empty while it may go on."""
        self._own = Usage()
        self._under_way = Usage()
        self._batches: list[list[UsageNode]] = []

    def new_batch(self) -> list[UsageNode]:
        """A new batch, for agents that work after those of the batches before."""
        self._batches.append([])
        return self._batches[-1]

    def add_child(self, agent: str, batch: list[UsageNode] | None = None) -> UsageNode:
        """Add a child in this batch, or in a new one."""
        node = UsageNode(agent)
        node.scope = self.scope
        (self.new_batch() if batch is None else batch).append(node)
        return node

    def ask_to_conclude(self, because: str) -> None:
        """End the call under way, and let the agent answer with what it has, in one more call that draws from the whole budget.

        The agent's scope is stopped for good; it must be one that only this agent and those below it draw from.
        """
        self.conclude_because = because
        scope, self.scope = self.scope, None
        assert scope is not None
        scope.stop()

    @property
    def calls(self) -> int:
        """Number of its own calls that are over."""
        return self._own.calls

    def set_running(self, usage: Usage) -> None:
        """Set the usage of the call under way so far."""
        self._under_way = usage

    def book(self, usage: Usage) -> None:
        """Add the usage of a call that is over."""
        self._own += usage
        self._under_way = Usage()

    @property
    def total(self) -> Usage:
        """All of it, here and below."""
        total = self._own + self._under_way
        for batch in self._batches:
            below = reduce(or_, (node.total for node in batch), Usage())
            total += below + Usage(threads=len(batch))
        return total
