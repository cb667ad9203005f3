"""Rules of a team on recorded answers: accuracy against calls, with few labels and with none.

The rules are those of a live team, called in the same way: `AnswerGroups`, `enough`, `vote`,
`weigh` and `Panel`. An answer costs a call when a rule asks for it; answers that were not asked for
are not read. A panel learns only from the labelled questions of its draw and is measured on the
others.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from musespark.evals.recording import KnownGroups, RecordedQuestion, Recording
from musespark.evals.report import wilson
from musespark.reasoning.consensus.groups import AnswerGroups
from musespark.reasoning.consensus.panel import Panel, threshold
from musespark.reasoning.consensus.reliability import by_question, log_odds, reliabilities
from musespark.reasoning.consensus.stopping import enough
from musespark.reasoning.consensus.voting import VoteResult, vote, weigh

LABELS, DRAWS = 50, 20
CALLS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0)
CONFIDENCES = (0.85, 0.9, 0.95, 0.99)
EIGHT = {"ranks 3-10": slice(2, 10), "around the median": None}
"""Choices of eight mediocre models: by accuracy those after the best two, or those in the middle of all."""


@dataclass(frozen=True)
class RuleResult:
    """Result of one rule on one task. Accuracies are means over questions and draws."""

    task: str
    rule: str
    questions: int
    """Number of questions behind the accuracy."""
    calls: float
    """Mean number of calls a question."""
    accuracy: float
    verbatim: float
    """Share of answers equal to the gold one letter by letter."""
    limit: float | None = None
    """Limit on the mean number of calls."""

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the accuracy, with the questions as a sample (Wilson, 1927)."""
        return wilson(round(self.accuracy * self.questions), self.questions)


async def measure(
    recording: Recording, labels: int = LABELS, draws: int = DRAWS, seed: int = 0
) -> list[RuleResult]:
    """Measure all rules on one task."""
    return [
        *await _references(recording),
        *await _calibrated(recording, labels, draws, seed),
        *await _unlabelled(recording),
        *await _stopping(recording, draws, seed),
    ]


async def _references(recording: Recording) -> list[RuleResult]:
    """References that need all labels or all calls."""
    everyone, count = recording.models, len(recording.models)
    results = []
    for name, key in (
        ("best single", RecordedQuestion.is_right),
        ("best single, verbatim", RecordedQuestion.is_verbatim),
    ):
        best = max(
            everyone,
            key=lambda model: sum(
                key(each, each.answers.get(model)) for each in recording.questions
            ),
        )
        if name == "best single" or recording.task == "crux":
            answers: list[_Answer] = [
                (each, each.answers.get(best), 1) for each in recording.questions
            ]
            results.append(_result(recording, f"{name} ({best})", answers))
    majority = [
        (each, _answer_of(vote(groups) if groups else None), count)
        for each in recording.questions
        for groups in [await _groups_of(each, everyone)]
    ]
    results.append(_result(recording, f"majority of all {count}", majority))
    oracle = [
        (each, next(filter(each.is_right, each.answers.values()), None), count)
        for each in recording.questions
    ]
    return [*results, _result(recording, f"oracle of all {count}", oracle)]


async def _calibrated(recording: Recording, labels: int, draws: int, seed: int) -> list[RuleResult]:
    """Rules with a few labels: the best model, the best three by weight, and the panel at each number of calls."""
    single: list[_Answer] = []
    three: list[_Answer] = []
    eight: list[_Answer] = []
    four: list[_Answer] = []
    panels: dict[float, list[_Answer]] = {calls: [] for calls in CALLS}
    for known, others in _draw_splits(recording, labels, draws, seed):
        votes = [
            vote
            for question in known
            for vote in question.votes(recording.task, recording.models, labelled=True)
        ]
        reliability = reliabilities(votes)
        best = sorted(reliability, key=lambda model: (-reliability[model], model))
        weights = {model: log_odds(reliability[model]) for model in best}
        panel = Panel.from_votes(votes)
        replayed = list(by_question(votes).values())
        sures = {calls: threshold(replayed, panel.models, panel.weights, calls) for calls in CALLS}
        of_eight = Panel(tuple(best[:8]), weights, threshold(replayed, best[:8], weights, 4.0))
        for question in others:
            single.append((question, question.answers.get(best[0]), 1))
            groups = await _groups_of(question, best[:3])
            three.append((question, _answer_of(weigh(groups, weights) if groups else None), 3))
            path = await _panel_path(question, panel)
            for calls, sure in sures.items():
                panels[calls].append((question, *_stop_when_sure(path, sure)))
            path = await _panel_path(question, of_eight)
            eight.append((question, path[-1][1], 8))
            four.append((question, *_stop_when_sure(path, of_eight.sure)))
    of = f"{labels} labels"
    return [
        _result(recording, f"best single by {of}", single),
        _result(recording, f"three best by {of}, weighed", three),
        _result(recording, f"eight best by {of}, weighed", eight),
        _result(recording, f"eight best by {of}, stopped", four, 4.0),
        *(
            _result(recording, f"panel by {of}", answers, calls)
            for calls, answers in panels.items()
        ),
    ]


