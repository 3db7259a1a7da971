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
"""Where every second wrong label of a talk is corrected, 65 % are right instead of 54 %; with half the step
64 %, and no more with larger ones (tests/bench/corrections.py, 2026-11-25)."""

CARRY = 2.0
"""Feelings last, so the turn after a corrected one most likely has the same: 69 % instead of 65 % where four
of five turns keep the feeling before, and 68 % where it changes at random (the same measurement)."""

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

    def carrying(self, label: str) -> "Calibration":
        """The same for the one turn that follows on a correction."""
        return Calibration({**self.bias, label: self.of(label) + CARRY})

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
