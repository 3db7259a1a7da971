"""The third adapter: the recognised words, and beside them what words do not carry.

A small language model cannot learn to read speech vectors from a few hours of recordings; the
embeddings of its own words it can read from the start. So only the voice is adapted: one vector,
pooled from the ears' layers, stands in front of the words and is added to them as far as training
opens a gate. Called once per utterance, after the ears.
"""

import torch
from torch import nn

from engine.blsp_emo.adapters import AdapterOutput
from engine.blsp_emo.decoder import RMSNorm
from engine.blsp_emo.prompts import Segment
from engine.ears.network import EarsConfig
from engine.ears.pooling import AttentivePooling

POOL_HEADS, POOL_WIDTH = 4, 256
_NORM_EPS = 1e-6


class Anchored(nn.Module):
    """Untrained it leaves the words as they are; what stands in front is as long as a word's embedding."""

    def __init__(self, ears: EarsConfig, width: int, embedding_rms: float) -> None:
        """`width` and `embedding_rms` (root mean square) are those of the model's token embeddings."""
        super().__init__()
        self.pooling = AttentivePooling(ears.width, ears.layers, heads=POOL_HEADS, pool_width=POOL_WIDTH)
        self.project = nn.Linear(2 * POOL_WIDTH, width)
        self.norm = RMSNorm(width, _NORM_EPS)
        nn.init.constant_(self.norm.weight, embedding_rms)
        self.gate = nn.Parameter(torch.zeros(width))

    def forward(
        self, states: list[torch.Tensor], valid: torch.Tensor | None, words: Segment
    ) -> AdapterOutput:
        """states: layers + 1 × (B, T, ears' width), valid (B, T) bool, N words → (B, 1 + N, width).

        A row may have no words at all.
        """
        voice = self.norm(self.project(self.pooling.pool(states, valid)))[:, None]  # (B, 1, width)
        embeds = torch.cat([voice, words.embeds + self.gate * voice], dim=1)
        in_front = words.real.new_ones(len(words.real), 1)
        return AdapterOutput(embeds, torch.cat([in_front, words.real], dim=1), voice=voice[:, 0])
