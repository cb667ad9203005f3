"""Accuracy, threads, critical path, tokens and seconds of the native model, by task and mode.

Problems come from the held-out side of the split; decoding is greedy unless several votes are sampled.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace

from musespark.content import THREADS
from musespark.evals.report import EvalRow
from musespark.nano import vocabulary as v
from musespark.nano.engine import Engine
from musespark.nano.engine_events import Finished, Started
from musespark.nano.patches import patches, shrink
from musespark.nano.tasks import Task, TaskProblem, load_task
from musespark.nano.tasks.countdown import Move, evaluate, heuristic_cost, moves, solves
from musespark.nano.tasks.decline import SENTENCE
from musespark.nano.threads import EngineRequest
from musespark.nano.trace import prompt_tokens

VOTE_TEMPERATURE = 0.7
MAX_REPEATS = 400
"""Known problems in a row after which there are no new ones."""


@dataclass
class EvalSpec:
    """Specification of an evaluation: one task in one mode."""

    task: str
    """A name in `tasks.MEASURED`."""
    mode: str
    problems: int = 1000
    seed: int = 0
    threads: int = THREADS
    batch: int = 16
    ablate_images: bool = False
    """Ablation: later tokens see white in place of painted tiles, and the loss of accuracy is what the images contribute."""
    votes: int = 1
    """Answers sampled for each problem; the most frequent one counts, and all count as cost."""


@dataclass
class EvalSample:
    """One problem with its answers and their cost."""

    problem: TaskProblem
    answers: list[str] = field(default_factory=list)
    tokens: int = 0
    critical_path: int = 0
    threads: int = 0
    branches: list[str] = field(default_factory=list)
    declined: bool = False
    seconds: float = 0.0
    """Wall time of the engine since the previous sample."""

    @property
    def answer(self) -> str:
        """The answer, or the majority of the votes (the first of equals); votes of thoughts that were cut short do not count."""
        given = [answer for answer in self.answers if answer] or self.answers
        classes = [equivalence_key(self.problem, answer) for answer in given]
        return given[classes.index(Counter(classes).most_common(1)[0][0])]


def equivalence_key(problem: TaskProblem, answer: str) -> Hashable:
    """Return a key that equal answers share: expressions of one value over the same numbers are equal."""
    return (evaluate(answer) or answer) if problem.task == "countdown" else answer


def run_eval(engine: Engine, spec: EvalSpec) -> Iterator[EvalSample]:
    """Run an evaluation; yield each sample as soon as all its votes are in."""
    results = dict(enumerate(map(EvalSample, draw_problems(spec))))
    asked = [
        engine_request(result.problem, spec, spec.seed + index * spec.votes + vote)
        for index, result in results.items()
        for vote in range(spec.votes)
    ]
    resumed = time.perf_counter()
    for number, event in engine.run_many(asked, spec.batch):
        result = results[number // spec.votes]
        match event:
            case Started():
                result.branches.append(v.decode(event.branch))
            case Finished():
                result.answers.append(
                    SENTENCE if event.ending == "declined" else v.decode(event.answer)
                )
                result.declined = event.ending == "declined"
                result.tokens += event.tokens
                result.critical_path = max(result.critical_path, event.critical_path)
                result.threads += event.threads
                if len(result.answers) == spec.votes:
                    result.seconds = (
                        time.perf_counter() - resumed
                    )  # time of the engine alone, not of the consumer
                    yield results.pop(number // spec.votes)
                    resumed = time.perf_counter()


def draw_problems(spec: EvalSpec) -> list[TaskProblem]:
    """Draw different problems from the held-out side: as many as requested, or all there are."""
    task, rng = load_task(spec.task), random.Random(spec.seed)
    problems: dict[str, TaskProblem] = {}
    repeated = 0
    while len(problems) < spec.problems and repeated < MAX_REPEATS:
        problem = task.generate(rng, held_out=True)
        known = problem.key + (
            problem.question if problem.task == "shapes" else ""
        )  # one image has many questions
        repeated = repeated + 1 if known in problems else 0
        problems.setdefault(known, problem)
    return list(problems.values())


def engine_request(problem: TaskProblem, spec: EvalSpec, seed: int) -> EngineRequest:
    """Convert a problem to a request of the engine."""
    seen = None if problem.image is None else patches(shrink(problem.image))
    return EngineRequest(
        prompt_tokens(problem.question, seen is not None), v.MODES[spec.mode], seen, spec.threads, seed,
        0.0 if spec.votes == 1 else VOTE_TEMPERATURE, 1024, spec.ablate_images,
    )  # fmt: skip


class Tally:
    """Running totals of an evaluation."""

    def __init__(self, spec: EvalSpec) -> None:
        self.spec = spec
        self._task: Task = load_task(spec.task)
        self._sums: Counter[str] = Counter()
        self._seconds = 0.0
        self._ranks: list[int] = []

    def add(self, result: EvalSample) -> bool:
        """Add a sample; return True if it was right."""
        question, image = result.problem.question, result.problem.image
        abstains = not result.declined and self._task.abstention_reason(question, image) is not None
        right = not abstains and self._task.is_right(result.problem, result.answer)
        verified = not abstains and self._task.verify(question, image, result.answer)
        self._sums.update(
            problems=1, right=right, confirmed=bool(verified), abstained=abstains, threads=result.threads,
             critical_path=result.critical_path, tokens=result.tokens,
            verified_wrong=bool(verified) and not right, reachable=right or is_reachable(result), declined=result.declined,
        )  # fmt: skip
        self._seconds += result.seconds
        if self.spawns:
            self._ranks.append(solving_rank(result.problem))
        return right

    @property
    def spawns(self) -> bool:
        """True if threads stand for first moves, so that ceilings can be computed."""
        return self.spec.mode == "contemplating" and self.spec.task.startswith("countdown")

    @property
    def row(self) -> EvalRow:
        """Results so far; at least one sample must have been added."""
        sums, count = self._sums, self._sums["problems"]
        mode = self.spec.mode + (" (images ablated)" if self.spec.ablate_images else "")
        mode += f" (vote of {self.spec.votes})" if self.spec.votes > 1 else ""
        row = EvalRow(
            self.spec.task, mode, count, sums["right"], sums["threads"] / count, sums["critical_path"] / count,
            sums["tokens"] / count, self._seconds / count, sums["declined"], sums["verified_wrong"],
            confirmed=sums["confirmed"], abstained=sums["abstained"],
        )  # fmt: skip
        if not self.spawns:
            return row
        solver = sum(each < round(row.threads) for each in self._ranks) / count
        return replace(row, ceiling=sums["reachable"] / count, solver_ceiling=solver)


def solving_rank(problem: TaskProblem) -> int:
    """Return how many first moves the heuristic prefers to the first solving one; a solver needs one thread more than that."""
    numbers, target = problem.facts["numbers"], problem.facts["target"]
    preferred = sorted(dict.fromkeys(moves(numbers)), key=lambda move: heuristic_cost(move, target))
    return next(
        index for index, move in enumerate(preferred) if solves((move.value, *move.rest), target)
    )


def is_reachable(result: EvalSample) -> bool:
    """Return True if one of the first moves given to threads can still reach the target."""
    if result.problem.task != "countdown":
        return False
    numbers, target = result.problem.facts["numbers"], result.problem.facts["target"]
    legal: dict[str, Move] = {str(move): move for move in moves(numbers)}
    chosen = (legal[branch] for branch in result.branches if branch in legal)
    return any(solves((move.value, *move.rest), target) for move in chosen)
