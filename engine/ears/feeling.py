"""Feeling from how a turn sounds against its speaker's own way of sounding.

`FeelingHead` judges a turn by how its voice (`engine.ears.voice`) differs from the mean of the speaker's
earlier turns (`engine.baseline`), and, the fewer of these there were, from people in general. Called for
every turn; made by `python -m train feeling`.
"""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from engine.baseline import VoiceBaseline
from engine.ears import beside
from engine.emotion import EMOTIONS
from engine.errors import BadInput, PartMissing
from engine.hearing import VoiceSpace

HEAD_EMOTIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised", "calm")
"""The head's outputs: the seven labels and `calm`, which is folded into neutral except for EmoBox."""

FEELING_FILE = "feeling.npz"
FORMAT = 1


@dataclass(frozen=True, eq=False)
class FeelingHead:
    """One linear layer over a voice relative to its owner's, calibrated."""

    population: np.ndarray  # (4 * width,), the mean voice of the training speakers
    feelings: np.ndarray  # (8, 4 * width), how much of the mean difference a feeling makes is taken out
    weights: np.ndarray  # (8, 4 * width)
    bias: np.ndarray  # (8,)
    prior_turns: float
    """So many turns weigh as much as what is known of people in general."""
    stranger_doubt: float = 0.0
    """How much higher the temperature is for a speaker of whom nothing is known, as a share."""

    @classmethod
    def load(cls, folder: Path, ears: Path | None = None) -> "FeelingHead":
        """From a folder of ears, or from one of a person's own for the `ears` in another.

        Raises `PartMissing` when the file is missing, damaged or of other ears.
        """
        made_by = "python -m train finetune" if ears else "python -m train feeling"
        arrays = beside.load(folder / FEELING_FILE, FORMAT, made_by=made_by, ears=ears)
        try:
            numbers = {name: float(arrays.pop(name)) for name in ("prior_turns", "stranger_doubt")}
            return cls(**arrays, **numbers)
        except (KeyError, TypeError, ValueError) as error:
            raise PartMissing(f"{folder / FEELING_FILE}: it is damaged; restore the folder.") from error

    def save(self, folder: Path, ears: Path | None = None) -> None:
        """For the ears in `folder`, or in the folder `ears`, which alone it fits."""
        tensors = {field.name: np.float32(getattr(self, field.name)) for field in fields(self)}
        beside.save(folder / FEELING_FILE, FORMAT, tensors, ears)

    @property
    def space(self) -> VoiceSpace:
        """Ears are known by the voice of people in general, which no two of them hear alike."""
        average = np.ascontiguousarray(self.population, dtype="<f4")
        return VoiceSpace(hashlib.sha256(average.tobytes()).hexdigest()[:16], len(average))

    def hear(self, voice: np.ndarray, baseline: VoiceBaseline = VoiceBaseline()) -> np.ndarray:
        """The turn's voice (4 * width,) → (8,) log-probabilities.

        The speaker's mean is shrunk towards the population's. Raises `BadInput` when the baseline was kept by
        other ears.
        """
        expected, trust = self.population, self.trust(baseline)
        if baseline.mean is not None:
            if baseline.mean.shape != voice.shape:
                raise BadInput("The voice baseline was kept by other ears; start a new one.")
            expected = expected + trust * (baseline.mean - expected)
        logits = self.weights @ (voice - expected) + self.bias
        logits = logits / (1 + self.stranger_doubt * (1 - trust))
        return logits - np.logaddexp.reduce(logits)

    def trust(self, baseline: VoiceBaseline) -> float:
        """How well the speaker is known, 0 to 1."""
        return baseline.count / (baseline.count + self.prior_turns)

    def own_voice(self, voice: np.ndarray) -> np.ndarray:
        """(4 * width,) a turn's voice less what the feeling in it, as strangers would hear it, makes of it.

        A talk is no fair sample of a person's moods: without this, five neutral turns made the feeling
        of the next one harder to hear than none.
        """
        return voice - np.exp(self.hear(voice)) @ self.feelings


def fold_calm(probabilities: np.ndarray) -> dict[str, float]:
    """The head's (8,) probabilities → the seven labels, calm counted as neutral."""
    scores = dict(zip(HEAD_EMOTIONS, probabilities.tolist(), strict=True))
    scores["neutral"] += scores.pop("calm")
    return {label: scores[label] for label in EMOTIONS}
