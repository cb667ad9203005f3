"""The mathematics of the network, once, in NumPy.

The architecture is that of transformers' `FuyuForCausalLM` (see `training/network.py` for the same in torch). Before it runs,
the weights are rewritten into an equal network that needs fewer operations:

- Every reader of the residual stream begins with a LayerNorm, which removes the mean. So the writers (embeddings, patches,
  output matrices) are centred instead, the mean is always zero, and LayerNorm becomes a division by the root mean square
  (Ashkboos et al., SliceGPT, 2024). The same holds inside each head, where queries and keys are normalised.
- Gains and offsets of the norms are folded into the matrices that follow them, the attention's scale into the queries' gain.
- The two halves that rotary positions mix are interleaved, so that rotating them is one complex multiplication.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from musespark.nano import vocabulary as v
from musespark.nano.arrays import Array
from musespark.nano.attention import StepAttention
from musespark.nano.blas_threads import single_blas_thread
from musespark.nano.cache import CachedSequence, KVCache
from musespark.nano.decode_session import StepInput
from musespark.nano.weights import NanoConfig

Attend = Callable[[int, Array, Array, Array], Array]
"""(layer, queries, keys, values), each (rows, heads, head), to the attention output of each row, (rows, width)."""


@dataclass(slots=True)
class LayerWeights:
    """Weights of one layer after the rewriting. Matrices are (inputs, outputs)."""

    mix: Array
    """(width, 3 * width): computes all queries, all keys, all values, head by head."""
    mix_bias: Array
    gain: Array
    """(2, heads, head): factor of the normalised queries and keys; `offset` is added afterwards."""
    offset: Array
    dense: Array
    dense_bias: Array
    up: Array
    up_bias: Array
    down: Array
    down_bias: Array


class NumpyNetwork:
    """The network of the engine. It is immutable, so any number of threads of the process may use it."""

    def __init__(self, config: NanoConfig, tensors: Mapping[str, Array]) -> None:
        decoder = "model.language_model."
        self.config = config
        self.context = config.context
        self.layers = [
            _layer(config, tensors, f"{decoder}layers.{index}.") for index in range(config.layers)
        ]
        self.embedding = _centred(tensors[decoder + "embed_tokens.weight"], 1)
        self.patch, self.patch_bias = _writer(tensors, "model.vision_embed_tokens")
        self.head, self.head_bias = _reader(tensors, "lm_head", decoder + "final_layernorm")
        self.phases = _phases(config)

    def new_session(self) -> NumpyDecodeSession:
        """Start a session with an empty cache."""
        return NumpyDecodeSession(self)

    def embed(self, tokens: Array, patches: Array | None) -> Array:
        """Embed tokens into the residual stream (rows, width); patches (N, 256) replace the tokens that are <patch>."""
        x = self.embedding[tokens]
        if patches is not None:
            x[tokens == v.PATCH] = patches @ self.patch + self.patch_bias
        return x

    def forward(self, x: Array, positions: Array, attend: Attend) -> Array:
        """Run all layers over a ragged batch: any rows (rows, width) at any positions (rows,); `attend` computes the attention."""
        phases = self.phases[positions]
        for index, layer in enumerate(self.layers):
            x += _product(attend(index, *self._heads(layer, x, phases)), layer.dense)
            x += layer.dense_bias
            inner = _product(_normal(x, self.config.eps), layer.up)
            inner += layer.up_bias
            np.maximum(inner, 0, out=inner)  # squared ReLU (So et al., Primer, 2021)
            inner *= inner
            x += _product(inner, layer.down)
            x += layer.down_bias
        return x

    def logits(self, x: Array) -> Array:
        """Logits of the next token (rows, vocabulary) from the output of the last layer."""
        return _product(_normal(x, self.config.eps), self.head) + self.head_bias

    def _heads(self, layer: LayerWeights, x: Array, phases: Array) -> tuple[Array, Array, Array]:
        """Queries, keys (normalised and rotated) and values, each (rows, heads, head)."""
        mixed = _product(_normal(x, self.config.eps), layer.mix)
        mixed += layer.mix_bias
        mixed = mixed.reshape(len(x), 3, self.config.heads, self.config.head)
        pair = _normal(mixed[:, :2], self.config.eps)
        pair *= layer.gain
        pair += layer.offset
        turned = pair.reshape(len(x), -1).view(np.complex64)
        turned *= phases
        return pair[:, 0], pair[:, 1], mixed[:, 2]


class NumpyDecodeSession:
    """A `decode_session.DecodeSession` over one cache."""

    def __init__(self, network: NumpyNetwork) -> None:
        self.network = network
        self.cache = KVCache(network.config)

    def open(self) -> CachedSequence:
        """Start a sequence without any token."""
        return CachedSequence()

    def fork(self, sequence: CachedSequence) -> CachedSequence:
        """Start a sequence that shares all tokens of this one."""
        return self.cache.fork(sequence)

    def close(self, sequence: CachedSequence) -> None:
        """Free a sequence; tokens that others share with it stay."""
        self.cache.close(sequence)

    def step(self, inputs: Sequence[StepInput]) -> Array:
        """Feed every sequence its tokens, all in one batch. Logits (sequences, vocabulary) after the last token of each."""
        order = self.cache.assign_slots(
            [each.sequence for each in inputs], [len(each.tokens) for each in inputs]
        )
        ordered = [inputs[index] for index in order]
        step = StepAttention(
            self.cache, [each.sequence for each in ordered], [len(each.tokens) for each in ordered]
        )
        images = [each.patches for each in ordered if each.patches is not None]
        tokens = np.array([token for each in ordered for token in each.tokens])
        logits = np.empty((len(inputs), self.network.config.vocabulary), np.float32)
        with single_blas_thread:
            x = self.network.embed(tokens, np.concatenate(images) if images else None)
            x = self.network.forward(x, step.positions, step.attend)
            for each in ordered:
                each.sequence.tail += len(each.tokens)
            logits[order] = self.network.logits(x[step.last])
        return logits


def _product(x: Array, matrix: Array) -> Array:
    """x @ matrix. With two or three rows, BLAS takes longer to rearrange the matrix than to multiply it row by row."""
    return (x[:, None] @ matrix)[:, 0] if 1 < len(x) < 4 else x @ matrix


def _normal(x: Array, eps: float) -> Array:
    """Divide by the root mean square over the last axis."""
    squares = np.vecdot(x, x)
    squares *= 1 / x.shape[-1]
    squares += eps
    np.sqrt(squares, out=squares)
    normalised: Array = x / squares[..., None]
    return normalised


def _layer(config: NanoConfig, tensors: Mapping[str, Array], name: str) -> LayerWeights:
    mix, mix_bias, gain, offset = _mix(config, tensors, name)
    dense, dense_bias = _writer(tensors, name + "self_attn.dense")
    up, up_bias = _reader(tensors, name + "mlp.dense_h_to_4h", name + "post_attention_layernorm")
    down, down_bias = _writer(tensors, name + "mlp.dense_4h_to_h")
    return LayerWeights(
        mix, mix_bias, gain, offset, dense, dense_bias, up, up_bias, down, down_bias
    )


def _mix(config: NanoConfig, tensors: Mapping[str, Array], name: str) -> tuple[Array, ...]:
    """The matrix (inputs, outputs) to queries, keys and values, its bias, and the heads' gains and offsets."""
    heads, head, order = config.heads, config.head, _interleaved(config)
    matrix, bias = _reader(tensors, name + "self_attn.query_key_value", name + "input_layernorm")
    parts = np.concatenate([matrix, bias[None]]).reshape(-1, heads, 3, head).swapaxes(1, 2).copy()
    parts[:, :2] = _centred(parts[:, :2], 3)[..., order]
    mix: Array = parts.reshape(-1, 3 * config.width)
    norms = [
        [tensors[f"{name}self_attn.{part}_layernorm.{kind}"][order] for part in "qk"]
        for kind in ("weight", "bias")
    ]
    gain_offset: Array = np.repeat(np.array(norms)[:, :, None], heads, 2)
    gain_offset[:, 0] *= head**-0.5
    return mix[:-1], mix[-1], gain_offset[0], gain_offset[1]


