"""Adapters: Whisper's 50 states a second become a few embeddings the language model can read.

`Subsampler` (the published model's) shortens eightfold by convolutions; `CFormer` makes about one
embedding per text token by integrate-and-fire. Called once per utterance.

`published` repeats the published treatment of batches, where the padding behind a shorter
utterance leaks into it; without it, a batch gives what each utterance gives alone.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import nn

from engine.blsp_emo.cif import fire_weights
from engine.blsp_emo.config import BlspEmoConfig
from engine.ears.network import EncoderLayer

_HEADS = 8
"""Of every transformer layer inside an adapter, whatever its width."""
_MASKED = -1000.0
"""What the published CFormer adds to the scores of padding, not minus infinity."""


@dataclass(frozen=True, eq=False)
class AdapterOutput:
    """Speech as the language model reads it."""

    embeds: torch.Tensor  # (B, N, H)
    mask: torch.Tensor  # (B, N) bool, True where an embedding is real
    # Of the CFormer:
    alphas: torch.Tensor | None = None  # (B, T), scaled so that a row sums to its token count
    alphas_sum: torch.Tensor | None = None  # (B,), before scaling
    tokens: torch.Tensor | None = None  # (B, N, d), what its own vocabulary head reads
    # Of the anchored adapter:
    voice: torch.Tensor | None = None  # (B, H), the embedding that is not a word's


class Adapter(Protocol):
    def __call__(
        self, states: torch.Tensor, mask: torch.Tensor, counts: torch.Tensor | None, *, published: bool
    ) -> AdapterOutput:
        """states (B, T, d), mask (B, T) bool, counts (B,): tokens to make in training, if known."""
        ...


def build_adapter(config: BlspEmoConfig) -> "Subsampler | CFormer":
    return Subsampler(config) if config.adapter_type == "subsampler" else CFormer(config)


class Subsampler(nn.Module):
    """Gated convolutions of stride 2, a bottleneck, a norm."""

    def __init__(self, config: BlspEmoConfig) -> None:
        super().__init__()
        width, inner = config.decoder.width, config.adapter_width
        self.subsampler = ConvolutionSubsampler(config.encoder_width, width, config.conv_kernel_sizes)
        self.fc1 = nn.Linear(width, inner, bias=False)
        self.fc2 = nn.Linear(inner, width, bias=False)
        self.speech_ln = nn.LayerNorm(width)
        self.hidden_layers = _layers(config, inner, config.adapter_hidden_layers)

    def forward(
        self,
        states: torch.Tensor,
        mask: torch.Tensor,
        counts: torch.Tensor | None = None,
        *,
        published: bool = False,
    ) -> AdapterOutput:
        x, mask = self.subsampler(states, mask, published=published)
        inner = self.fc1(x)
        for layer in self.hidden_layers:
            inner = layer(inner, None if published else _keys(mask))
        if not self.hidden_layers:
            inner = F.gelu(inner)
        return AdapterOutput(self.speech_ln(x + self.fc2(inner)), mask)


class ConvolutionSubsampler(nn.Module):
    """Convolutions of stride 2, each halved again by a gated linear unit (Dauphin et al. 2017)."""

    def __init__(self, width_in: int, width_out: int, kernel_sizes: tuple[int, ...]) -> None:
        super().__init__()
        widths = [width_in] * len(kernel_sizes) + [width_out]
        self.conv_layers = nn.ModuleList(
            nn.Conv1d(before, 2 * after, size, stride=2, padding=size // 2)
            for before, after, size in zip(widths, widths[1:], kernel_sizes, strict=False)
        )

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor, *, published: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """x (B, T, d), mask (B, T) → (B, N, H), (B, N)."""
        x = x.transpose(1, 2)  # (B, d, T)
        for conv in self.conv_layers:
            x = F.glu(conv(x if published else x * mask[:, None]), dim=1)
            lengths = (mask.sum(1) + 2 * conv.padding[0] - conv.kernel_size[0]) // 2 + 1
            mask = torch.arange(x.shape[2], device=x.device) < lengths[:, None]
        return x.transpose(1, 2), mask


class CFormer(nn.Module):
    """Transformer layers, integrate-and-fire, transformer layers."""

    def __init__(self, config: BlspEmoConfig) -> None:
        super().__init__()
        width = config.encoder_width
        if config.pre_cif_layers:
            self.pre_cif_layers = _layers(config, width, config.pre_cif_layers)
        else:
            self.pre_cif_layer = nn.Linear(width, width)
        self.cif_proj = nn.Linear(width - 1, width)
        self.post_cif_layers = _layers(config, width, config.post_cif_layers)
        self.token_embed_proj = nn.Linear(width, config.decoder.width)
        # In every published checkpoint, and used by no loss and no answer.
        self.lm_head = nn.Linear(width, config.decoder.vocabulary, bias=False)

    def forward(
        self,
        states: torch.Tensor,
        mask: torch.Tensor,
        counts: torch.Tensor | None = None,
        *,
        published: bool = False,
    ) -> AdapterOutput:
        x = self._before(states, None if published else _keys(mask))
        alphas = x[..., -1].float().sigmoid() * mask  # (B, T); bfloat16 cannot count beyond 256
        alphas_sum = alphas.sum(1)
        if counts is None or not self.training:
            counts = alphas_sum.round().long().clamp(min=1)
        alphas = alphas * (counts / alphas_sum)[:, None]
        shares = fire_weights(alphas, counts, published=published)  # (B, N, T)
        tokens = shares.to(x.dtype) @ x[..., :-1]  # (B, N, d - 1)
        mask = torch.arange(tokens.shape[1], device=x.device) < counts[:, None]
        x = self._after(self.cif_proj(tokens), mask)
        return AdapterOutput(self.token_embed_proj(x), mask, alphas, alphas_sum, x)

    def _before(self, x: torch.Tensor, keys: torch.Tensor | None) -> torch.Tensor:
        if hasattr(self, "pre_cif_layer"):
            return self.pre_cif_layer(x)
        for layer in self.pre_cif_layers:
            x = layer(x, keys)
        return x

    def _after(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        both = mask[:, None, :, None] & mask[:, None, None, :]  # (B, 1, N, N)
        scores = torch.where(both, 0.0, _MASKED).to(x.dtype)
        for layer in self.post_cif_layers:
            x = layer(x, scores)
        return x


def _layers(config: BlspEmoConfig, width: int, number: int) -> nn.ModuleList:
    return nn.ModuleList(EncoderLayer(width, _HEADS, config.adapter_feedforward) for _ in range(number))


def _keys(mask: torch.Tensor) -> torch.Tensor:
    """(B, T) bool → (B, 1, 1, T): which keys attention may see."""
    return mask[:, None, None, :]
