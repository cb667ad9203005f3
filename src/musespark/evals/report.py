"""Report of an evaluation: rows of figures as a table, as JSON, and as a plot of accuracy against the critical path."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class EvalRow:
    """Results of one task in one mode. Means are over problems; tokens are those that the network wrote in all threads."""

    task: str
    mode: str
    problems: int
    right: int
    threads: float
    """Mean number of threads that were spawned."""
    critical_path: float
    """Mean number of network steps until the answer."""
    tokens: float
    seconds: float
    """Mean wall time of the engine for a problem, in the batch it was measured in."""
    declined: int = 0
    """Questions for which the network declined to answer."""
    verified_wrong: int = 0
    """Wrong answers that the task's verifier confirmed; anything but 0 is a defect of the verifier."""
    ceiling: float | None = None
    """Share of the problems that perfect threads would have solved from the network's first moves."""
    solver_ceiling: float | None = None
    """The same for as many first moves chosen by a heuristic."""
    confirmed: int | None = None
    """Answers that the task's verifier confirmed; None in older results, which did not count them."""
    abstained: int = 0
    """Questions of the task from which the model abstained, since it could not read them completely."""

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> EvalRow:
        """Read a row of `results.json`. Older files call the task `world`, and ablated images `blanked pictures`."""
        values = {"task" if name == "world" else name: value for name, value in row.items()}
        mode = str(values["mode"]).replace("(pictures blanked)", "(images ablated)")
        return cls(**{**values, "mode": mode})

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.right / self.problems

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the accuracy (Wilson, 1927)."""
        return wilson(self.right, self.problems)


def wilson(hits: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the score interval of a share, which stays within 0 and 1 and is accurate near them."""
    share, square = hits / trials, z * z / trials
    middle = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / trials + square / (4 * trials)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def table(rows: Sequence[EvalRow]) -> str:
    """Format rows as a Markdown table."""
    head = (
        "| task | mode | problems | accuracy | 95% | confirmed | threads | critical path | tokens "
        "| seconds | ceiling | solver's |"
    )
    lines = [head, "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        low, high = row.interval
        ceilings = [
            "" if each is None else f"{each:.1%}" for each in (row.ceiling, row.solver_ceiling)
        ]
        lines.append(
            f"| {row.task} | {row.mode} | {row.problems} | {row.accuracy:.1%} | {low:.1%} - {high:.1%} "
            f"| {'' if row.confirmed is None else f'{row.confirmed / row.problems:.1%}'} | {row.threads:.1f} "
            f"| {row.critical_path:.0f} | {row.tokens:.0f} | {row.seconds:.3f} | {' | '.join(ceilings)} |"
        )
    return "\n".join(lines) + "\n"


def write(rows: Sequence[EvalRow], directory: Path, about: dict[str, object]) -> None:
    """Write `results.json`, `table.md` and `accuracy.png` to a directory, each atomically."""
    directory.mkdir(parents=True, exist_ok=True)
    results = {**about, "rows": [asdict(row) for row in rows]}
    replace_file(directory / "results.json", (json.dumps(results, indent=1) + "\n").encode())
    replace_file(directory / "table.md", table(rows).encode())
    replace_file(directory / "accuracy.png", plot(rows))


def plot(rows: Sequence[EvalRow]) -> bytes:
    """Plot accuracy against critical path, one line a mode, one point a task, as PNG. Needs matplotlib."""
    import io

    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for mode in dict.fromkeys(row.mode for row in rows):
        points = sorted(
            (row for row in rows if row.mode == mode), key=lambda row: row.critical_path
        )
        errors = [
            [100 * max(0.0, row.accuracy - row.interval[0]) for row in points],
            [100 * max(0.0, row.interval[1] - row.accuracy) for row in points],
        ]
        axes.errorbar(
            [row.critical_path for row in points], [100 * row.accuracy for row in points],
            yerr=errors, marker="o", capsize=3, label=mode,
        )  # fmt: skip
        for row in points:
            axes.annotate(
                row.task,
                (row.critical_path, 100 * row.accuracy),
                (4, 4),
                textcoords="offset points",
                size=7,
            )
    axes.set(
        xscale="log", xlabel="critical path (network steps)", ylabel="accuracy (%)", ylim=(-2, 104)
    )
    axes.grid(alpha=0.3)
    axes.legend()
    image = io.BytesIO()
    figure.savefig(image, dpi=110)
    pyplot.close(figure)
    return image.getvalue()


def replace_file(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)
