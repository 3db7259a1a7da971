"""The language model: one compact pre-norm decoder that is fed embeddings, not ids.

Covers Qwen-7B, whose weights it takes by their published names, and the Llama family (RMSNorm,
Zhang and Sennrich 2019; rotary positions; SwiGLU, Shazeer 2020; grouped queries, Ainslie et al.
2023). Written out, because every linear layer takes a position mask for its LoRA, and because a
decoding step must run on buffers that never move to be captured as a graph.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn

from engine.blsp_emo.config import DecoderConfig
from engine.blsp_emo.lora import LoraMasks, PartialLoraLinear
from engine.blsp_emo.rotary import rotate


@dataclass(frozen=True, eq=False)
class Place:
    """What a stretch of L tokens needs to know besides its embeddings: where it is and what it sees."""

    cos: torch.Tensor  # (B, 1, L, d) float32
    sin: torch.Tensor  # (B, 1, L, d) float32
    query_scale: torch.Tensor | None  # (B, 1, L, 1), log-n
    visible: torch.Tensor  # (B, 1, L, S) which of S tokens each may attend to: bool, or 0 and -inf
    lora: LoraMasks = field(default_factory=dict)


class KVCache:
    """Keys and values of every layer, in buffers of fixed size: slot by slot, the same for all rows."""

    def __init__(
        self, config: DecoderConfig, batch: int, slots: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        shape = (config.layers, batch, config.kv_heads, slots, config.head_width)
        self.keys = torch.zeros(shape, dtype=dtype, device=device)
        self.values = torch.zeros(shape, dtype=dtype, device=device)

    def write(self, layer: int, slots: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> None:
        """k, v (B, kv heads, L, d) into `slots` (L,)."""
        self.keys[layer].index_copy_(2, slots, k)
        self.values[layer].index_copy_(2, slots, v)

    def read(self, layer: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The first `length` slots."""
        return self.keys[layer][:, :, :length], self.values[layer][:, :, :length]


@dataclass(frozen=True, eq=False)
class Slots:
    """The part of a cache that a forward writes to."""

    cache: KVCache
    indices: torch.Tensor  # (L,)


class RMSNorm(nn.Module):
    """Computed in float32, cast, then scaled: the order matters in half precision."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, x.shape[-1:], eps=self.eps) * self.weight


class Attention(nn.Module):
    """Causal self-attention; queries, keys and values come from one fused projection."""

    def __init__(self, config: DecoderConfig, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.heads = [config.heads, config.kv_heads, config.kv_heads]
        self.head_width = config.head_width
        self.is_grouped = config.kv_heads != config.heads
        self.c_attn = PartialLoraLinear(
            config.width, sum(self.heads) * config.head_width, bias=config.qkv_bias
        )
        self.c_proj = PartialLoraLinear(config.width, config.width, bias=config.bias)

    def forward(self, x: torch.Tensor, place: Place, slots: Slots | None) -> torch.Tensor:
        heads = self.c_attn(x, place.lora).unflatten(-1, (-1, self.head_width)).transpose(1, 2)
        queries, keys, values = self.heads
        qk, v = heads.split([queries + keys, values], dim=1)
        q, k = rotate(qk, place.cos, place.sin).split([queries, keys], dim=1)  # (B, heads, L, d)
        if place.query_scale is not None:
            q = q * place.query_scale.to(q.dtype)
        if slots is not None:
            slots.cache.write(self.layer, slots.indices, k, v)
            k, v = slots.cache.read(self.layer, place.visible.shape[-1])
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=place.visible, enable_gqa=self.is_grouped)
        return self.c_proj(y.transpose(1, 2).flatten(2), place.lora)


class MLP(nn.Module):
    """SwiGLU. In Qwen's naming w2 is the gate."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.w1 = PartialLoraLinear(config.width, config.feedforward, bias=config.bias)
        self.w2 = PartialLoraLinear(config.width, config.feedforward, bias=config.bias)
        self.c_proj = PartialLoraLinear(config.feedforward, config.width, bias=config.bias)

    def forward(self, x: torch.Tensor, lora: LoraMasks) -> torch.Tensor:
        return self.c_proj(self.w1(x, lora) * F.silu(self.w2(x, lora)), lora)


class Block(nn.Module):
    def __init__(self, config: DecoderConfig, layer: int) -> None:
        super().__init__()
        self.ln_1 = RMSNorm(config.width, config.norm_eps)
        self.attn = Attention(config, layer)
        self.ln_2 = RMSNorm(config.width, config.norm_eps)
        self.mlp = MLP(config)

    def forward(self, x: torch.Tensor, place: Place, slots: Slots | None) -> torch.Tensor:
        x = x + self.attn(self.ln_1(x), place, slots)
        return x + self.mlp(self.ln_2(x), place.lora)


class Transformer(nn.Module):
    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.wte = nn.Embedding(config.vocabulary, config.width)
        self.h = nn.ModuleList(Block(config, layer) for layer in range(config.layers))
        self.ln_f = RMSNorm(config.width, config.norm_eps)


class Decoder(nn.Module):
    """Embeddings in, hidden states out; `embed` and `lm_head` are the two ends in words."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = Transformer(config)
        self.lm_head = nn.Linear(config.width, config.vocabulary, bias=False)
        if config.tied_embeddings:
            self.lm_head.weight = self.transformer.wte.weight

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Token ids (…) → (…, width)."""
        return self.transformer.wte(ids)

    def forward(self, x: torch.Tensor, place: Place, slots: Slots | None = None) -> torch.Tensor:
        """x (B, L, width) → (B, L, width) after the last norm. With `slots`, keys and values are kept."""
        for block in self.transformer.h:
            x = block(x, place, slots)
        return self.transformer.ln_f(x)


def causal(real: torch.Tensor) -> torch.Tensor:
    """Real tokens (B, L) bool → which may see which (B, 1, L, L).

    Every token sees at least itself, so that padding attends to something and stays finite.
    """
    length = real.shape[1]
    earlier = torch.ones(length, length, dtype=torch.bool, device=real.device).tril()
    itself = torch.eye(length, dtype=torch.bool, device=real.device)
    return ((real[:, None, :] & earlier) | itself)[:, None]
