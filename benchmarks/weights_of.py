"""Weights for a benchmark: a file's, the package's, or random ones of the shape that the package has."""

from __future__ import annotations

import numpy as np

from musespark.nano.engine import Engine
from musespark.nano.weights import DEFAULT, NanoConfig, Tensors, load

SHIPPED = NanoConfig()


def weights_of(path: str | None) -> tuple[NanoConfig, Tensors, str]:
    """Shape, tensors, and what to call them in a table."""
    if path or DEFAULT.exists():
        config, tensors = load(path or DEFAULT)
        name = path or "the packaged weights"
    else:
        config, name = SHIPPED, "random weights"
        tensors = random_tensors(config)
    millions = sum(tensor.size for tensor in tensors.values()) / 1e6
    return (
        config,
        tensors,
        f"{name}: {millions:.1f}M parameters, {config.layers} layers of {config.width}",
    )


def engine_of(path: str | None) -> tuple[Engine, str]:
    """An engine, and what to call its weights."""
    config, tensors, described = weights_of(path)
    return Engine(config, tensors), described


def random_tensors(config: NanoConfig) -> Tensors:
    """Numbers of the size that trained ones have."""
    rng = np.random.default_rng(0)
    return {
        name: np.ones(shape, np.float32)
        if name.endswith("norm.weight")
        else rng.standard_normal(shape, dtype=np.float32) * shape[-1] ** -0.5
        for name, shape in config.shapes().items()
    }
