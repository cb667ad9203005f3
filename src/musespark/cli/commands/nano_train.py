"""A training as a person follows it: the bar, the losses, the curve, Ctrl-C, and the weights at the end."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from musespark.cli.view.training_progress import TrainingDisplay, TrainingStatus
from musespark.errors import BadOption
from musespark.nano.training.batches import SHARES
from musespark.nano.training.curve import draw_curve
from musespark.nano.training.pack import fitting_state, pack, recipe_of
from musespark.nano.training.train import Recipe, Trainer, TrainingProgress

MINUTES = 90.0
"""Default duration if neither time nor tokens are given."""
BETWEEN_CURVES = 180.0
"""Seconds."""
STOPPED = 130
_PACE = 30.0
"""Seconds over which tokens a second are averaged."""


def recipe_for(given: Mapping[str, Any], shares: Sequence[str], resume: Path | None) -> Recipe:
    """The requested recipe; values not given are those of the checkpoint, or of `Recipe`. Raises `BadInput`."""
    if resume is None:
        recipe = _checked(replace(Recipe(), **given, shares=_shares(shares, SHARES)))
        return recipe if recipe.minutes or recipe.tokens else replace(recipe, minutes=MINUTES)
    state = fitting_state(resume)
    before = recipe_of(state)
    for name in ("width", "layers", "heads"):
        if given.get(name, getattr(before, name)) != getattr(before, name):
            raise BadOption(
                f"--{name}", given[name], f"{getattr(before, name)}, as in the checkpoint"
            )
    recipe = _checked(replace(before, **given, shares=_shares(shares, before.shares)))
    if TrainingProgress(**state["progress"]).share(recipe) >= 1:
        raise BadOption(
            "--resume", str(resume), "a checkpoint with budget left; raise --minutes or --tokens"
        )
    return recipe


def _shares(given: Sequence[str], before: Mapping[str, float]) -> dict[str, float]:
    shares = dict(before)
    for one in given:
        task, _, part = one.partition("=")
        try:
            shares[task] = float(part)
        except ValueError:
            raise BadOption("--share", one, "a task and a number, such as countdown=0.5") from None
        if task not in SHARES or not 0 <= shares[task] < float("inf"):
            raise BadOption("--share", one, f"one of {', '.join(SHARES)} with a number from 0")
    left = {task: part for task, part in shares.items() if part > 0}
    if not left:
        raise BadOption("--share", " ".join(given), "more than 0 for some task")
    return left


def _checked(recipe: Recipe) -> Recipe:
    """The recipe, if a network can be trained by it."""
    for name in ("minutes", "tokens", "lr", "adam_lr", "warmup"):
        value = getattr(recipe, name)
        if value is not None and not 0 < value < float("inf"):
            raise BadOption("--" + name.replace("_", "-"), value, "a number greater than 0")
    for name, least in (("layers", 1), ("heads", 1), ("rows", 2), ("seed", 0)):
        if getattr(recipe, name) < least:
            raise BadOption(f"--{name}", getattr(recipe, name), f"a whole number from {least}")
    if recipe.width < 1 or recipe.width % (
        4 * recipe.heads
    ):  # half of a head turns by its position, two by two
        raise BadOption(
            "--width", recipe.width, f"a multiple of {4 * recipe.heads}, four times --heads"
        )
    if not 0 < recipe.decay <= 1:
        raise BadOption("--decay", recipe.decay, "greater than 0 and at most 1")
    return recipe


def train_by(recipe: Recipe, out: Path, resume: Path | None, start: Path | None = None) -> int:
    """Train, show, draw the curve and write the weights; the exit code. Under torchrun only the first process speaks."""
    trainer = Trainer(recipe, out, resume, start)
    first = trainer.workers.rank == 0
    progress = TrainingDisplay(_heading(trainer, out)) if first else None
    curved = time.monotonic()
    with _stopping(trainer, progress) as stopped:
        for reading in _readings(trainer):
            if progress is None:
                continue
            progress.show(reading)
            if time.monotonic() - curved > BETWEEN_CURVES:
                draw_curve(out / "log.jsonl", out / "loss.png")
                curved = time.monotonic()
    if progress is None:
        return STOPPED if stopped else 0
    progress.close()
    if (out / "log.jsonl").exists():
        draw_curve(out / "log.jsonl", out / "loss.png")
    checkpoint = out / "checkpoint.pt"
    if stopped:
        print(
            f"Stopped; go on with: muse nano train --resume {shlex.quote(str(checkpoint))} --out {shlex.quote(str(out))}"
        )
        return STOPPED
    pack(checkpoint, out / "nano.safetensors")
    print(
        f"  weights     {out / 'nano.safetensors'}\n  checkpoint  {checkpoint}\n  loss curve  {out / 'loss.png'}"
    )
    return 0


def _heading(trainer: Trainer, out: Path) -> str:
    parameters = sum(parameter.numel() for parameter in trainer.network.parameters())
    workers = trainer.workers
    where = f"{workers.count} x {workers.device.type}" if workers.count > 1 else workers.device.type
    size = f"{parameters / 1e6:.1f} M" if parameters >= 1e5 else f"{parameters:,}"
    return f"training {size} parameters on {where}, into {out}"


def _readings(trainer: Trainer) -> Iterator[TrainingStatus]:
    """Training states from the records, with the pace and the time left."""
    began, start = time.monotonic(), trainer.progress.share(trainer.recipe)
    marks = deque([(began, trainer.progress.tokens)])
    losses: dict[str, float] = {}
    for record in trainer.run():
        now = time.monotonic()
        marks.append((now, record["tokens"]))
        while len(marks) > 2 and now - marks[0][0] > _PACE:
            marks.popleft()
        pace = (record["tokens"] - marks[0][1]) / max(1e-9, now - marks[0][0])
        used = record["share"] - start
        left = (now - began) * (1 - record["share"]) / used if used > 0 else None
        # A step need not hold problems of every task: what is known of the others is shown on.
        losses |= {task: record[task] for task in trainer.recipe.shares if task in record}
        yield TrainingStatus(
            record["step"],
            record["tokens"],
            record["share"],
            record["loss"],
            dict(losses),
            pace,
            left,
        )


@contextmanager
def _stopping(trainer: Trainer, progress: TrainingDisplay | None) -> Iterator[list[int]]:
    """Ctrl-C or SIGTERM: the step under way is finished and saved. A second Ctrl-C ends at once, without saving."""
    heard: list[int] = []
    # torchrun passes on a Ctrl-C that the processes have heard already; it ends what does not stop by itself.
    alone = "TORCHELASTIC_RUN_ID" not in os.environ

    def stop(number: int, frame: FrameType | None) -> None:
        if heard and alone and number == signal.SIGINT:
            raise KeyboardInterrupt
        heard.append(number)
        trainer.stop()
        if progress is not None:
            progress.note("stopping after this step; Ctrl-C again ends at once, without saving")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if progress is not None and sys.exc_info()[0] is not None:
            progress.close()
