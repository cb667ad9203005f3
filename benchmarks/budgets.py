"""A team on a limited budget: how often it ends with a whole answer, and how many agents have thought.

    python benchmarks/budgets.py

The model is made up: its replies take 100 to 150 tokens and are right two times out of three; one that is given fewer tokens is cut
before its answer. Every run is drawn from its number, so that the table is the same on every machine.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass

from musespark.budget import Budget, Limits
from musespark.content import Request
from musespark.errors import MuseError
from musespark.events import Decided, RunEnded
from musespark.models.estimate import estimate_prompt_tokens
from musespark.models.fake import FakeModel, Step
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.usage import Usage

BUDGETS = (200, 500, 1_000, 2_000, 5_000, 20_000, None)
RUNS = 100
QUESTION = "How many whole numbers below 1000 are divisible by 3 or by 5?"
ABLE = Abilities(conversation=True, context=100_000)
WRONG = ("467", "533", "599")


@dataclass(frozen=True)
class Outcome:
    """End of one run."""

    whole: bool
    right: bool
    by: str
    tokens: int
    replies: Counter[str]
    """Whole ones by stage, and those that were `cut`."""


class Model:
    """The made-up model: it says short answers, or prose."""

    def __init__(self, seed: int, prose: bool) -> None:
        self.rng, self.prose = random.Random(seed), prose
        self.replies: Counter[str] = Counter()

    def __call__(self, request: Request, number: int) -> list[Step]:
        """One reply, within the request's limit."""
        length = self.rng.randint(100, 150)
        written, read = min(length, request.max_tokens or length), estimate_prompt_tokens(request)
        self.replies[request.stage if written == length else "cut"] += 1
        judges = request.stage == "judge"
        said = self._verdict(request.messages[-1].text) if judges else self._answer()
        used = Usage(tokens=read + written, prompt_tokens=read, critical_path=written)
        return [
            TextDelta(
                "Let me count the multiples first. " * 3 + (said if written == length else "")
            ),
            UsageDelta(used),
            Finish("finished" if written == length else "length"),
        ]

    def _verdict(self, asked: str) -> str:
        better = "A" if "466" in asked[: asked.index('id="B"')] else "B"
        return f'{{"reason": "I counted.", "better": "{better}"}}'

    def _answer(self) -> str:
        right = self.rng.random() < 2 / 3
        if not self.prose:
            return f"Answer: {'466' if right else self.rng.choice(WRONG)}"
        found = "466 of them" if right else "rather more of them"
        return (
            f"In short, and as far as I can see ({self.rng.random()}), "
            + "one counts what either divides once " * 3
            + found
        )


async def outcome(seed: int, tokens: int | None, prose: bool) -> Outcome:
    """One run of a team of eight, with one round of refinement."""
    played, budget = Model(seed, prose), Budget(Limits(tokens=tokens))
    answer, by = "", "nobody"
    try:
        async with aclosing(
            run(Team(explorers=(FakeModel(played, abilities=ABLE),)), Request.of(QUESTION), budget)
        ) as events:
            async for event in events:
                answer = event.answer if isinstance(event, RunEnded) else answer
                by = event.by if isinstance(event, Decided) else by
    except MuseError as error:  # it ends without an answer, which is what is counted here
        by = type(error).__name__
    assert tokens is None or budget.spent.tokens <= tokens
    return Outcome(
        "Answer:" in answer or "In short" in answer,
        "466" in answer,
        by,
        budget.spent.tokens,
        played.replies,
    )


async def table(prose: bool, runs: int) -> None:
    """Print what each budget buys."""
    last = "merged" if prose else "right"
    print(
        f"| tokens | ends with a whole answer | {last} | agents that answered | replies cut | used, mean | used, most |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for tokens in BUDGETS:
        found = [await outcome(seed, tokens, prose) for seed in range(runs)]
        whole = sum(one.whole for one in found) / runs
        good = sum(one.by == "merge" if prose else one.right for one in found) / runs
        agents, cut = (
            sum(one.replies[kind] for one in found) / runs for kind in ("explore", "cut")
        )
        used = [one.tokens for one in found]
        limit = f"{tokens:,}" if tokens else "no limit"
        print(
            f"| {limit} | {whole:.0%} | {good:.0%} | {agents:.1f} | {cut:.1f} | {sum(used) / runs:,.0f} | {max(used):,} |"
        )


async def main(runs: int) -> None:
    """Print both tables."""
    for prose in (False, True):
        print(f"\n{'Answers in prose' if prose else 'Short answers'}:\n")
        await table(prose, runs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of each row")
    asyncio.run(main(parser.parse_args().runs))
