"""What a person's corrections teach about how their feelings are heard, within one conversation.

Kept by whoever owns the conversation, and passed to `Engine.hear` and `Engine.read`, whose fusion
(`engine.ser`) applies it. `python -m train finetune` is the lasting way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.emotion import EMOTIONS
from engine.errors import BadInput

STEP = 1.0
"""On validation speakers, forty turns each, where every second wrong label is corrected: 54 % right without,
60 % at 0.25, 64 % at 0.5, 65 % at 1 and at 1.5 (2026-11-25)."""

LARGEST = 3.0
"""However often somebody says so: what is heard must still count."""

BROKEN = "What your corrections taught is not as Attune exported it."


@dataclass(frozen=True)
class Calibration:
    """What is added to the log-probability of each label.

    Every correction is one step of stochastic gradient descent on the log-loss with respect to the bias of
    a softmax: the label that was meant rises by what it lacked, the others sink by what they had too much.
    """

    bias: Mapping[str, float] = field(default_factory=dict)

    def after(self, heard: Mapping[str, float], meant: str) -> "Calibration":
        """What it is when `meant` was felt where the probabilities `heard` were."""
        gradient = {label: (label == meant) - heard[label] for label in EMOTIONS}
        moved = {label: self.bias.get(label, 0.0) + STEP * gradient[label] for label in EMOTIONS}
        return Calibration({label: min(max(value, -LARGEST), LARGEST) for label, value in moved.items()})

    def of(self, label: str) -> float:
        return self.bias.get(label, 0.0)

    def to_dict(self) -> dict[str, float]:
        return {label: round(value, 4) for label, value in self.bias.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Calibration":
        """Raises `BadInput` for anything that `to_dict` did not write."""
        try:
            bias = {label: float(values[label]) for label in EMOTIONS} if values else {}
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BadInput(BROKEN) from error
        if not all(abs(value) <= LARGEST for value in bias.values()):
            raise BadInput(BROKEN)
        return cls(bias)
