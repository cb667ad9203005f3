"""How lm-eval scores an answer; `countdown.yaml` names this file."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from problems import right


def process_results(doc: dict[str, str], results: list[str]) -> dict[str, float]:
    """The accuracy of one answer."""
    return {"acc": float(right(doc["question"], results[0]))}
