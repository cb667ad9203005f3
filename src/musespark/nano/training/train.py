"""Training from scratch, or from a checkpoint: one loop, on a CPU, one GPU or several.

muse nano train --minutes 90 --out runs/nano              two cores will do
torchrun --nproc-per-node 4 -m musespark nano train --minutes 30 --width 512 --layers 10 --rows 64

The budget is time or tokens. The learning rate warms up, stays, and decays to zero over the last part of the budget; the
state before the decay is saved, so that a longer run can continue from it.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from musespark.errors import BadOption
from musespark.nano import vocabulary as v
from musespark.nano.arrays import Array
from musespark.nano.training.batches import SHARES, Pack, in_background
from musespark.nano.training.network import TorchNano
from musespark.nano.training.optimizer import optimizers
from musespark.nano.weights import NanoConfig, load

SAVE_EVERY = 45.0
"""Seconds between checkpoints: a killed run loses less than a minute."""


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of a training, stored in the checkpoint and in the weights' metadata."""

    width: int = 256
    layers: int = 6
    heads: int = 4
    rows: int = 8
    minutes: float | None = None
    tokens: float | None = None
    lr: float = 0.02
    adam_lr: float = 3e-3
    warmup: float = 0.01
    decay: float = 0.3
    seed: int = 0
    shares: dict[str, float] = field(default_factory=lambda: dict(SHARES))

    def network(self) -> NanoConfig:
        """Return the shape of the network."""
        return NanoConfig(
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            hidden=4 * self.width,
            vocabulary=v.SIZE,
        )


