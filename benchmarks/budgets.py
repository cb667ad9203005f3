"""What a team makes of a limited budget: how often it ends with a whole answer, and how many agents have thought.

    python benchmarks/budgets.py

The model is made up: its replies take 100 to 150 tokens and are right two times out of three; one that is given fewer tokens is cut
before its answer. Every run is drawn from its number, so that the table is the same on every machine.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from dataclasses import dataclass

from musespark.budget import Budget, Limits
from musespark.content import Request
from musespark.errors import MuseError
from musespark.events import Decided, RunEnded
from musespark.models.estimate import prompt_tokens
from musespark.models.fake import FakeModel, Step
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta
from musespark.reasoning.modes import run
from musespark.reasoning.team import Team
from musespark.usage import Usage

BUDGETS = (200, 500, 1_000, 2_000, 5_000, 20_000, None)
RUNS = 100
QUESTION = "How many whole numbers below 1000 are divisible by 3 or by 5?"
ABLE = Abilities(conversation=True, context=100_000)
WRONG = ("467", "533", "599")


@dataclass(frozen=True)
class Outcome:
    """How one run ended."""

    whole: bool
    right: bool
    replies: int
    """Agents that came to the end of a reply."""
    cut: int
    """Replies that were cut."""
    by: str
    tokens: int


async def outcome(seed: int, tokens: int | None, prose: bool) -> Outcome:
    """One run of a team of eight, with one round of refinement."""
    rng = random.Random(seed)
    replies = {True: 0, False: 0}

    def play(request: Request, number: int) -> list[Step]:
        length, asked = rng.randint(100, 150), request.messages[-1].text
        if "Which answer is right" in asked:
            right = "466" in asked[:asked.index('id="B"')]
            said = f'{{"reason": "I counted.", "better": "{"A" if right else "B"}"}}'
        else:
            right = rng.random() < 2 / 3
            said = _prose(rng, right) if prose else f"Answer: {'466' if right else rng.choice(WRONG)}"
        written = min(length, request.max_tokens or length)
        replies[written == length] += 1
        text = "Let me count the multiples first. " * 3 + (said if written == length else "")
        used = Usage(tokens=prompt_tokens(request) + written, prompt_tokens=prompt_tokens(request), critical_path=written)
        return [TextDelta(text), UsageDelta(used), Finish("finished" if written == length else "length")]

    model, budget = FakeModel(play, abilities=ABLE), Budget(Limits(tokens=tokens))
    ended, by = None, "nobody"
    try:
        async with aclosing(run(Team(explorers=(model,)), Request.of(QUESTION), budget)) as events:
            async for event in events:
                ended = event if isinstance(event, RunEnded) else ended
                by = event.by if isinstance(event, Decided) else by
    except MuseError:
        pass
    answer = ended.answer if ended else ""
    assert tokens is None or budget.spent.tokens <= tokens
    return Outcome("Answer:" in answer or "In short" in answer, "466" in answer, replies[True], replies[False], by,
                   budget.spent.tokens)


def _prose(rng: random.Random, right: bool) -> str:
    return f"In short, and as far as I can see ({rng.random()}), " + "one counts what either of the two divides once " * 3 + (
        "and finds 466 of them." if right else "and finds rather more of them.")


async def table(prose: bool) -> None:
    """Print what each budget buys."""
    print("| tokens | whole answer | right | whole replies | cut replies | decided by judge or merger | used, mean | used, most |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for tokens in BUDGETS:
        found = [await outcome(seed, tokens, prose) for seed in range(RUNS)]
        whole, right = (sum(getattr(one, name) for one in found) / RUNS for name in ("whole", "right"))
        replies, cut, used = (sum(getattr(one, name) for one in found) / RUNS for name in ("replies", "cut", "tokens"))
        decided = sum(one.by in ("judge", "merge") for one in found) / RUNS
        limit = f"{tokens:,}" if tokens else "no limit"
        print(f"| {limit} | {whole:.0%} | {right:.0%} | {replies:.1f} | {cut:.1f} | {decided:.0%} "
              f"| {used:,.0f} | {max(one.tokens for one in found):,} |")


async def main() -> None:
    """Both tables."""
    for prose in (False, True):
        print(f"\n{'Answers in prose' if prose else 'Short answers'}, {RUNS} runs each\n")
        await table(prose)


if __name__ == "__main__":
    asyncio.run(main())
