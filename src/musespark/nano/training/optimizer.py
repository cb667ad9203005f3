"""Muon for matrices, AdamW for the rest.

Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon) orthogonalises the momentum of each matrix by a few
Newton-Schulz iterations. The fused query-key-value matrix is treated as three.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from musespark.nano.training.network import TorchNano


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """Return the nearest semi-orthogonal matrices (..., rows, columns), as accurately as training needs."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x: Tensor = matrix.bfloat16()
    tall = x.size(-2) > x.size(-1)
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    nearest: Tensor = (x.mT if tall else x).to(matrix.dtype)
    return nearest


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised; steps are scaled so that one learning rate suits every shape of matrix."""

    def __init__(
        self, groups: Iterable[dict[str, Any]], lr: float = 0.02, momentum: float = 0.95
    ) -> None:
        """groups: each holds `params`, and `heads` if its matrices are fused query-key-value ones."""
        super().__init__(groups, {"lr": lr, "momentum": momentum, "heads": 0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                velocity = (
                    state["velocity"]
                    if state
                    else state.setdefault("velocity", torch.zeros_like(parameter))
                )
                velocity.lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(velocity, group["momentum"])  # Nesterov
                if group[
                    "heads"
                ]:  # (heads, 3, head width) rows: queries, keys and values are three matrices
                    update = (
                        update.unflatten(0, (group["heads"], 3, -1)).transpose(0, 1).flatten(1, 2)
                    )
                update = orthogonalise(update)
                scale = max(1.0, update.size(-2) / update.size(-1)) ** 0.5
                if group["heads"]:
                    heads = update.unflatten(1, (group["heads"], -1))  # type: ignore[no-untyped-call]
                    update = heads.transpose(0, 1).flatten(0, 2)
                parameter.add_(update, alpha=-group["lr"] * scale)


def optimizers(
    network: TorchNano, lr: float = 0.02, adam_lr: float = 3e-3
) -> tuple[Muon, torch.optim.AdamW]:
    """Return Muon for the layers' matrices, and AdamW for embeddings, head, patches, norms and biases."""
    fused: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        if "layers" not in name or parameter.ndim < 2:
            rest.append(parameter)
        else:
            (fused if "query_key_value" in name else plain).append(parameter)
    muon = Muon([{"params": fused, "heads": network.shape.heads}, {"params": plain}], lr)
    return muon, torch.optim.AdamW(rest, adam_lr, betas=(0.9, 0.95), weight_decay=0.0)
