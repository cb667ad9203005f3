"""Who used what: a tree of accounts, as the agents are a tree."""

from __future__ import annotations

from functools import reduce
from operator import or_

from musespark.budget import Budget
from musespark.reasoning.progress import AgentProgress
from musespark.usage import Usage


class UsageNode:
    """What one agent used, and below it the agents that worked for it, batch after batch.

    Agents of one batch work side by side, batches follow one another: tokens, money and calls add up either way, and the
    critical path is what a person waits for.
    """

    def __init__(self, agent: str) -> None:
        self.agent = agent
        self.scope: Budget | None = None
        """The scope of the run's budget that the calls of the agent and of those below it draw from; None is all of it."""
        self.progress = AgentProgress()
        self.conclude_because = ""
        """Why the agent is asked to conclude; empty while it may go on."""
        self._own = Usage()
        self._under_way = Usage()
        self._batches: list[list[UsageNode]] = []

    def new_batch(self) -> list[UsageNode]:
        """A new batch, for agents that work after those of the batches before."""
        self._batches.append([])
        return self._batches[-1]

    def add_child(self, agent: str, batch: list[UsageNode] | None = None) -> UsageNode:
        """An account below this one, in that batch, or in one of its own."""
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
        """How many calls of its own are over."""
        return self._own.calls

    def set_running(self, usage: Usage) -> None:
        """What the call under way has used so far."""
        self._under_way = usage

    def book(self, usage: Usage) -> None:
        """What a call used, once it is over."""
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
