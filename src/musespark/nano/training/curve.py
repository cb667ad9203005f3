"""The loss curve: the log of a training as an image, one line a task. Needs matplotlib."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from musespark.nano.arrays import Array

POINTS = 80
"""Points of a line; each is the mean of several steps."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
"""Distinguishable for colour-blind people (Okabe and Ito, 2008)."""
_NOT_TASKS = {"step", "tokens", "loss", "rate", "share", "seconds"}
_LOWEST = 1e-5
"""The log rounds to this; a logarithm needs more than 0."""


def read_log(log: Path) -> list[dict[str, Any]]:
    """Read the records of a training, one a step. Steps repeated after an interruption count once."""
    records: list[dict[str, Any]] = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:  # a line that was cut when the run was killed
            continue
        while records and records[-1]["step"] >= record["step"]:
            records.pop()
        records.append(record)
    return records


def draw_curve(log: Path, file: Path) -> None:
    """Draw a log as a PNG file, written atomically; an empty log draws nothing. Raises `OSError`."""
    records = read_log(log)
    if not records:
        return
    unfinished = file.with_suffix(".png.part")
    try:
        unfinished.write_bytes(_image(records))
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)


def smooth(records: Sequence[Mapping[str, Any]], task: str) -> tuple[Array, Array]:
    """Return millions of tokens, and the means of the losses logged around them; at most POINTS of each."""
    seen = [(record["tokens"] / 1e6, record[task]) for record in records if task in record]
    tokens, losses = np.array(seen).T
    parts = np.array_split(np.arange(len(seen)), min(POINTS, len(seen)))
    return np.array([tokens[part].mean() for part in parts]), np.array(
        [max(losses[part].mean(), _LOWEST) for part in parts]
    )


def _image(records: Sequence[Mapping[str, Any]]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    tasks = [
        name
        for name in dict.fromkeys(name for record in records for name in record)
        if name not in _NOT_TASKS
    ]
    ends = []
    for task, colour in zip(tasks, COLOURS * len(tasks), strict=False):
        tokens, losses = smooth(records, task)
        axes.plot(tokens, losses, color=colour, linewidth=1.4)
        ends.append((task, colour, losses[-1]))
    axes.set(yscale="log", xlabel="tokens trained on (millions)", ylabel="loss a token (nats)")
    axes.margins(x=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(which="major", alpha=0.3)
    low, high = np.log(axes.get_ylim())
    places = spread([(np.log(loss) - low) / (high - low) for _, _, loss in ends], 0.055)
    for (task, colour, loss), place in zip(ends, places, strict=True):
        axes.annotate(
            f"{task} {loss:.3g}",
            (1.01, place),
            xycoords="axes fraction",
            color=colour,
            va="center",
            fontsize=9,
        )
    file = io.BytesIO()
    figure.savefig(file, dpi=130, format="png")
    return file.getvalue()


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Move heights as little as possible so that labels do not overlap; their order stays."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed = [0.0] * len(heights)
    lowest = -np.inf
    for index in order:
        placed[index] = lowest = max(heights[index], lowest + gap)
    # Moving upwards only would drift, so the mean shift is subtracted.
    drift = float(np.mean([placed[index] - heights[index] for index in order])) if order else 0.0
    return [float(place - drift) for place in placed]
