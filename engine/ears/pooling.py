"""A recording as one vector: a learned mix of the encoder's layers, pooled under learned attention.

Attentive statistics pooling (Okabe et al. 2018). Used by BLSP-Emo's anchored adapter and by the lesson in
feeling of `train.ears`; what the ears themselves hear feeling in is simpler (`engine.ears.voice`).
"""

import torch
import torch.nn.functional as F
from torch import nn


class AttentivePooling(nn.Module):
    """Mean and deviation of the mixed states, per attention head."""

    def __init__(
        self, width: int, layers: int, *, heads: int = 4, pool_width: int = 256, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.heads = heads
        self.mix = nn.Parameter(torch.zeros(layers + 1))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.project = nn.Linear(width, pool_width)
        self.attend = nn.Linear(pool_width, heads)
        self.dropout = nn.Dropout(dropout)

    def pool(self, states: list[torch.Tensor], valid: torch.Tensor | None = None) -> torch.Tensor:
        """states: layers + 1 × (B, T, width), valid (B, T) bool or None → (B, 2 * pool_width)."""
        weights = self.mix.softmax(0)
        mixed = sum(w * self.norm(s) for w, s in zip(weights, states, strict=True))
        x = self.dropout(F.gelu(self.project(mixed)))  # (B, T, pool_width)
        scores = self.attend(x)  # (B, T, heads)
        if valid is not None:
            scores = scores.masked_fill(~valid[..., None], float("-inf"))
        attention = scores.softmax(1).unsqueeze(-1)  # (B, T, heads, 1)
        x = x.unflatten(-1, (self.heads, -1))  # (B, T, heads, d)
        mean = (attention * x).sum(1)
        variance = (attention * (x - mean[:, None]) ** 2).sum(1)
        return torch.cat([mean.flatten(1), (variance + 1e-5).sqrt().flatten(1)], dim=-1)
