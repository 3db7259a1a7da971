"""Prompts: text and speech joined into one sequence of embeddings.

There is no placeholder token: speech embeddings stand between the user's text and `<|im_end|>`
(BLSP-Emo, section 3). Called for every generation and every training step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True, eq=False)
class Segment:
    """A stretch of the sequence, the same kind in every row."""

    embeds: torch.Tensor  # (B, L, H)
    real: torch.Tensor  # (B, L) bool, False on padding
    is_speech: bool = False


@dataclass(frozen=True, eq=False)
class Prompt:
    """A batch of sequences, ready for the language model."""

    embeds: torch.Tensor  # (B, L, H)
    real: torch.Tensor  # (B, L) bool, False on padding
    is_speech: torch.Tensor  # (B, L) bool, also True on the padding of speech
    positions: torch.Tensor  # (B, L), where each token stands for rotary and log-n
    order: torch.Tensor | None = None  # (B, L), which joined slot each slot came from, where it moved

    def follow(self, slots: torch.Tensor) -> torch.Tensor:
        """Values of the joined slots (B, L), for example labels, in this prompt's order."""
        return slots if self.order is None else slots.gather(1, self.order)


def join(segments: Sequence[Segment], *, published: bool = False) -> Prompt:
    """Segments one after the other.

    Padding inside the sequence (a shorter speech, a shorter instruction) is moved to the front
    of its row, so that a row reads the same alone and in a batch. `published` leaves it where it
    is and counts it as positions, which shifts what follows it.
    """
    embeds = torch.cat([segment.embeds for segment in segments], dim=1)
    real = torch.cat([segment.real for segment in segments], dim=1)
    is_speech = torch.cat([torch.full_like(s.real, s.is_speech) for s in segments], dim=1)
    if published:
        return Prompt(
            embeds, real, is_speech, torch.arange(real.shape[1], device=real.device).expand_as(real)
        )
    order = real.int().argsort(dim=1, stable=True)  # padding first, the rest as it was
    real = real.gather(1, order)
    return Prompt(
        embeds.gather(1, order[..., None].expand_as(embeds)),
        real,
        is_speech.gather(1, order),
        (real.cumsum(1) - 1).clamp(min=0),
        order,
    )


def stack(prompts: Sequence[Prompt]) -> Prompt:
    """Prompts of different conversations as the rows of one, padded at the front."""
    longest = max(prompt.real.shape[1] for prompt in prompts)
    padded = [_padded(prompt, longest - prompt.real.shape[1]) for prompt in prompts]
    return Prompt(*(torch.cat(values) for values in zip(*padded, strict=True)))


def _padded(prompt: Prompt, front: int) -> tuple[torch.Tensor, ...]:
    slots = (front, 0)  # `F.pad` counts from the last dimension
    return (
        F.pad(prompt.embeds, (0, 0, *slots)),
        *(F.pad(values, slots) for values in (prompt.real, prompt.is_speech, prompt.positions)),
    )