async def _unlabelled(recording: Recording) -> list[RuleResult]:
    """Rules without labels: eight mediocre models, all asked, by majority and by weights from their agreement."""
    results = []
    for name in EIGHT:
        eight = middle_models(recording, name)
        votes = [
            vote
            for question in recording.questions
            for vote in question.votes(recording.task, eight, labelled=False)
        ]
        panel = Panel.from_votes(votes)
        by_heads: list[_Answer] = []
        by_weight: list[_Answer] = []
        by_letter: list[_Answer] = []
        for question in recording.questions:
            groups = await _groups_of(question, eight)
            by_heads.append((question, _answer_of(vote(groups) if groups else None), 8))
            texts = KnownGroups({each: each.strip() for each in question.answers.values()})
            letters = await _groups_of(replace(question, same=texts), eight)
            by_letter.append((question, _answer_of(vote(letters) if letters else None), 8))
            by_weight.append((question, _answer_of(panel.weigh(groups) if groups else None), 8))
        results += [
            _result(recording, f"eight {name}: majority of texts", by_letter),
            _result(recording, f"eight {name}: majority", by_heads),
            _result(recording, f"eight {name}: no labels", by_weight),
        ]
    return results


async def _stopping(recording: Recording, draws: int, seed: int) -> list[RuleResult]:
    """Stopping rules: the best eight in random orders, all asked, or stopped when more calls would not change the winner."""
    chance = random.Random(seed)
    eight = list(recording.ranked[:8])
    every: list[_Answer] = []
    answers: dict[float, list[_Answer]] = {confidence: [] for confidence in CONFIDENCES}
    for _ in range(draws):
        for question in recording.questions:
            chance.shuffle(eight)
            waiting = set(answers)
            groups = AnswerGroups(question.same)
            for asked, model in enumerate(eight, 1):
                await groups.add(question.attempt(model))
                for confidence in sorted(waiting):
                    if enough(groups.counts, len(eight) - asked, confidence)[0]:
                        waiting.discard(confidence)
                        answers[confidence].append(
                            (question, _answer_of(vote(groups) if groups else None), asked)
                        )
            every.append((question, _answer_of(vote(groups) if groups else None), len(eight)))
    return [
        _result(recording, "eight best in any order, majority", every),
        *(
            _result(recording, f"eight best in any order, stopped at {confidence:.0%}", each)
            for confidence, each in answers.items()
        ),
    ]


def middle_models(recording: Recording, name: str) -> tuple[str, ...]:
    """Return eight mediocre models, sorted by name, so that their order carries no information."""
    middle = len(recording.models) // 2
    return tuple(sorted(recording.ranked[EIGHT[name] or slice(middle - 4, middle + 4)]))


_Answer = tuple[RecordedQuestion, str | None, int]
"""(question, answer, number of calls)"""


def _result(
    recording: Recording, rule: str, answers: Sequence[_Answer], limit: float | None = None
) -> RuleResult:
    count = len(answers)
    return RuleResult(
        recording.task,
        rule,
        min(count, len(recording.questions)),
        sum(calls for _, _, calls in answers) / count,
        sum(question.is_right(answer) for question, answer, _ in answers) / count,
        sum(question.is_verbatim(answer) for question, answer, _ in answers) / count,
        limit,
    )


def _draw_splits(
    recording: Recording, labels: int, draws: int, seed: int
) -> Iterator[tuple[list[RecordedQuestion], list[RecordedQuestion]]]:
    """Yield random splits: the questions to learn from, and all the others."""
    chance = random.Random(seed)
    for _ in range(draws):
        shuffled = chance.sample(recording.questions, len(recording.questions))
        yield shuffled[:labels], shuffled[labels:]


async def _groups_of(question: RecordedQuestion, models: Sequence[str]) -> AnswerGroups:
    groups = AnswerGroups(question.same)
    for model in models:
        await groups.add(question.attempt(model))
    return groups


async def _panel_path(question: RecordedQuestion, panel: Panel) -> list[tuple[float, str | None]]:
    """Return after each answer the panel's probability and its choice."""
    groups, path = AnswerGroups(question.same), []
    for model in panel.models:
        await groups.add(question.attempt(model))
        path.append(
            (panel.probability(groups), _answer_of(panel.weigh(groups) if groups else None))
        )
    return path


def _stop_when_sure(
    path: Sequence[tuple[float, str | None]], sure: float
) -> tuple[str | None, int]:
    at = next(
        (asked for asked, (probability, _) in enumerate(path, 1) if probability >= sure), len(path)
    )
    return path[at - 1][1], at


def _answer_of(choice: VoteResult | None) -> str | None:
    return None if choice is None else choice.attempt.answer