def _reader(tensors: Mapping[str, Array], name: str, norm: str) -> tuple[Array, Array]:
    """A matrix (inputs, outputs) that reads the residual stream, and its bias, both including the norm before it."""
    weight, gain, offset = (
        tensors[name + ".weight"],
        tensors[norm + ".weight"],
        tensors[norm + ".bias"],
    )
    return np.multiply(weight.T, gain[:, None], order="C"), weight @ offset + tensors.get(
        name + ".bias", 0
    )


def _writer(tensors: Mapping[str, Array], name: str) -> tuple[Array, Array]:
    """A matrix (inputs, outputs) that writes to the residual stream, and its bias, centred."""
    weight, bias = tensors[name + ".weight"], tensors[name + ".bias"]
    return np.subtract(weight.T, weight.mean(0)[:, None], order="C"), _centred(bias, 0)


def _centred(x: Array, axis: int) -> Array:
    centred: Array = x - x.mean(axis, keepdims=True)
    return centred


def _interleaved(config: NanoConfig) -> Array:
    """Order of a head's columns that puts the two halves of each rotated pair side by side."""
    turned = int(config.head * config.rotary)
    pairs = np.arange(turned).reshape(2, -1).T.reshape(-1)
    return np.concatenate([pairs, np.arange(turned, config.head)])


def _phases(config: NanoConfig) -> Array:
    """(context, 2 * heads * head / 2) complex64: factors of queries and keys at each position.

    Rotary positions (Su et al., RoFormer, 2021), in float32 like the reference; columns that are not rotated get 1.
    """
    turned = int(config.head * config.rotary)
    speeds = np.float32(config.theta) ** -(
        np.arange(0, turned, 2, dtype=np.float32) / np.float32(turned)
    )
    speeds = np.concatenate([speeds, np.zeros(config.head // 2 - len(speeds), np.float32)])
    angles = np.arange(config.context, dtype=np.float32)[:, None] * speeds
    return np.tile((np.cos(angles) + 1j * np.sin(angles)).astype(np.complex64), 2 * config.heads)
