"""The mathematics of the network, once, in NumPy.

The architecture is that of transformers' `FuyuForCausalLM` (see `training/network.py` for the same in torch). Before it runs,
the weights are rewritten into an equal network that needs fewer operations:

- Every reader of the residual stream begins with a LayerNorm, which removes the mean. So the writers (embeddings, patches,
  output matrices) are centred instead, the mean is always zero, and LayerNorm becomes a division by the root mean square
  (Ashkboos et al., SliceGPT, 2024). The same holds inside each head, where queries and keys are normalised.
- Gains and offsets of the norms go into the matrices that follow them; the attention's scale goes into the queries' gain.
- The two halves that rotary positions mix are interleaved, so that turning them is one complex multiplication.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from musespark.nano import vocabulary as v
from musespark.nano.attention import Step
from musespark.nano.cache import Cache, Line
from musespark.nano.lines import Feed
from musespark.nano.weights import NanoConfig

Attend = Callable[[int, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(layer, queries, keys, values), each (rows, heads, head), to what each row attends to, (rows, width)."""


@dataclass(slots=True)
class Layer:
    """One block, rewritten. Matrices are (inputs, outputs)."""

    mix: np.ndarray
    """(width, 3 * width): to all queries, all keys, all values, head by head."""
    mix_bias: np.ndarray
    gain: np.ndarray
    """(2, heads, head): what normalised queries and keys are multiplied by, and then offset by."""
    offset: np.ndarray
    dense: np.ndarray
    dense_bias: np.ndarray
    up: np.ndarray
    up_bias: np.ndarray
    down: np.ndarray
    down_bias: np.ndarray