@dataclass
class TrainingProgress:
    """Progress of a run, saved in its checkpoint."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0

    def share(self, recipe: Recipe) -> float:
        """Return the used share of the budget, 0 to 1."""
        parts = [0.0]
        if recipe.minutes:
            parts.append(self.seconds / (60 * recipe.minutes))
        if recipe.tokens:
            parts.append(self.tokens / recipe.tokens)
        return min(1.0, max(parts))


def learning_rate(share: float, recipe: Recipe) -> float:
    """Return the factor of the peak learning rate at a share of the budget: warm-up, constant, linear decay to zero."""
    warm = min(1.0, (share + 1e-3) / recipe.warmup)
    return warm * min(1.0, max(0.0, 1 - share) / recipe.decay)


@dataclass(frozen=True)
class Workers:
    """Rank of this process among those that train together (torchrun's environment, or alone)."""

    rank: int
    count: int
    device: torch.device

    @classmethod
    def join(cls) -> Workers:
        """Join with CUDA if there is any, else the CPU, and with the process group if torchrun started several."""
        rank, count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        cuda = torch.cuda.is_available()
        device = (
            torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            if cuda
            else torch.device("cpu")
        )
        if cuda:
            torch.cuda.set_device(device)
        if count > 1:
            torch.distributed.init_process_group("nccl" if cuda else "gloo")
        return cls(rank, count, device)

    def __str__(self) -> str:
        kind = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "CPU core"
        number = self.count if self.device.type == "cuda" else self.count * torch.get_num_threads()
        return f"{number} {kind}{'s' if number > 1 else ''}"

    def average(self, network: TorchNano) -> None:
        """Average the gradients over all processes."""
        if self.count > 1:
            for parameter in network.parameters():
                if parameter.grad is not None:
                    torch.distributed.all_reduce(parameter.grad)
                    parameter.grad /= self.count

    def agree(self, value: float) -> float:
        """Return the first process's value on all processes: clocks differ, schedules must not."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], device=self.device)
        torch.distributed.broadcast(shared, 0)
        return float(shared)


def loss_of(
    network: TorchNano, pack: Pack, device: torch.device
) -> tuple[Tensor, dict[int, Array]]:
    """Return the summed weighted cross-entropy of a pack, and for each task its (summed loss, summed weight)."""

    def put(array: Array) -> Tensor:
        return torch.from_numpy(array).to(device, non_blocking=True)

    segments = put(pack.segments)
    rows = torch.arange(len(segments), device=device)[:, None, None]
    mask = put(pack.ancestors)[rows, segments[:, :, None], segments[:, None, :]]
    mask &= torch.ones(mask.shape[1:], dtype=torch.bool, device=device).tril()
    with torch.autocast(device.type, torch.bfloat16):
        hidden = network.hidden(
            put(pack.tokens), put(pack.positions), mask, put(pack.patches), put(pack.where)
        )
        logits = network.lm_head(hidden.flatten(0, 1)[put(pack.predict_at)])
    each = F.cross_entropy(logits.float(), put(pack.targets), reduction="none") * put(pack.weights)
    losses = each.detach().cpu().numpy()
    chosen = {int(task): pack.tasks == task for task in np.unique(pack.tasks)}
    sums = {
        task: np.array([losses[terms].sum(), pack.weights[terms].sum()])
        for task, terms in chosen.items()
    }
    return each.sum(), sums


def trim_heap() -> None:
    """Return freed memory to the system: rows of changing lengths fragment glibc's heap by 0.3 GB a minute."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


class Trainer:
    """State of a training and its loop."""

    def __init__(
        self,
        recipe: Recipe,
        out: Path,
        resume: Path | None = None,
        start: Path | None = None,
        *,
        save_every: float = SAVE_EVERY,
    ) -> None:
        """resume: a checkpoint to continue; start: a weights file to begin with instead of random numbers.

        save_every: seconds between checkpoints.
        """
        self.save_every = save_every
        self.recipe, self.out, self.workers = recipe, out, Workers.join()
        torch.manual_seed(recipe.seed)
        self.network = TorchNano(recipe.network()).to(self.workers.device)
        self.optimizers = optimizers(self.network, recipe.lr, recipe.adam_lr)
        self.peaks = [
            [group["lr"] for group in optimizer.param_groups] for optimizer in self.optimizers
        ]
        self.progress = TrainingProgress()
        self._stopping = False
        if start is not None:
            config, tensors = load(start)
            if config != recipe.network():
                raise BadOption(
                    "--start",
                    start,
                    f"weights of {recipe.layers} layers of {recipe.width}, {recipe.heads} heads",
                )
            self.network.load_state_dict(
                {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
            )
        if resume is not None:
            self._load(resume)
        out.mkdir(parents=True, exist_ok=True)

    def stop(self) -> None:
        """Stop after the current step and save; safe in a signal handler. The first process decides for all."""
        self._stopping = True

    def run(self) -> Iterator[dict[str, Any]]:
        """Train until the budget is used; yield a record a step (loss by task, rates, share of the budget)."""
        seed = self.recipe.seed + 1000 * self.workers.rank + 7919 * self.progress.step
        with in_background(self.recipe.rows, seed, self.recipe.shares) as following:
            yield from self._steps(following)
        self._save("checkpoint.pt")

    def _steps(self, following: Callable[[], list[Pack]]) -> Iterator[dict[str, Any]]:
        saved = began = time.monotonic()
        already = self.progress.seconds
        # A run that is resumed during the decay has saved that state already.
        decaying = self.progress.share(self.recipe) > 1 - self.recipe.decay
        while (
            share := self.workers.agree(1.0 if self._stopping else self.progress.share(self.recipe))
        ) < 1:
            if not decaying and share > 1 - self.recipe.decay:
                decaying = True
                self._save("before-decay.pt")
            record = self._step(following(), learning_rate(share, self.recipe))
            self.progress.seconds = already + time.monotonic() - began
            record |= {"share": self.progress.share(self.recipe), "seconds": self.progress.seconds}
            self._log(record)
            if time.monotonic() - saved > self.save_every:
                self._save("checkpoint.pt")
                trim_heap()
                saved = time.monotonic()
            yield record

    def _step(self, packs: list[Pack], factor: float) -> dict[str, Any]:
        for optimizer, peaks in zip(self.optimizers, self.peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
        total = sum(float(pack.weights.sum()) for pack in packs)
        by_task = {task: np.zeros(2) for task in range(len(self.recipe.shares))}
        for pack in packs:
            loss, sums = loss_of(self.network, pack, self.workers.device)
            (loss / total).backward()  # type: ignore[no-untyped-call]
            for task, pair in sums.items():
                by_task[task] += pair
        self.workers.average(self.network)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.progress.step += 1
        self.progress.tokens += (
            sum(int((pack.tokens != v.PAD).sum()) for pack in packs) * self.workers.count
        )
        named = zip(self.recipe.shares, by_task.values(), strict=True)
        tasks = {name: float(loss / weight) for name, (loss, weight) in named if weight}
        mean = float(sum(pair[0] for pair in by_task.values())) / total
        return {
            "step": self.progress.step,
            "tokens": self.progress.tokens,
            "loss": mean,
            "rate": factor,
        } | tasks

    def _log(self, record: dict[str, Any]) -> None:
        if self.workers.rank == 0:
            with (self.out / "log.jsonl").open("a") as log:
                log.write(
                    json.dumps(
                        {k: round(x, 5) if isinstance(x, float) else x for k, x in record.items()}
                    )
                    + "\n"
                )

    def _save(self, name: str) -> None:
        if self.workers.rank == 0:
            state = {
                "network": self.network.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
                "progress": asdict(self.progress),
                "recipe": asdict(self.recipe),
                "machine": str(self.workers),
            }
            temporary = self.out / (name + ".part")
            torch.save(state, temporary)
            temporary.replace(self.out / name)

    def _load(self, path: Path) -> None:
        state = torch.load(path, map_location=self.workers.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.progress = TrainingProgress(**state["progress"])
