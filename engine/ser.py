"""The feeling of a turn from what voice and words say, with doubt.

Called once per turn, after the ears. `EmotionRecognizer` is the seam for those
who bring another recogniser; `Fusion` holds the measured weights
(`python -m train fusion`).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.audio import Audio
from engine.calibration import Calibration
from engine.emotion import EMOTIONS, NOTHING_HEARD, Emotion
from engine.errors import BadInput

Scores = Mapping[str, float]
MIN_SPEECH_S = 0.4
FLOOR = 1e-4


class EmotionRecognizer(Protocol):
    """Audio, and the words if they are known → `Emotion`."""

    def recognize(self, audio: Audio, text: str | None = None) -> Emotion: ...


@dataclass(frozen=True)
class Fusion:
    """Log-linear pooling: score ∝ voice^voice_weight · words^words_weight, neutral less by e^neutral_doubt.

    Bad news can be told in a flat voice and plain words in a shaking one, so where there are
    two parts, one of them being neutral proves little: `neutral_doubt`. `abstain_below` is the
    confidence under which the answer is "not sure".
    """

    voice_weight: float = 1.0
    words_weight: float = 1.0
    neutral_doubt: float = 1.0
    abstain_below: float = 0.4

    @classmethod
    def load(cls, path: Path) -> "Fusion":
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{name: float(values[name]) for name in cls.__dataclass_fields__})
        except (OSError, ValueError, KeyError) as error:
            raise BadInput(f"{path}: the fusion weights are missing or broken; restore the file.") from error

    def fuse(
        self,
        voice: Scores | None,
        words: Scores | None,
        *,
        speech_s: float = math.inf,
        calibration: Calibration = Calibration(),
    ) -> Emotion:
        """The joint probabilities. Speech shorter than 0.4 s says nothing about the voice's feeling.

        `calibration` is what the person's corrections taught.
        """
        voice = voice if speech_s >= MIN_SPEECH_S else None
        parts = [(voice, self.voice_weight), (words, self.words_weight)]
        present = [(scores, weight) for scores, weight in parts if scores is not None]
        if not present:
            return NOTHING_HEARD
        # One part alone keeps its own calibrated probabilities.
        if len(present) == 1:
            present = [(present[0][0], 1.0)]
        logits = {
            label: calibration.of(label)
            + sum(weight * math.log(max(scores[label], FLOOR)) for scores, weight in present)
            for label in EMOTIONS
        }
        if len(present) > 1:
            logits["neutral"] -= self.neutral_doubt
        highest = max(logits.values())
        powers = {label: math.exp(logit - highest) for label, logit in logits.items()}
        total = sum(powers.values())
        scores = {label: power / total for label, power in powers.items()}
        return Emotion(scores, max(scores.values()) < self.abstain_below, voice=voice, words=words)
