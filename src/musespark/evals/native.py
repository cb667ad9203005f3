"""How well the native model does: accuracy, threads, critical path, tokens and seconds, by world and mode.

Problems are fresh ones from the held-out side of the split; decoding is greedy unless votes are sampled.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace

from musespark.content import THREADS
from musespark.evals.report import Row
from musespark.nano import vocabulary as v
from musespark.nano.engine import Engine
from musespark.nano.happenings import Finished, Started
from musespark.nano.picture import patches, shrink
from musespark.nano.threads import Question
from musespark.nano.trace import prompt
from musespark.nano.worlds import Problem, World, load_world
from musespark.nano.worlds.countdown import Move, evaluate, moves, promise, solves
from musespark.nano.worlds.decline import SENTENCE

VOTE_TEMPERATURE = 0.7
REPEATED = 400
"""So many known problems in a row, and there are no new ones."""


@dataclass
class Sitting:
    """What is measured, and how."""

    world: str
    """A name of `worlds.MEASURED`."""
    mode: str
    problems: int = 1000
    seed: int = 0
    threads: int = THREADS
    batch: int = 16
    blank_images: bool = False
    """Later tokens see white where the model painted: what is lost is what the pictures carried."""
    votes: int = 1
    """Answers sampled for each problem; the most frequent one counts, and all are paid for."""


@dataclass
class Result:
    """One problem, answered."""

    problem: Problem
    answers: list[str] = field(default_factory=list)
    tokens: int = 0
    critical_path: int = 0
    threads: int = 0
    branches: list[str] = field(default_factory=list)
    declined: bool = False
    seconds: float = 0.0
    """Of the engine, since the result before this one."""

    @property
    def answer(self) -> str:
        """The answer, or the one most votes agree on (the first of them, where votes are equal); a thought cut short has none."""
        given = [answer for answer in self.answers if answer] or self.answers
        classes = [same(self.problem, answer) for answer in given]
        return given[classes.index(Counter(classes).most_common(1)[0][0])]


def same(problem: Problem, answer: str) -> Hashable:
    """What two equal answers have in common: expressions of one value over the same numbers are equal."""
    return (evaluate(answer) or answer) if problem.world == "countdown" else answer


def sit(engine: Engine, sitting: Sitting) -> Iterator[Result]:
    """The results, each as soon as all its votes are in."""
    results = dict(enumerate(map(Result, fresh(sitting))))
    asked = [
        question(result.problem, sitting, sitting.seed + index * sitting.votes + vote)
        for index, result in results.items()
        for vote in range(sitting.votes)
    ]
    resumed = time.perf_counter()
    for number, happening in engine.run_many(asked, sitting.batch):
        result = results[number // sitting.votes]
        match happening:
            case Started():
                result.branches.append(v.decode(happening.branch))
            case Finished():
                result.answers.append(SENTENCE if happening.ending == "declined" else v.decode(happening.answer))
                result.declined = happening.ending == "declined"
                result.tokens += happening.tokens
                result.critical_path = max(result.critical_path, happening.critical_path)
                result.threads += happening.threads
                if len(result.answers) == sitting.votes:
                    result.seconds = time.perf_counter() - resumed  # of the engine: whoever counts results takes time, too
                    yield results.pop(number // sitting.votes)
                    resumed = time.perf_counter()


def fresh(sitting: Sitting) -> list[Problem]:
    """Different problems from the held-out side, as many as were asked for or as there are."""
    world, rng = load_world(sitting.world), random.Random(sitting.seed)
    problems: dict[str, Problem] = {}
    repeated = 0
    while len(problems) < sitting.problems and repeated < REPEATED:
        problem = world.problem(rng, held_out=True)
        known = problem.key + (problem.question if problem.world == "shapes" else "")  # a picture is asked about often
        repeated = repeated + 1 if known in problems else 0
        problems.setdefault(known, problem)
    return list(problems.values())


def question(problem: Problem, sitting: Sitting, seed: int) -> Question:
    """A problem as the engine takes it."""
    seen = None if problem.image is None else patches(shrink(problem.image))
    return Question(
        prompt(problem.question, seen is not None), v.MODES[sitting.mode], seen, sitting.threads, seed,
        0.0 if sitting.votes == 1 else VOTE_TEMPERATURE, 1024, sitting.blank_images,
    )  # fmt: skip


class Tally:
    """Results added up while they come in."""

    def __init__(self, sitting: Sitting) -> None:
        self.sitting = sitting
        self._world: World = load_world(sitting.world)
        self._sums: Counter[str] = Counter()
        self._seconds = 0.0
        self._ranks: list[int] = []

    def add(self, result: Result) -> bool:
        """Count a result; whether it was right."""
        question, image = result.problem.question, result.problem.image
        abstains = not result.declined and self._world.outside(question, image) is not None
        right = not abstains and self._world.right(result.problem, result.answer)
        verified = not abstains and self._world.verify(question, image, result.answer)
        self._sums.update(
            problems=1, right=right, confirmed=bool(verified), abstained=abstains, threads=result.threads,
             critical_path=result.critical_path, tokens=result.tokens,
            verified_wrong=bool(verified) and not right, reachable=right or reachable(result), declined=result.declined,
        )  # fmt: skip
        self._seconds += result.seconds
        if self.spawns:
            self._ranks.append(rank(result.problem))
        return right

    @property
    def spawns(self) -> bool:
        """Whether threads stand for first moves here, so that there are ceilings."""
        return self.sitting.mode == "contemplating" and self.sitting.world.startswith("countdown")

    @property
    def row(self) -> Row:
        """The figures so far; at least one result must have been added."""
        sums, count = self._sums, self._sums["problems"]
        mode = self.sitting.mode + (" (pictures blanked)" if self.sitting.blank_images else "")
        mode += f" (vote of {self.sitting.votes})" if self.sitting.votes > 1 else ""
        row = Row(
            self.sitting.world, mode, count, sums["right"], sums["threads"] / count, sums["critical_path"] / count,
            sums["tokens"] / count, self._seconds / count, sums["declined"], sums["verified_wrong"],
            confirmed=sums["confirmed"], abstained=sums["abstained"],
        )  # fmt: skip
        if not self.spawns:
            return row
        solver = sum(each < round(row.threads) for each in self._ranks) / count
        return replace(row, ceiling=sums["reachable"] / count, solver_ceiling=solver)


def rank(problem: Problem) -> int:
    """How many first moves a heuristic prefers to the first one that solves: with more threads than that, a solver solves."""
    numbers, target = problem.facts["numbers"], problem.facts["target"]
    preferred = sorted(dict.fromkeys(moves(numbers)), key=lambda move: promise(move, target))
    return next(index for index, move in enumerate(preferred) if solves((move.value, *move.rest), target))


def reachable(result: Result) -> bool:
    """Whether one of the first moves that were given to threads can still reach the target."""
    if result.problem.world != "countdown":
        return False
    numbers, target = result.problem.facts["numbers"], result.problem.facts["target"]
    legal: dict[str, Move] = {str(move): move for move in moves(numbers)}
    chosen = (legal[branch] for branch in result.branches if branch in legal)
    return any(solves((move.value, *move.rest), target) for move in chosen)
