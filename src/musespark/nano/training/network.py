"""The network in torch, for training: the architecture of transformers' `FuyuForCausalLM`, under the same parameter names.

Fuyu (Adept, 2023) is a Persimmon decoder that takes patches of an image through one linear layer: LayerNorm before each
block, LayerNorm on queries and keys, rotary positions on half of each head, squared-ReLU feed-forward. `nano/network.py`
is the same mathematics in NumPy; `tests/nano/test_equal.py` compares both with transformers.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musespark.nano.weights import NanoConfig


class Attention(nn.Module):
    """Self-attention of one layer; queries, keys and values come from one matrix, head by head."""

    def __init__(self, shape: NanoConfig) -> None:
        super().__init__()
        self.heads = shape.heads
        self.query_key_value = nn.Linear(shape.width, 3 * shape.width)
        self.dense = nn.Linear(shape.width, shape.width)
        self.q_layernorm = nn.LayerNorm(shape.width // shape.heads, eps=shape.eps)
        self.k_layernorm = nn.LayerNorm(shape.width // shape.heads, eps=shape.eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        """x (B, T, width); cos, sin (B, 1, T, rotary); mask (B, 1, T, T), 0 for visible keys and -1e9 elsewhere."""
        batch, length, width = x.shape
        q, k, value = (
            self.query_key_value(x).view(batch, length, self.heads, 3, -1).permute(3, 0, 2, 1, 4)
        )
        q, k = self.q_layernorm(q).to(value.dtype), self.k_layernorm(k).to(value.dtype)
        cos, sin = cos.to(value.dtype), sin.to(value.dtype)
        mixed = attend(rotate(q, cos, sin), rotate(k, cos, sin), value, mask)
        projected: Tensor = self.dense(mixed.transpose(1, 2).reshape(batch, length, width))
        return projected


class FeedForward(nn.Module):
    """Two matrices with a squared ReLU between them (So et al., Primer, 2021)."""

    def __init__(self, shape: NanoConfig) -> None:
        super().__init__()
        self.dense_h_to_4h = nn.Linear(shape.width, shape.hidden)
        self.dense_4h_to_h = nn.Linear(shape.hidden, shape.width)

    def forward(self, x: Tensor) -> Tensor:
        rectified = F.relu(self.dense_h_to_4h(x))
        down: Tensor = self.dense_4h_to_h(
            rectified * rectified
        )  # a product stays in bfloat16 under autocast, a power does not
        return down


class DecoderLayer(nn.Module):
    """One block: attention, then feed-forward, each on a normalised copy of the residual stream."""

    def __init__(self, shape: NanoConfig) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = FeedForward(shape)
        self.input_layernorm = nn.LayerNorm(shape.width, eps=shape.eps)
        self.post_attention_layernorm = nn.LayerNorm(shape.width, eps=shape.eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        inner: Tensor = self.mlp(self.post_attention_layernorm(x))
        return x + inner


class Decoder(nn.Module):
    """Embedding, layers, final norm."""

    def __init__(self, shape: NanoConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.layers))
        self.final_layernorm = nn.LayerNorm(shape.width, eps=shape.eps)

    def blocks(self) -> Iterator[DecoderLayer]:
        """The layers with their own type, which a ModuleList does not keep."""
        for layer in self.layers:
            assert isinstance(layer, DecoderLayer)
            yield layer


class Body(nn.Module):
    """The decoder and the patch embedding, named as transformers names them."""

    def __init__(self, shape: NanoConfig) -> None:
        super().__init__()
        self.language_model = Decoder(shape)
        self.vision_embed_tokens = nn.Linear(shape.patch, shape.width)


class TorchNano(nn.Module):
    """The whole network: `hidden()` computes all positions, `lm_head` the logits of those in the loss."""

    def __init__(self, shape: NanoConfig) -> None:
        super().__init__()
        self.shape = shape
        self.model = Body(shape)
        self.lm_head = nn.Linear(shape.width, shape.vocabulary, bias=False)
        self.initialise()

    @torch.no_grad()
    def initialise(self) -> None:
        """Initialise matrices at orthogonal scale, residual outputs and the head at zero: the network starts as the identity."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.model.language_model.embed_tokens.weight, std=0.5)
        for layer in self.model.language_model.blocks():
            nn.init.zeros_(layer.self_attn.dense.weight)
            nn.init.zeros_(layer.mlp.dense_4h_to_h.weight)
        nn.init.zeros_(self.lm_head.weight)

    def hidden(
        self, tokens: Tensor, positions: Tensor, mask: Tensor, patches: Tensor, where: Tensor
    ) -> Tensor:
        """Compute the final hidden states (B, T, width).

        tokens, positions (B, T) int64; mask (B, T, T) bool; patches (N, 256) float; where (N,) int64: the flat index
        (row * T + column) of the <patch> token of each patch.
        """
        decoder = self.model.language_model
        x = decoder.embed_tokens(tokens)
        if len(where):
            seen = self.model.vision_embed_tokens(patches).to(x.dtype)
            x = x.flatten(0, 1).index_copy(0, where, seen).view(x.shape)
        cos, sin = rotary(positions, self.shape)
        half = torch.is_autocast_enabled(x.device.type)
        bias = torch.zeros_like(mask, dtype=torch.bfloat16 if half else x.dtype).masked_fill_(
            ~mask, -1e9
        )[:, None]
        for layer in decoder.layers:
            x = layer(x, cos, sin, bias)
        final: Tensor = decoder.final_layernorm(x)
        return final

    def forward(
        self, tokens: Tensor, positions: Tensor, mask: Tensor, patches: Tensor, where: Tensor
    ) -> Tensor:
        """Compute the logits (B, T, vocabulary); arguments as for `hidden`."""
        logits: Tensor = self.lm_head(self.hidden(tokens, positions, mask, patches, where))
        return logits


def attend(q: Tensor, k: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Attention under an additive mask (B, 1, T, T). For short rows on a CPU, plain products are twice as fast as SDPA."""
    if q.device.type == "cpu" and q.shape[-2] <= 512:
        scale: float = q.shape[-1] ** -0.5
        return ((q * scale) @ k.mT + mask).softmax(-1) @ value
    return F.scaled_dot_product_attention(q, k, value, attn_mask=mask)


def rotary(positions: Tensor, shape: NanoConfig) -> tuple[Tensor, Tensor]:
    """Cosines and sines (B, 1, T, rotary width) of rotary positions (Su et al., RoFormer, 2021)."""
    width = int(shape.width // shape.heads * shape.rotary)
    powers = torch.arange(0, width, 2, dtype=torch.float32, device=positions.device) / width
    angles = positions[:, None, :, None].float() * shape.theta**-powers
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the first part of each head by its position; the rest is unchanged."""
    width = cos.shape[-1]
    turned, passed = x[..., :width], x[..., width:]
    first, second = turned.chunk(2, -1)
    return torch.cat([turned * cos + torch.cat([-second, first], -1) * sin, passed], -1)
