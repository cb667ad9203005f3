"""Whether two answers in prose say the same, as a model judges it."""

from __future__ import annotations

import re
from itertools import count

from musespark.budget import Budget, Cost
from musespark.content import Message, Mode, Request
from musespark.errors import BadInput, BudgetExhausted
from musespark.events import Noted
from musespark.models.estimate import prompt_tokens
from musespark.models.model import Model
from musespark.reasoning.account import Account
from musespark.reasoning.agent import Brief
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.crew import errand
from musespark.reasoning.equivalence import Judge
from musespark.reasoning.run import Run

LONGEST = 8_000
"""Characters of an answer that the model is shown: its beginning and its end."""
TOKENS = 200
"""Tokens of a reply, for a model that does not reason before it: one word would do."""
_SAID = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


def same_meaning(run: Run, model: Model, allowed: Budget) -> Judge:
    """Asks the model, on the run's budget; where it fails or mumbles, the answers count as different. So they do once all that is
    allowed for it has been used.

    Pairs may be asked about side by side: those that are under way together are one batch of the run's account.
    """
    numbers = count(1)
    under_way: set[str] = set()
    batch: list[Account] = []
    told = False

    async def same(first: str, second: str) -> bool:
        nonlocal batch, told
        try:
            request = _request(run.request.question, first, second, model)
        except BadInput:  # more than a request may hold
            return False
        try:
            held = allowed.reserve(_least(request, model))
        except BudgetExhausted:
            if not told:
                run.emit(Noted("main", "The budget pays for no more comparisons; answers that nobody compared count as different."))
            told = True
            return False
        agent = f"same-{next(numbers)}"
        brief = Brief(agent=agent, model=model, task=f"{model.name}: do two answers say the same?", request=request)
        if not under_way:
            batch = run.main.batch()
        under_way.add(agent)
        account = run.main.open(agent, batch)
        try:
            outcome = await errand(run, brief, account, lambda: "its verdict is not needed any more")
        finally:
            under_way.remove(agent)
            held.settle(Cost(tokens=account.total.tokens, usd=account.total.usd))
        return isinstance(outcome, Attempt) and _agrees(outcome.text)

    return same


def _request(question: str, first: str, second: str, model: Model) -> Request:
    asked = Message.user(
        f"A question:\n<question>\n{question}\n</question>\n\nTwo answers to it:\n<answer>\n{_cut(first)}\n</answer>\n"
        f"<answer>\n{_cut(second)}\n</answer>\n\nDo they answer the question the same way, so that either may stand for the other? "
        "Wording, order and detail count for nothing. Reply with yes or no.")
    return Request(messages=(asked,), mode=Mode.INSTANT, max_tokens=None if model.abilities.effort else TOKENS)


def _least(request: Request, model: Model) -> Cost:
    """What a verdict of one word costs."""
    read, abilities = prompt_tokens(request), model.abilities
    return Cost(tokens=read + 1, usd=read * abilities.usd_per_prompt_token + abilities.usd_per_token)


def _cut(answer: str) -> str:
    half = LONGEST // 2
    return answer if len(answer) <= LONGEST else f"{answer[:half]}\n[...]\n{answer[-half:]}"


def _agrees(reply: str) -> bool:
    """Whether the verdict is "yes". Its first word tells: "Yes. There is no difference that matters." """
    said = _SAID.search(reply)
    return said is not None and said[1].lower() == "yes"
