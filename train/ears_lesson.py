"""The lesson in feeling: a head over all states that only training has, so that the encoder keeps feeling.

Whoever fine-tunes the encoder for feeling too (`train/recipes/ears.yaml`) has `train.ears` teach these ears.
The head is thrown away with the lesson: what listens in the end is fitted later (`python -m train feeling`).
"""

from dataclasses import dataclass

import torch
from torch import nn

from engine.ears.feeling import HEAD_EMOTIONS
from engine.ears.network import EarsConfig, EarsNetwork
from engine.ears.pooling import AttentivePooling

POOL_WIDTH = 256


@dataclass(frozen=True, eq=False)
class LessonOutput:
    log_probs: torch.Tensor  # (B, T, classes), natural log
    emotion_logits: torch.Tensor  # (B, 8)


class TaughtEars(EarsNetwork):
    """Ears with the head of the lesson."""

    def __init__(self, config: EarsConfig, dropout: float) -> None:
        super().__init__(config)
        self.emotion = LessonHead(config, dropout)

    @classmethod
    def of(cls, ears: EarsNetwork, dropout: float) -> "TaughtEars":
        """`ears` with a fresh head."""
        taught = cls(ears.config, dropout)
        taught.load_state_dict(ears.state_dict(), strict=False)
        return taught

    def forward(self, mel: torch.Tensor, valid: torch.Tensor | None = None) -> LessonOutput:
        output = super().forward(mel, valid)
        return LessonOutput(output.log_probs, self.emotion(output.states, valid))

    def ears(self) -> EarsNetwork:
        """What is kept."""
        ears = EarsNetwork(self.config)
        ears.load_state_dict({key: self.state_dict()[key] for key in ears.state_dict()})
        return ears.eval()


class LessonHead(AttentivePooling):
    """The pooled recording → logits."""

    def __init__(self, config: EarsConfig, dropout: float) -> None:
        super().__init__(config.width, config.layers, pool_width=POOL_WIDTH, dropout=dropout)
        self.classify = nn.Linear(2 * POOL_WIDTH, len(HEAD_EMOTIONS))

    def forward(self, states: list[torch.Tensor], valid: torch.Tensor | None = None) -> torch.Tensor:
        """states: layers + 1 × (B, T, width) → (B, 8) logits."""
        return self.classify(self.dropout(self.pool(states, valid)))
