"""Where a token stands: rotary embeddings, stretched for long prompts, and log-n attention.

Su et al. 2021 (RoPE, half rotation). Qwen-7B stretches the base for prompts longer than its
training ("dynamic NTK") and sharpens attention beyond that length ("log-n", Su 2021, Chiang and
Cholak 2022). All angles are computed in float32: at positions in the thousands another precision
moves logits by 1e-4.
"""

import math

import torch

from engine.blsp_emo.config import DecoderConfig


def inverse_frequencies(config: DecoderConfig, lengths: torch.Tensor, *, stretched: bool) -> torch.Tensor:
    """Row lengths (B,) → (B, d / 2). The stretch is fixed by what is read first and kept while writing."""
    width = config.head_width
    rows = []
    for length in lengths.tolist():
        alpha = _ntk_alpha(length, config.trained_length) if stretched and config.dynamic_ntk else 1.0
        base = config.rotary_base * alpha ** (width / (width - 2))
        exponents = torch.arange(0, width, 2, dtype=torch.float32, device=lengths.device) / width
        rows.append(1.0 / (base**exponents))
    return torch.stack(rows)


def _ntk_alpha(length: int, trained_length: int) -> float:
    return max(2.0 ** math.ceil(math.log(length / trained_length, 2) + 1) - 1, 1.0)


def cos_sin(positions: torch.Tensor, inverse: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions (B, L), inverse frequencies (B, d / 2) → two float32 tensors (B, 1, L, d) for `rotate`.

    The first half of the sines is negative, as `rotate` needs it.
    """
    angles = positions[:, None, :, None].float() * inverse[:, None, None, :]
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([cos, cos], dim=-1), torch.cat([-sin, sin], dim=-1)


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """x (B, heads, L, d), in float32 whatever its type."""
    halves_swapped = x.roll(x.shape[-1] // 2, dims=-1)
    return torch.addcmul(x * cos, halves_swapped, sin).to(x.dtype)


def log_n_scale(positions: torch.Tensor, config: DecoderConfig) -> torch.Tensor | None:
    """Factor of the query at each position (B, L) → (B, 1, L, 1); None where the model has none."""
    if not config.log_n_attention:
        return None
    scale = (positions + 1).float().log() / math.log(config.trained_length)
    return scale.clamp(min=1.0)[:, None, :, None]
