"""The loss curve: a training's log as a picture, one line a world. Needs matplotlib."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

POINTS = 80
"""Points of a line; each is the mean of the steps it stands for."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
"""Told apart by colour-blind people, too (Okabe and Ito, 2008)."""
_NOT_WORLDS = {"step", "tokens", "loss", "rate", "share", "seconds"}
_LOWEST = 1e-5
"""The log rounds to this; a logarithm needs more than 0."""


def read_log(log: Path) -> list[dict[str, Any]]:
    """The records of a training, one a step. Steps that were lost with an interruption and made again count once."""
    records: list[dict[str, Any]] = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:  # the line that a killed run was writing
            continue
        while records and records[-1]["step"] >= record["step"]:
            records.pop()
        records.append(record)
    return records


def draw_curve(log: Path, file: Path) -> None:
    """Draw a log as a PNG file, which is written whole or not at all; nothing is drawn of an empty log. Raises `OSError`."""
    records = read_log(log)
    if not records:
        return
    unfinished = file.with_suffix(".png.part")
    try:
        unfinished.write_bytes(_image(records))
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)


def smooth(records: Sequence[Mapping[str, Any]], world: str) -> tuple[np.ndarray, np.ndarray]:
    """Millions of tokens, and the mean of the losses that were logged around them; at most POINTS of each."""
    seen = [(record["tokens"] / 1e6, record[world]) for record in records if world in record]
    tokens, losses = np.array(seen).T
    parts = np.array_split(np.arange(len(seen)), min(POINTS, len(seen)))
    return np.array([tokens[part].mean() for part in parts]), np.array([max(losses[part].mean(), _LOWEST) for part in parts])


def _image(records: Sequence[Mapping[str, Any]]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    worlds = [name for name in dict.fromkeys(name for record in records for name in record) if name not in _NOT_WORLDS]
    ends = []
    for world, colour in zip(worlds, COLOURS * len(worlds), strict=False):
        tokens, losses = smooth(records, world)
        axes.plot(tokens, losses, color=colour, linewidth=1.4)
        ends.append((world, colour, losses[-1]))
    axes.set(yscale="log", xlabel="tokens trained on (millions)", ylabel="loss a token (nats)")
    axes.margins(x=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(which="major", alpha=0.3)
    low, high = np.log(axes.get_ylim())
    places = spread([(np.log(loss) - low) / (high - low) for _, _, loss in ends], 0.055)
    for (world, colour, loss), place in zip(ends, places, strict=True):
        axes.annotate(f"{world} {loss:.3g}", (1.01, place), xycoords="axes fraction", color=colour, va="center", fontsize=9)
    file = io.BytesIO()
    figure.savefig(file, dpi=130, format="png")
    return file.getvalue()


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Heights moved as little as it takes for labels at them not to overlap; their order stays."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed = [0.0] * len(heights)
    lowest = -np.inf
    for index in order:
        placed[index] = lowest = max(heights[index], lowest + gap)
    # Pushing upwards only would drift; half of what was pushed goes back down.
    drift = float(np.mean([placed[index] - heights[index] for index in order])) if order else 0.0
    return [float(place - drift) for place in placed]
