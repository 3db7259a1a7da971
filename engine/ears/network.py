"""The ears' network: Whisper's encoder with a CTC head for words.

Radford et al. 2022 (encoder), Graves et al. 2006 (CTC). The same pass gives the states that feeling is heard
from (`engine.ears.voice`). The encoder is written out here, in sixty lines, because transformers' own insists
on inputs padded to 30 s and ignores the padding mask; parameter names are
Whisper's, so published encoders load by name.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from engine.ears.alphabet import NUM_CLASSES
from engine.ears.mel import FRAMES_PER_STATE, MEL_BINS


@dataclass(frozen=True)
class EarsConfig:
    """Shapes; the defaults are Whisper-base."""

    width: int = 512
    layers: int = 6
    attention_heads: int = 8
    feedforward: int = 2048
    max_states: int = 1500


class EncoderLayer(nn.Module):
    """Pre-norm transformer layer, as in Whisper (the key projection has no bias)."""

    def __init__(self, width: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.self_attn = SelfAttention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, feedforward)
        self.fc2 = nn.Linear(feedforward, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x), mask)
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


class SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        q, k, v = (p(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in self._projections())
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (B, heads, T, d)
        return self.out_proj(attended.transpose(1, 2).flatten(2))

    def _projections(self) -> tuple[nn.Linear, nn.Linear, nn.Linear]:
        return self.q_proj, self.k_proj, self.v_proj


class Encoder(nn.Module):
    """Log-mel → the states before and after every layer."""

    def __init__(self, config: EarsConfig) -> None:
        super().__init__()
        width = config.width
        self.conv1 = nn.Conv1d(MEL_BINS, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=FRAMES_PER_STATE, padding=1)
        self.embed_positions = nn.Embedding(config.max_states, width)
        self.layers = nn.ModuleList(
            EncoderLayer(width, config.attention_heads, config.feedforward) for _ in range(config.layers)
        )
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, mel: torch.Tensor, valid: torch.Tensor | None = None) -> list[torch.Tensor]:
        """mel (B, 80, F), valid (B, T) bool or None → layers + 1 tensors (B, T, width), T = F / 2.

        The last one is after the final norm. Padding changes nothing that is valid.
        """
        states = self.lower_states(mel, len(self.layers), valid)
        return [*states[:-1], self.layer_norm(states[-1])]

    def lower_states(
        self, mel: torch.Tensor, layers: int, valid: torch.Tensor | None = None
    ) -> list[torch.Tensor]:
        """The states before and after each of the first `layers` layers alone."""
        x = F.gelu(self.conv1(mel))
        if valid is not None:
            x = x * valid.repeat_interleave(FRAMES_PER_STATE, dim=1)[:, None]
        x = F.gelu(self.conv2(x)).transpose(1, 2)  # (B, T, width)
        x = x + self.embed_positions.weight[: x.shape[1]]
        mask = None if valid is None else valid[:, None, None, :]
        states = [x]
        for layer in self.layers[:layers]:
            x = layer(x, mask)
            states.append(x)
        return states


@dataclass(frozen=True, eq=False)
class EarsOutput:
    """What one pass gives."""

    log_probs: torch.Tensor  # (B, T, classes), natural log
    states: list[torch.Tensor]  # layers + 1 × (B, T, width)


class EarsNetwork(nn.Module):
    """Encoder and words head."""

    def __init__(self, config: EarsConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.words = nn.Linear(config.width, NUM_CLASSES)

    def forward(self, mel: torch.Tensor, valid: torch.Tensor | None = None) -> EarsOutput:
        states = self.encoder(mel, valid)
        log_probs = self.words(states[-1]).float().log_softmax(-1)
        return EarsOutput(log_probs, states)


def pad_batch(
    mels: list[torch.Tensor], multiple: int = FRAMES_PER_STATE
) -> tuple[torch.Tensor, torch.Tensor]:
    """(80, F_i) features → ((B, 80, F) zero-padded, (B, F / 2) bool, True where valid).

    F is a multiple of `multiple`.
    """
    frames = -(-max(mel.shape[1] for mel in mels) // multiple) * multiple
    batch = torch.stack([F.pad(mel, (0, frames - mel.shape[1])) for mel in mels])
    lengths = torch.tensor([mel.shape[1] // FRAMES_PER_STATE for mel in mels])
    return batch, torch.arange(frames // FRAMES_PER_STATE)[None] < lengths[:, None]
