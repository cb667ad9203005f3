"""The weights as a file: safetensors, float16, under the names of transformers' `FuyuForCausalLM`.

The metadata entry `config` is a JSON object: the shape of the network, the trainer's description of it, and a
SHA-256 over all of it and every tensor, so that a truncated or altered file is refused with one sentence.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from musespark.errors import WeightsDamaged, WeightsMissing
from musespark.nano import vocabulary as v
from musespark.nano.arrays import Array

DEFAULT = Path(__file__).parent / "data" / "nano.safetensors"
"""The weights that ship with the package."""

Tensors = dict[str, Array]


@dataclass(frozen=True)
class NanoConfig:
    """The shape of a network: a Persimmon decoder that reads patches (Fuyu)."""

    width: int = 256
    layers: int = 6
    heads: int = 4
    hidden: int = 1024
    """Width of the feed-forward's inner layer."""
    vocabulary: int = v.SIZE
    context: int = 1024
    """Positions a thread may reach, counted along its path from <bos>."""
    patch: int = 256
    """Floats per patch of an image: equal to `patches.PATCH_WIDTH`, which is imported only for questions with an image."""
    theta: float = 10000.0
    rotary: float = 0.5
    """Share of each head that is rotated by the position."""
    eps: float = 1e-5

    @property
    def head(self) -> int:
        """Width of one head."""
        return self.width // self.heads

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor's name and shape, as in the state dict of `FuyuForCausalLM`."""
        decoder, width, hidden = "model.language_model.", self.width, self.hidden
        shapes: dict[str, tuple[int, ...]] = {
            decoder + "embed_tokens.weight": (self.vocabulary, width)
        }
        for layer in range(self.layers):
            block = f"{decoder}layers.{layer}."
            shapes |= {
                **_linear(block + "self_attn.query_key_value", 3 * width, width),
                **_linear(block + "self_attn.dense", width, width),
                **_norm(block + "self_attn.q_layernorm", self.head),
                **_norm(block + "self_attn.k_layernorm", self.head),
                **_linear(block + "mlp.dense_h_to_4h", hidden, width),
                **_linear(block + "mlp.dense_4h_to_h", width, hidden),
                **_norm(block + "input_layernorm", width),
                **_norm(block + "post_attention_layernorm", width),
            }
        return shapes | {
            **_norm(decoder + "final_layernorm", width),
            **_linear("model.vision_embed_tokens", width, self.patch),
            "lm_head.weight": (self.vocabulary, width),
        }


def load(path: str | os.PathLike[str] = DEFAULT) -> tuple[NanoConfig, Tensors]:
    """The shape of the network and its tensors in float32.

    Raises WeightsMissing if there is no such file, WeightsDamaged if it is truncated, altered or of another shape.
    """
    config, tensors, _ = load_half(path)
    return config, {name: tensor.astype(np.float32) for name, tensor in tensors.items()}


def load_half(path: str | os.PathLike[str] = DEFAULT) -> tuple[NanoConfig, Tensors, dict[str, Any]]:
    """The shape, the tensors as they are stored (float16), and everything the metadata says. Raises the errors of `load`."""
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise WeightsMissing(path)
    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {})["config"])
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        names = [field.name for field in fields(NanoConfig)]
        config = NanoConfig(
            **{name: type(getattr(NanoConfig, name))(about[name]) for name in names}
        )
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise WeightsDamaged(path, f"it cannot be read: {type(error).__name__}") from error
    if about.pop("sha256", "") != digest(about, stored):
        raise WeightsDamaged(path, "its contents do not match its checksum")
    if {name: tensor.shape for name, tensor in stored.items()} != config.shapes():
        raise WeightsDamaged(path, "its tensors do not have the shapes that its description says")
    if config.vocabulary != v.SIZE:
        raise WeightsDamaged(
            path, f"it has {config.vocabulary} tokens while this version has {v.SIZE}"
        )
    return config, stored, about


def save(
    path: str | os.PathLike[str],
    config: NanoConfig,
    tensors: Mapping[str, Array],
    about: Mapping[str, Any],
) -> None:
    """Write weights in float16; `about` is stored with the shape (for example the command that trained them).

    The file is replaced atomically, with the permissions of the umask. Raises ValueError if the tensors do not fit the shape.
    """
    from safetensors.numpy import save as as_bytes

    if {name: tensor.shape for name, tensor in tensors.items()} != config.shapes():
        raise ValueError("the tensors do not have the names and shapes of this config")
    stored = {
        name: np.ascontiguousarray(tensor, dtype=np.float16) for name, tensor in tensors.items()
    }
    described = json.loads(json.dumps({**about, **asdict(config)}))
    described["sha256"] = digest(described, stored)
    unfinished = Path(path).with_suffix(f".{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(as_bytes(stored, {"format": "pt", "config": json.dumps(described)}))
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def digest(about: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    """SHA-256 over the description and every tensor's name, type, shape and bytes, in the order of their names."""
    total = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"\n{name} {tensor.dtype} {tensor.shape}\n".encode())
        total.update(np.ascontiguousarray(tensor).reshape(-1).view(np.uint8).data)
    return total.hexdigest()


def _linear(name: str, rows: int, columns: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}
