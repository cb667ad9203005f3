"""Networks for tests: small random weights, the same mathematics in plain form, and a scripted one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from musespark.nano import vocabulary as v
from musespark.nano.blas_threads import single_blas_thread
from musespark.nano.decode_session import StepInput
from musespark.nano.weights import NanoConfig

SMALL = NanoConfig(width=64, layers=3, heads=4, hidden=128, context=512)


def random_weights(config: NanoConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of a network whose every part matters: gains and offsets are not 1 and 0."""
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in config.shapes().items():
        noise = rng.standard_normal(shape, dtype=np.float32)
        if name.endswith("norm.weight"):
            tensors[name] = 1 + 0.2 * noise
        elif name.endswith("bias"):
            tensors[name] = 0.2 * noise
        else:
            tensors[name] = noise * (
                1.0 if name.endswith("embed_tokens.weight") and len(shape) == 2 else 1.5
            )
            if "language_model.embed" not in name:
                tensors[name] *= shape[1] ** -0.5
    return tensors


def plain_logits(
    config: NanoConfig,
    tensors: Mapping[str, np.ndarray],
    tokens: Sequence[int],
    patches: np.ndarray | None = None,
) -> np.ndarray:
    """Compute the logits (tokens, vocabulary) of one path from its beginning, slow and obvious, in float64."""
    with single_blas_thread:
        return _plain_logits(config, tensors, tokens, patches)


def _plain_logits(
    config: NanoConfig,
    tensors: Mapping[str, np.ndarray],
    tokens: Sequence[int],
    patches: np.ndarray | None,
) -> np.ndarray:
    wide = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return x @ wide[name + ".weight"].T + wide.get(name + ".bias", 0)

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        return (
            centred
            / np.sqrt((centred**2).mean(-1, keepdims=True) + config.eps)
            * wide[name + ".weight"]
            + wide[name + ".bias"]
        )

    def turn(x: np.ndarray) -> np.ndarray:
        width = int(config.head * config.rotary)
        angles = np.arange(len(x))[:, None] * config.theta ** -(np.arange(0, width, 2) / width)
        cos, sin = np.tile(np.cos(angles), 2), np.tile(np.sin(angles), 2)
        first, second = x[:, : width // 2], x[:, width // 2 : width]
        return np.concatenate(
            [x[:, :width] * cos + np.concatenate([-second, first], 1) * sin, x[:, width:]], 1
        )

    x = wide["model.language_model.embed_tokens.weight"][list(tokens)]
    if patches is not None:
        x[np.array(tokens) == v.PATCH] = linear("model.vision_embed_tokens", patches)
    for layer in range(config.layers):
        block = f"model.language_model.layers.{layer}."
        mixed = linear(block + "self_attn.query_key_value", norm(block + "input_layernorm", x))
        heads = []
        for query, key, value in mixed.reshape(len(x), config.heads, 3, config.head).transpose(
            1, 2, 0, 3
        ):
            query = turn(norm(block + "self_attn.q_layernorm", query))
            key = turn(norm(block + "self_attn.k_layernorm", key))
            scores = np.where(
                np.tri(len(x), dtype=bool), query @ key.T * config.head**-0.5, -np.inf
            )
            weights = np.exp(scores - scores.max(1, keepdims=True))
            heads.append(weights / weights.sum(1, keepdims=True) @ value)
        x = x + linear(block + "self_attn.dense", np.concatenate(heads, 1))
        inner = (
            np.maximum(
                linear(block + "mlp.dense_h_to_4h", norm(block + "post_attention_layernorm", x)), 0
            )
            ** 2
        )
        x = x + linear(block + "mlp.dense_4h_to_h", inner)
    return linear("lm_head", norm("model.language_model.final_layernorm", x))


@dataclass(eq=False)
class Path:
    """A path of a scripted network."""

    tokens: list[int]
    name: str = ""
    """The branch it was fed when it began; empty for a question's first thread."""
    fed: list[int] = field(default_factory=list)
    """Tokens that it was fed last."""
    script: list[int] | None = None
    """Tokens left of its part of the script."""
    closed: bool = False


Script = Callable[[Path], "int | np.ndarray"]


class Scripted:
    """A network whose next token, or logits, a function of the path decides; it is its own memory and keeps an account."""

    def __init__(self, script: Script, context: int = 512) -> None:
        self.script, self.context = script, context
        self.steps: list[list[str]] = []
        """For every step, what each path was fed."""
        self.open_sequences = 0

    def new_session(self) -> Scripted:
        """It has one memory."""
        return self

    def open(self) -> Path:
        """An empty path."""
        self.open_sequences += 1
        return Path([])

    def fork(self, path: Path) -> Path:
        """A copy of a path."""
        self.open_sequences += 1
        return Path(path.tokens.copy())

    def close(self, path: Path) -> None:
        """The path may not be used from here on."""
        assert not path.closed
        path.closed = True
        self.open_sequences -= 1

    def step(self, inputs: Sequence[StepInput]) -> np.ndarray:
        """Logits by the script."""
        assert inputs, "a step without inputs"
        self.steps.append([v.decode(step_input.tokens) for step_input in inputs])
        logits = np.zeros((len(inputs), v.SIZE), np.float32)
        for step_input, row in zip(inputs, logits, strict=True):
            path = step_input.sequence
            assert step_input.tokens and not path.closed
            if step_input.tokens[0] == v.TH and len(step_input.tokens) > 1:
                path.name = v.decode(token for token in step_input.tokens if v.is_text(token))
            path.fed = list(step_input.tokens)
            path.tokens += path.fed
            assert len(path.tokens) <= self.context, "a path ran over"
            said = self.script(path)
            if isinstance(said, np.ndarray):
                row += said
            else:
                row[said] = 10
        return logits


def play(first: str, **branches: str) -> Script:
    """A script by threads: what the first one writes, and the child of each branch, one token a step.

    `|` stands where returns are fed: a thread that was fed <join> goes on behind its next `|`.
    """

    def script(path: Path) -> int:
        if path.script is None:
            path.script = tokens(branches[path.name] if path.name else first)
        if v.JOIN in path.fed:
            del path.script[: path.script.index(v.IDS["|"]) + 1]
        return path.script.pop(0)

    return script


def tokens(text: str) -> list[int]:
    """The tokens of a text with names of tokens in angle brackets."""
    return [v.IDS[name] for name in re.findall(r"<[^<> ]+>|[\s\S]", text)]
