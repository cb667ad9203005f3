"""Countdown problems as programs that evaluate models read them: one JSON object a line, from the held-out side of the split.

    python tests/clients/problems.py build/clients/countdown.jsonl

The native model was never trained on any of them. Half have three numbers, half four.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from musespark.nano.tasks import held_out, load_task

COUNT = 32
SEED = 20
"""Of the generator; the problems are the same every time."""


def problems(count: int = COUNT) -> list[dict[str, str]]:
    """That many different problems, each a question and one right answer."""
    rng = random.Random(SEED)
    found: dict[str, dict[str, str]] = {}
    while len(found) < count:
        problem = load_task(f"countdown-{3 + len(found) % 2}").generate(rng, held_out=True)
        assert held_out(problem.key)
        found[problem.key] = {"question": problem.question, "answer": problem.answer}
    return list(found.values())


def right(question: str, answer: str) -> bool:
    """Verdict of the task's own verifier on an answer; a question that it cannot read is no problem of this file's."""
    verdict = load_task("countdown").verify(question, None, answer.strip())
    assert verdict is not None, question
    return verdict


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(problem) + "\n" for problem in problems()))
    print(f"{COUNT} problems in {path}")