class NumpyNetwork:
    """The network that answers. It is never written to, so any number of threads of the process may use it."""

    def __init__(self, config: NanoConfig, tensors: Mapping[str, np.ndarray]) -> None:
        decoder = "model.language_model."
        self.config = config
        self.context = config.context
        self.layers = [_layer(config, tensors, f"{decoder}layers.{index}.") for index in range(config.layers)]
        self.embedding = _centred(tensors[decoder + "embed_tokens.weight"], 1)
        self.patch, self.patch_bias = _writer(tensors, "model.vision_embed_tokens")
        self.head, self.head_bias = _reader(tensors, "lm_head", decoder + "final_layernorm")
        self.phases = _phases(config)

    def lines(self) -> NumpyLines:
        """An empty memory for lines that are decoded together."""
        return NumpyLines(self)

    def embed(self, tokens: np.ndarray, patches: np.ndarray | None) -> np.ndarray:
        """The residual stream's beginning (rows, width); patches (N, 256) go where the tokens are <patch>."""
        x = self.embedding[tokens]
        if patches is not None:
            x[tokens == v.PATCH] = patches @ self.patch + self.patch_bias
        return x

    def forward(self, x: np.ndarray, positions: np.ndarray, attend: Attend) -> np.ndarray:
        """Run all layers over a ragged batch: any rows (rows, width) at any positions (rows,); `attend` knows who sees whom."""
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

    def logits(self, x: np.ndarray) -> np.ndarray:
        """The next token's logits (rows, vocabulary) of what left the last layer."""
        return _product(_normal(x, self.config.eps), self.head) + self.head_bias

    def _heads(self, layer: Layer, x: np.ndarray, phases: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Queries, keys (normalised and turned) and values, each (rows, heads, head)."""
        mixed = _product(_normal(x, self.config.eps), layer.mix)
        mixed += layer.mix_bias
        mixed = mixed.reshape(len(x), 3, self.config.heads, self.config.head)
        pair = _normal(mixed[:, :2], self.config.eps)
        pair *= layer.gain
        pair += layer.offset
        turned = pair.reshape(len(x), -1).view(np.complex64)
        turned *= phases
        return pair[:, 0], pair[:, 1], mixed[:, 2]


class NumpyLines:
    """Lines of tokens in one cache; see `lines.Lines`."""

    def __init__(self, network: NumpyNetwork) -> None:
        self.network = network
        self.cache = Cache(network.config)

    def open(self) -> Line:
        """A new line without any token."""
        return Line()

    def fork(self, line: Line) -> Line:
        """A new line that begins with all of this one's tokens; they are stored once."""
        return self.cache.fork(line)

    def close(self, line: Line) -> None:
        """Forget a line; what others share with it stays."""
        self.cache.close(line)

    def step(self, feeds: Sequence[Feed]) -> np.ndarray:
        """Feed every line its tokens, all in one batch. Logits (lines, vocabulary) after the last token of each."""
        order = self.cache.seat([feed.line for feed in feeds], [len(feed.tokens) for feed in feeds])
        seated = [feeds[index] for index in order]
        step = Step(self.cache, [feed.line for feed in seated], [len(feed.tokens) for feed in seated])
        images = [feed.patches for feed in seated if feed.patches is not None]
        tokens = np.array([token for feed in seated for token in feed.tokens])
        x = self.network.embed(tokens, np.concatenate(images) if images else None)
        x = self.network.forward(x, step.positions, step.attend)
        for feed in seated:
            feed.line.tail += len(feed.tokens)
        logits = np.empty((len(feeds), self.network.config.vocabulary), np.float32)
        logits[order] = self.network.logits(x[step.last])
        return logits


def _product(x: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """x @ matrix. With two or three rows, BLAS takes longer to rearrange the matrix than to multiply it row by row."""
    return (x[:, None] @ matrix)[:, 0] if 1 < len(x) < 4 else x @ matrix


def _normal(x: np.ndarray, eps: float) -> np.ndarray:
    """Divide by the root mean square over the last axis."""
    squares = np.vecdot(x, x)
    squares *= 1 / x.shape[-1]
    squares += eps
    np.sqrt(squares, out=squares)
    return x / squares[..., None]


def _layer(config: NanoConfig, tensors: Mapping[str, np.ndarray], name: str) -> Layer:
    mix, mix_bias, gain, offset = _mix(config, tensors, name)
    dense, dense_bias = _writer(tensors, name + "self_attn.dense")
    up, up_bias = _reader(tensors, name + "mlp.dense_h_to_4h", name + "post_attention_layernorm")
    down, down_bias = _writer(tensors, name + "mlp.dense_4h_to_h")
    return Layer(mix, mix_bias, gain, offset, dense, dense_bias, up, up_bias, down, down_bias)


def _mix(config: NanoConfig, tensors: Mapping[str, np.ndarray], name: str) -> tuple[np.ndarray, ...]:
    """The matrix (inputs, outputs) to queries, keys and values, its bias, and the heads' gains and offsets."""
    heads, head, order = config.heads, config.head, _interleaved(config)
    matrix, bias = _reader(tensors, name + "self_attn.query_key_value", name + "input_layernorm")
    parts = np.concatenate([matrix, bias[None]]).reshape(-1, heads, 3, head).swapaxes(1, 2).copy()
    parts[:, :2] = _centred(parts[:, :2], 3)[..., order]
    parts = parts.reshape(-1, 3 * config.width)
    norms = [[tensors[f"{name}self_attn.{part}_layernorm.{kind}"][order] for part in "qk"] for kind in ("weight", "bias")]
    gain_offset = np.repeat(np.array(norms)[:, :, None], heads, 2)
    gain_offset[:, 0] *= head**-0.5
    return parts[:-1], parts[-1], gain_offset[0], gain_offset[1]


def _reader(tensors: Mapping[str, np.ndarray], name: str, norm: str) -> tuple[np.ndarray, np.ndarray]:
    """A matrix (inputs, outputs) that reads the residual stream, and its bias, with the norm before it taken in."""
    weight, gain, offset = tensors[name + ".weight"], tensors[norm + ".weight"], tensors[norm + ".bias"]
    return np.multiply(weight.T, gain[:, None], order="C"), weight @ offset + tensors.get(name + ".bias", 0)


def _writer(tensors: Mapping[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """A matrix (inputs, outputs) that writes to the residual stream, and its bias, centred."""
    weight, bias = tensors[name + ".weight"], tensors[name + ".bias"]
    return np.subtract(weight.T, weight.mean(0)[:, None], order="C"), _centred(bias, 0)


def _centred(x: np.ndarray, axis: int) -> np.ndarray:
    return x - x.mean(axis, keepdims=True)


def _interleaved(config: NanoConfig) -> np.ndarray:
    """The order of a head's columns in which those that are turned together stand side by side."""
    turned = int(config.head * config.rotary)
    pairs = np.arange(turned).reshape(2, -1).T.reshape(-1)
    return np.concatenate([pairs, np.arange(turned, config.head)])


def _phases(config: NanoConfig) -> np.ndarray:
    """(context, 2 * heads * head / 2) complex64: what queries and keys are multiplied by at each position.

    Rotary positions (Su et al., RoFormer, 2021), in float32 like the reference; columns that are not turned get 1.
    """
    turned = int(config.head * config.rotary)
    speeds = np.float32(config.theta) ** -(np.arange(0, turned, 2, dtype=np.float32) / np.float32(turned))
    speeds = np.concatenate([speeds, np.zeros(config.head // 2 - len(speeds), np.float32)])
    angles = np.arange(config.context, dtype=np.float32)[:, None] * speeds
    return np.tile((np.cos(angles) + 1j * np.sin(angles)).astype(np.complex64), 2 * config.heads)
