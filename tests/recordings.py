"""A small directory of recorded answers: models of known strength on sums."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

STRENGTHS = {
    "best": 0.95,
    "good": 0.9,
    "fair": 0.8,
    **{f"weak-{number}": 0.5 for number in range(9)},
}


def write_recording(directory: Path, task: str = "gsm", questions: int = 80, seed: int = 0) -> Path:
    """The directory, with one file in it. Wrong answers scatter; `weak-8` never answers in the format."""
    chance = random.Random(seed)
    directory.mkdir(parents=True, exist_ok=True)
    with gzip.open(directory / f"{task}.jsonl.gz", "wt", encoding="utf-8") as lines:
        for number in range(questions):
            outputs = {}
            for model, strength in STRENGTHS.items():
                answer = number if chance.random() < strength else number + chance.randrange(1, 9)
                said = json.dumps(
                    {"reasoning": "so", "answer": f"{answer}.0" if model == "good" else str(answer)}
                )
                outputs[model] = "I refuse." if model == "weak-8" else said
            row = {
                "id": f"q{number}",
                "question": f"What is {number} + 0?",
                "prompt": f"Q: {number} + 0",
                "gold": str(number),
                "outputs": outputs,
            }
            lines.write(json.dumps(row) + "\n")
    return directory
