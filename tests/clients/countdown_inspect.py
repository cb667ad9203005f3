"""Countdown for inspect-ai: the problems that problems.py writes, checked by the task's own verifier."""

from __future__ import annotations

import sys
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState, generate

sys.path.append(str(Path(__file__).parent))

from problems import right

PROBLEMS = Path(__file__).parents[2] / "build" / "clients" / "countdown.jsonl"


@scorer(metrics=[accuracy()])
def verified() -> Scorer:
    """Right where the verifier says so."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score(
            value=right(state.input_text, state.output.completion), answer=state.output.completion
        )

    return score


@task
def countdown() -> Task:
    """The task that `inspect eval` runs."""
    dataset = json_dataset(str(PROBLEMS), FieldSpec(input="question", target="answer"))
    return Task(dataset=dataset, solver=generate(), scorer=verified())
