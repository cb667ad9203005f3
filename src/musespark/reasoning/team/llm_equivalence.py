"""True if two answers in prose say the same, as a model judges it."""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass, replace
from itertools import count

from musespark.budget import Budget, Cost, Reservation
from musespark.content import Message, Mode, Request
from musespark.errors import BadInput, BudgetExhausted
from musespark.events import Noted
from musespark.models.estimate import estimate_prompt_tokens
from musespark.models.model import Model
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence import Judge
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.budget_split import REASONED
from musespark.reasoning.parallel.run_agent import run_agent
from musespark.reasoning.usage_node import UsageNode

LONGEST = 8_000
"""Characters of an answer that the model is shown: its beginning and its end."""
TOKENS = 200
"""Tokens of a reply, for a model that does not reason before it: one word would do."""
_SAID = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


def llm_judge(run: RunContext, model: Model, allowed: Budget) -> Judge:
    """A judge of sameness that calls the model, on the run's budget. Answers count as different if the call fails, if its verdict
    is unclear, and once `allowed` is used up.

    Pairs may be compared in parallel: calls under way at the same time are one batch of the run's usage, and as many as `allowed`
    pays for at their full length, because a model that reasons first might use it all.
    """
    return _Comparing(run, model, allowed)


@dataclass(eq=False)
class _Comparing:
    run: RunContext
    model: Model
    allowed: Budget

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self._under_way: set[str] = set()
        self._batch: list[UsageNode] = []
        self._told = False
        self._back = asyncio.Event()
        """Set when one has come back; then another one takes its place."""

    async def __call__(self, first: str, second: str) -> bool:
        try:
            request = _request(self.run.request.question, first, second, self.model)
        except BadInput:  # more than a request may hold
            return False
        agent = f"same-{next(self._numbers)}"
        try:
            held = await self._room(agent, request)
        except BudgetExhausted:
            if not self._told:
                self.run.emit(
                    Noted(
                        "main",
                        "The budget pays for no more comparisons; answers that were not compared count as "
                        "different.",
                    )
                )
            self._told = True
            return False
        return await self._asked(agent, self._held_to(request, held), held)

    async def _room(self, agent: str, request: Request) -> Reservation:
        """Wait for room beside the calls under way; a single call makes do with what is left. Raises `BudgetExhausted`."""
        while True:
            try:
                held = self.allowed.reserve(
                    _cost(request, self.model, request.max_tokens or REASONED),
                    None if self._under_way else _cost(request, self.model, 1),
                )
            except BudgetExhausted:
                if not self._under_way:
                    raise
                await self._back.wait()
            else:
                if not self._under_way:
                    self._batch = self.run.main.new_batch()
                self._under_way.add(agent)
                return held

    def _held_to(self, request: Request, held: Reservation) -> Request:
        """The request with the granted tokens, if there is any limit."""
        limits, abilities = self.allowed.limits, self.model.abilities
        most, read = [request.max_tokens or math.inf], estimate_prompt_tokens(request)
        if limits.tokens is not None:
            most.append(held.granted.tokens - read)
        if limits.usd is not None and abilities.usd_per_token:
            most.append(
                round(
                    (held.granted.usd - read * abilities.usd_per_prompt_token)
                    / abilities.usd_per_token
                )
            )
        return replace(
            request, max_tokens=None if math.isinf(min(most)) else max(1, int(min(most)))
        )

    async def _asked(self, agent: str, request: Request, held: Reservation) -> bool:
        node = self.run.main.add_child(agent, self._batch)
        task = AgentTask(
            agent=agent,
            model=self.model,
            label=f"{self.model.name}: do two answers say the same?",
            request=request,
        )
        try:
            outcome = await run_agent(
                self.run, task, node, lambda: "its verdict is not needed any more"
            )
        finally:
            held.settle(Cost(tokens=node.total.tokens, usd=node.total.usd))
            self._under_way.remove(agent)
            back, self._back = self._back, asyncio.Event()
            back.set()
        return isinstance(outcome, Attempt) and _agrees(outcome.text)


def _request(question: str, first: str, second: str, model: Model) -> Request:
    asked = Message.user(
        f"A question:\n<question>\n{question}\n</question>\n\nTwo answers to it:\n<answer>\n{_cut(first)}\n</answer>\n"
        f"<answer>\n{_cut(second)}\n</answer>\n\nDo they answer the question the same way, so that either may stand for the other? "
        "Wording, order and detail count for nothing. Reply with yes or no."
    )
    return Request(
        messages=(asked,),
        stage="compare",
        mode=Mode.INSTANT,
        max_tokens=None if model.abilities.effort else TOKENS,
    )


def _cost(request: Request, model: Model, written: int) -> Cost:
    """Cost of a verdict with this many tokens."""
    read, abilities = estimate_prompt_tokens(request), model.abilities
    return Cost(
        tokens=read + written,
        usd=read * abilities.usd_per_prompt_token + written * abilities.usd_per_token,
    )


def _cut(answer: str) -> str:
    half = LONGEST // 2
    return answer if len(answer) <= LONGEST else f"{answer[:half]}\n[...]\n{answer[-half:]}"


def _agrees(reply: str) -> bool:
    """True if the verdict is "yes". The first word counts: "Yes. No difference matters." """
    said = _SAID.search(reply)
    return said is not None and said[1].lower() == "yes"
