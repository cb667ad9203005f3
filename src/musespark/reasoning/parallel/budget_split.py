"""The split of a limited budget: how many agents can run, and how much each may write, so that those that run can finish.

Tokens are allocated when they are needed, from what is left then, so unused tokens go to later agents. If little is left, fewer
agents run, each with enough for a whole reply. The length of a reply is guessed before the first one and observed afterwards. This
file reserves and spends nothing: `budget.py` enforces the budget whatever is guessed here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from musespark.budget import Budget, Cost, Limits
from musespark.content import Effort
from musespark.models.estimate import estimate_prompt_tokens
from musespark.models.model import Model
from musespark.reasoning.agent.model_call import readable
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.context import RunContext
from musespark.usage import Usage

REPLY = 400
"""Tokens that a reply is taken to need before there has been one."""
REASONED = 2_400
"""The same for a model that reasons first; some refuse to within 2,048."""
MARGIN = 1.25
"""Factor by which the next reply may be longer than the longest so far."""
AMPLE = 8_192
"""Tokens that are enough for a reply as a rule: providers refuse a limit beyond what their model can write."""
DECIDING = 6
"""Calls that are planned for the decision at the end."""
COMPARING = 4
"""At most one token in this many goes into comparing answers, and one dollar: the answers themselves matter more."""
NO_COST = Cost()


def is_limited(run: RunContext) -> bool:
    """True if tokens or money are."""
    return run.budget.tokens_left() is not None or run.budget.usd_left() is not None


def _read(task: AgentTask) -> int:
    """Tokens of its prompt."""
    return (
        estimate_prompt_tokens(readable(task.request, task.model))
        if task.model.abilities.conversation
        else 0
    )


@dataclass(frozen=True, slots=True)
class _Left:
    """The rest of a budget."""

    tokens: float
    usd: float

    @classmethod
    def of(cls, run: RunContext, kept: Cost = NO_COST) -> _Left:
        tokens, usd = run.budget.tokens_left(), run.budget.usd_left()
        return cls(
            math.inf if tokens is None else tokens - kept.tokens,
            math.inf if usd is None else usd - kept.usd,
        )

    def writable(self, model: Model, read: int, parts: int) -> float:
        """Tokens that each of `parts` calls could write after its prompt; negative if not even the prompts can be paid."""
        abilities = model.abilities
        most, usd = (
            self.tokens / parts - read,
            self.usd / parts - read * abilities.usd_per_prompt_token,
        )
        if usd < 0:
            return -1
        return min(most, usd / abilities.usd_per_token) if abilities.usd_per_token else most


@dataclass
class TokenAllocator:
    """Observed lengths of replies, and the tasks that the rest of the budget pays for."""

    run: RunContext
    comparing: Budget = field(init=False)
    """Limit for all comparisons of answers by a model; the calls themselves draw from the run's budget."""
    _whole: dict[str, int] = field(default_factory=dict)
    """Tokens of the longest reply that came to its end, by model."""
    _cut: dict[str, int] = field(default_factory=dict)
    """Tokens that were too few for a reply, by model."""
    _prompts: dict[str, int] = field(default_factory=dict)
    """Largest total of an agent's prompts in tokens, by model: an agent with tools makes several calls."""

    def __post_init__(self) -> None:
        tokens, usd = self.run.budget.tokens_left(), self.run.budget.usd_left()
        self.comparison_budget = Budget(
            Limits(
                tokens=None if tokens is None else tokens // COMPARING,
                usd=None if usd is None else usd / COMPARING,
            )
        )

    def observe(self, task: AgentTask, outcome: object, usage: Usage) -> None:
        """Learn from what an agent used until it came back."""
        name, written = task.model.name, usage.tokens - usage.prompt_tokens
        self._prompts[name] = max(usage.prompt_tokens, self._prompts.get(name, 0))
        held = task.request.max_tokens is not None and written >= task.request.max_tokens
        if isinstance(outcome, Attempt) and outcome.finish_reason == "finished":
            known = self._whole
        elif held or (isinstance(outcome, Attempt) and outcome.finish_reason == "budget"):
            known = self._cut
        else:
            return
        known[name] = max(written, known.get(name, 0))

    def expected_input(self, task: AgentTask) -> int:
        """Tokens of the prompts that it is likely to cost."""
        again = MARGIN * self._prompts.get(task.model.name, 0) if task.tools else 0
        return max(_read(task), math.ceil(again))

    def expected_output(self, task: AgentTask, most: int | None = None) -> int:
        """Tokens that a reply is likely to need, `most` at most. A reply that was cut would have needed more: twice as many are
        tried."""
        name, request = task.model.name, task.request
        cut = self._cut.get(name, 0)
        if name in self._whole:
            guess = max(math.ceil(MARGIN * self._whole[name]), cut + 1)
        elif cut:
            guess = 2 * cut
        elif self._whole:
            guess = math.ceil(MARGIN * max(self._whole.values()))
        else:
            reasons = task.model.abilities.effort and request.effort not in (None, Effort.NONE)
            guess = REASONED if reasons else REPLY
        return min(
            each
            for each in (guess, most, request.max_tokens, task.model.abilities.context)
            if each is not None
        )

    def cost(self, tasks: Iterable[AgentTask], most: int | None = None) -> Cost:
        """Likely cost of these tasks together; nothing if that much is not left."""
        tokens, usd = 0, 0.0
        for task in tasks:
            read, written, abilities = (
                self.expected_input(task),
                self.expected_output(task, most),
                task.model.abilities,
            )
            tokens += read + written
            usd += read * abilities.usd_per_prompt_token + written * abilities.usd_per_token
        left = self.run.budget.tokens_left(), self.run.budget.usd_left()
        paid = all(
            limit is None or limit >= cost for limit, cost in zip(left, (tokens, usd), strict=True)
        )
        return Cost(tokens=tokens, usd=usd) if paid else NO_COST

    def with_comparisons(self, cost: Cost) -> Cost:
        """The cost, plus what may still go into comparing answers."""
        left = self.comparison_budget
        return Cost(
            tokens=cost.tokens + (left.tokens_left() or 0), usd=cost.usd + (left.usd_left() or 0.0)
        )

    def allocate(
        self,
        tasks: Sequence[AgentTask],
        count: int,
        kept: Cost = NO_COST,
        *,
        most: int | None = None,
        planned: int = 0,
        half: bool = False,
        anyone: bool = False,
    ) -> list[AgentTask]:
        """The first of these tasks, `count` at most, whose likely replies can be paid to the end, each with its token limit. If
        nothing is limited, the first `count` as they are.

        kept: cost that must be left over. most: tokens of a reply. planned: calls until the end; if an equal share for all of them
        is ample, no task gets more. half: others follow these, which therefore get half of what is left, if that suffices. anyone:
        a cut answer is better than none; one task is sent while there is more than has been too little before.
        """
        if not is_limited(self.run):
            return list(tasks[:count])
        left = _Left.of(self.run, kept)
        inputs = {task.agent: self.expected_input(task) for task in tasks}

        def writable(task: AgentTask, parts: int) -> float:
            return left.writable(task.model, inputs[task.agent], parts)

        def paid(those: Sequence[AgentTask], parts: int) -> bool:
            return all(writable(task, parts) >= self.expected_output(task, most) for task in those)

        sent: list[AgentTask] = []
        for task in tasks:
            if len(sent) < count and paid([*sent, task], len(sent) + 1):
                sent.append(task)
        if not sent and anyone:
            left = _Left.of(self.run)
            sent = [
                task for task in tasks if writable(task, 1) > self._cut.get(task.model.name, 0)
            ][:1]
        parts = 2 * len(sent) if half and paid(sent, 2 * len(sent)) else len(sent)
        ample = {
            task.agent: max(
                AMPLE,
                2 * self.expected_output(task, most),
                writable(task, planned) if planned else 0,
            )
            for task in sent
        }
        return [
            task
            if math.isinf(each := writable(task, parts))
            else _held_to(task, min(each, ample[task.agent]))
            for task in sent
        ]


def _held_to(task: AgentTask, writable: float) -> AgentTask:
    """The task with a reply of at most this many tokens."""
    most = writable if task.request.max_tokens is None else min(writable, task.request.max_tokens)
    return replace(task, request=replace(task.request, max_tokens=max(1, int(most))))
