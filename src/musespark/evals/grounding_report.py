"""Report of a grounding measurement: a Markdown table, and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from musespark.evals.grounding import GroundingOutcome, MeanInterval, mean_interval

MEASURES: Mapping[str, Callable[[GroundingOutcome], float | None]] = {
    "click in box": lambda outcome: outcome.hit,
    "overlap of find": lambda outcome: outcome.overlap,
    "characters of read": lambda outcome: outcome.characters,
    "overlap of read": lambda outcome: outcome.reading,
}


def summary(outcomes: Sequence[GroundingOutcome]) -> list[dict[str, Any]]:
    """Return every measure by grounder, scale and kind of element, `all` first."""
    rows: list[dict[str, Any]] = []
    for by, scale in dict.fromkeys(
        (outcome.by, outcome.scale) for outcome in sorted(outcomes, key=lambda one: one.scale)
    ):
        part = [outcome for outcome in outcomes if (outcome.by, outcome.scale) == (by, scale)]
        for kind in ("all", *sorted({outcome.kind for outcome in part})):
            of_kind = [outcome for outcome in part if kind in ("all", outcome.kind)]
            found = {name: mean_interval(of_kind, value) for name, value in MEASURES.items()}
            rows.append({"by": by, "scale": scale, "kind": kind, **found})
    return rows


def table(outcomes: Sequence[GroundingOutcome]) -> str:
    """Format the summary as a Markdown table."""
    lines = [
        f"| scale | what | by | n | {' | '.join(MEASURES)} |",
        f"|{'---|' * (4 + len(MEASURES))}",
    ]
    rows = sorted(
        summary(outcomes), key=lambda row: (row["scale"], row["kind"] != "all", row["kind"])
    )
    for row in rows:
        asked: MeanInterval = row["click in box"]
        cells = (
            f"{row['scale']:g}",
            row["kind"],
            row["by"],
            str(asked.count),
            *(_cell(row[name]) for name in MEASURES),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(found: MeanInterval | None) -> str:
    return "" if found is None else str(found)


def as_json(outcomes: Sequence[GroundingOutcome], about: Mapping[str, Any]) -> str:
    """Format one JSON object: the settings, the summary, and every outcome."""
    rows = [
        {
            key: asdict(value) if isinstance(value, MeanInterval) else value
            for key, value in row.items()
        }
        for row in summary(outcomes)
    ]
    told = {**about, "summary": rows, "outcomes": [asdict(outcome) for outcome in outcomes]}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def write(directory: Path, outcomes: Sequence[GroundingOutcome], about: Mapping[str, Any]) -> None:
    """Write `grounding.md` and `grounding.json` to a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "grounding.md").write_text(table(outcomes), encoding="utf-8")
    (directory / "grounding.json").write_text(as_json(outcomes, about), encoding="utf-8")
