"""The strategy that helps one model on one kind of question, found on questions with known answers.

Every candidate answers a third of the questions; those that are behind are dropped, and the best is compared with plain sampling on
all of them (successive halving: Jamieson and Talwalkar, 2016). The strategy changes only on evidence: the mean gain over plain
sampling must exceed its own standard error. Stages (a round of refinement, a judge for ties) are tried on a few questions on which
the samples disagree, and left out unless they mend more answers than they spoil.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from musespark.content import Request
from musespark.errors import MuseError
from musespark.events import Event
from musespark.models.model import Model
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.answer_format import answer_format
from musespark.reasoning.consensus.equivalence import Equivalence, equivalence_for
from musespark.reasoning.consensus.groups import AnswerGroups
from musespark.reasoning.context import RunContext
from musespark.reasoning.modes import run
from musespark.reasoning.team.answer_pool import AnswerPool
from musespark.reasoning.team.strategy import Strategy
from musespark.reasoning.team.team import Team

CANDIDATES = (
    Strategy(),
    Strategy(approach="answer only"),
    Strategy(approach="answer line"),
    Strategy(approach="step by step"),
)
COOLER = 0.4
"""The other temperature that is tried."""
SAMPLES = 4
"""Samples per question. Votes of more are drawn from them: further questions tell more than further samples."""
FEW = 8
"""Most questions on which a stage is tried; it is given up after half of them if it has mended none."""
AT_ONCE = 2
"""Questions under way at a time."""
_RESAMPLED = 400
"""Votes that are drawn from a question's samples to see how often a vote is right."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with a known answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of one question, each with its group; None for a sample without a clear answer."""

    groups: tuple[int | None, ...]
    whole: tuple[bool, ...]
    """True for each that came to its end with a clear answer: if such are many, the others do not count."""
    right: int | None
    """The group of the known answer; None if no sample is in it."""
    tokens: int
    lengths: tuple[int, ...]
    """Tokens of each reply."""

    def vote_accuracy(self, voters: int, seed: int) -> float:
        """Accuracy of a vote among N samples, drawn again from these."""
        if self.right is None:
            return 0.0
        chance, samples = random.Random(seed), list(zip(self.groups, self.whole, strict=True))
        hits = 0.0
        for _ in range(_RESAMPLED):
            drawn = [
                (group, whole)
                for group, whole in chance.choices(samples, k=voters)
                if group is not None
            ]
            firm = [group for group, whole in drawn if whole]
            counted = (
                firm
                if 2 * len(firm) >= len(drawn) or len(firm) > len(set(firm))
                else [group for group, _ in drawn]
            )
            counts = [counted.count(group) for group in set(counted)]
            most = max(counts, default=0)
            if counted.count(self.right) == most > 0:
                hits += 1 / counts.count(most)
        return hits / _RESAMPLED

    @property
    def is_contested(self) -> bool:
        """True if the samples disagree."""
        return len({group for group in self.groups if group is not None}) > 1


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one candidate on its questions."""

    strategy: Strategy
    accuracy: float
    """Expected accuracy of its vote."""
    questions: int
    tokens: float
    """Mean tokens a question."""


@dataclass
class Calibration:
    """The search for one model's strategy. `ask` runs a team on a request; it is `musespark.reasoning.modes.run` unless
    replaced."""

    model: Model
    labels: Sequence[Labelled]
    voters: int = 8
    seed: int = 0
    max_tokens: int | None = None
    at_once: int = AT_ONCE
    told: Callable[[str], None] = lambda text: None
    """Called with each finding, in words."""
    ask: Callable[[Team, Request], AsyncGenerator[Event, None]] = run
    findings: list[Finding] = field(default_factory=list, init=False)

    async def strategy(self) -> Strategy:
        """Find the strategy that the labels support. Raises the model's error if it answers no question."""
        few = max(4, math.ceil(len(self.labels) / 3))
        plain = await self._samples(CANDIDATES[0], self.labels, SAMPLES)
        best, samples = CANDIDATES[0], plain
        because = f"Plain sampling is right {self._found(best, plain).accuracy:.2f} of the time on {len(self.labels)} labels."
        for round in range(2):  # first how to ask, then how warm
            rivals = (replace(best, temperature=COOLER),) if round else CANDIDATES[1:]
            # A few samples on a few questions show which rival deserves more of them.
            first = {
                rival: await self._samples(rival, self.labels[:few], SAMPLES) for rival in rivals
            }
            rival, accuracy = max(
                ((each, self._found(each, tried).accuracy) for each, tried in first.items()),
                key=lambda pair: pair[1],
            )
            if accuracy <= sum(self._accuracies(samples[:few])) / few:
                because += f" On {few} of them {_names(rivals)} did not look better."
                continue
            found = await self._samples(rival, self.labels, SAMPLES)
            gain, error = self._gain(samples, found)
            doubt = "" if gain > error else ", too little to tell"
            because += (
                f" {_names([rival])} reaches {self._found(rival, found).accuracy:.2f}{doubt}."
            )
            if gain > error:
                best, samples = rival, found
        for name, option in (
            ("A round of refinement", {"rounds": 1}),
            ("A judge for ties", {"judge_ties": True}),
        ):
            mended, spoiled, tried_on = await self._stage(replace(best, **option), samples)
            if mended - spoiled >= 2:
                best = replace(best, **option)
            verdict = "helps" if mended - spoiled >= 2 else "is left out"
            because += f" {name} {verdict}: on {tried_on} contested questions it mended {mended} and spoiled {spoiled}."
        lengths = sorted(length for each in samples for length in each.lengths)
        deciles = (
            tuple(lengths[index * (len(lengths) - 1) // 10] for index in range(11))
            if lengths
            else ()
        )
        return replace(best, reply_tokens=deciles, because=because)

    def _found(self, strategy: Strategy, samples: Sequence[Samples]) -> Finding:
        finding = Finding(
            strategy,
            sum(self._accuracies(samples)) / len(samples),
            len(samples),
            sum(each.tokens for each in samples) / len(samples),
        )
        if not any(
            found.strategy == strategy and found.questions == finding.questions
            for found in self.findings
        ):
            self.findings.append(finding)
            self.told(
                f"{strategy.label}: {finding.accuracy:.3f} of {len(samples)} questions, {finding.tokens:.0f} tokens each"
            )
        return finding

    def _accuracies(self, samples: Sequence[Samples]) -> list[float]:
        return [each.vote_accuracy(self.voters, self.seed) for each in samples]

    def _gain(self, before: Sequence[Samples], after: Sequence[Samples]) -> tuple[float, float]:
        """The mean gain a question, and its standard error."""
        gains = [
            new - old
            for old, new in zip(self._accuracies(before), self._accuracies(after), strict=True)
        ]
        mean = sum(gains) / len(gains)
        return mean, math.sqrt(
            sum((gain - mean) ** 2 for gain in gains) / max(1, len(gains) - 1) / len(gains)
        )

    async def _samples(
        self, strategy: Strategy, labels: Sequence[Labelled], count: int
    ) -> list[Samples]:
        gate = asyncio.Semaphore(self.at_once)

        async def one(label: Labelled) -> Samples:
            async with gate:
                answers = await self._answers(
                    replace(strategy, rounds=0, judge_ties=False), label, count
                )
                return await _graded(answers, label)

        async with asyncio.TaskGroup() as tasks:
            found = [tasks.create_task(one(label)) for label in labels]
        return [task.result() for task in found]

    async def _stage(self, strategy: Strategy, samples: Sequence[Samples]) -> tuple[int, int, int]:
        """Answers that a stage mended and spoiled, and on how many contested questions it was tried."""
        contested = [
            label
            for label, each in zip(self.labels, samples, strict=True)
            if (_is_tied(each) if strategy.judge_ties else each.is_contested)
        ][:FEW]
        mended = spoiled = tried = 0
        for label in contested:
            if tried == FEW // 2 and not mended:
                break
            tried += 1
            before = await self._is_right(replace(strategy, rounds=0, judge_ties=False), label)
            after = await self._is_right(strategy, label)
            mended += after and not before
            spoiled += before and not after
        return mended, spoiled, tried

    async def _is_right(self, strategy: Strategy, label: Labelled) -> bool:
        won: list[tuple[Attempt, AnswerPool]] = []

        async def watched(current: RunContext, team: Team, answers: AnswerPool) -> object:
            from musespark.reasoning.team.aggregate.automatic import automatic

            decision = await automatic(current, team, answers)
            won.append((decision.winner, answers))
            return decision

        await self._asked(strategy, label, self.voters, aggregate=watched)
        if not won:
            return False
        winner, answers = won[0]
        return (
            await answers.equivalence.same(_known(label, answers), winner)
            if winner.answer
            else False
        )

    async def _answers(self, strategy: Strategy, label: Labelled, count: int) -> AnswerPool | None:
        """The answers of `count` samples; None if none came."""
        tables: list[AnswerPool] = []
        await self._asked(
            strategy,
            label,
            count,
            enough=lambda counts, remaining: (False, ""),
            aggregate="vote",
            remember=lambda current, answers: tables.append(answers),
        )
        return tables[0] if tables else None

    async def _asked(self, strategy: Strategy, label: Labelled, count: int, **options: Any) -> None:
        team = with_strategy(
            Team(explorers=(self.model,), agents=count, first_wave=count, **options), strategy
        )
        request = Request.of(label.question, seed=self.seed, max_tokens=self.max_tokens)
        try:
            async with aclosing(self.ask(team, request)) as events:
                async for _ in events:
                    pass
        except MuseError as error:
            self.told(str(error))


def with_strategy(team: Team, strategy: Strategy) -> Team:
    """The team, going about questions in that way."""
    return replace(team, **strategy.options)


def _names(strategies: Sequence[Strategy]) -> str:
    return ", ".join(f"“{strategy.label}”" for strategy in strategies)


def _is_tied(samples: Samples) -> bool:
    said = [group for group in samples.groups if group is not None]
    counts = sorted((said.count(group) for group in set(said)), reverse=True)
    return len(counts) > 1 and counts[0] == counts[1]


def _known(label: Labelled, answers: AnswerPool | None) -> Attempt:
    """The known answer, as an attempt that others can be compared with, in the form in which theirs are found."""
    request = answers.run.request if answers else Request.of(label.question)
    form = answer_format(request)
    answer = (form.find(label.answer) if form else None) or label.answer
    return Attempt(agent="(label)", model="(label)", text=label.answer, answer=answer)


async def _graded(answers: AnswerPool | None, label: Labelled) -> Samples:
    """The samples by group, compared with the known answer."""
    everyone = [] if answers is None else answers.attempts
    attempts = [
        each for each in everyone if not each.abstained and (each.guessed or not each.unclear)
    ]
    sameness: Equivalence = (
        answers.equivalence if answers else equivalence_for(Request.of(label.question))
    )
    groups = AnswerGroups(sameness)
    known = _known(label, answers)
    for attempt in (known, *attempts):
        await groups.add(attempt)
    numbers = {
        id(attempt): number
        for number, group in enumerate(groups.ranked)
        for attempt in group.attempts
    }
    said = tuple(numbers.get(id(attempt)) for attempt in everyone)
    right = numbers[id(known)]
    usage = [attempt.usage for attempt in everyone]
    whole = tuple(not (attempt.cut or attempt.unclear) for attempt in everyone)
    return Samples(
        said,
        whole,
        right if right in said else None,
        sum(each.tokens for each in usage),
        tuple(each.tokens - each.prompt_tokens for each in usage),
    )
