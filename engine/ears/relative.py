"""Feeling heard against the speaker's own way of sounding.

`RelativeHead` judges a turn by how its voice (`engine.ears.voice`) differs from the mean of the speaker's
earlier turns (`engine.baseline`), and has the more say the more turns there were: before the first one
nothing changes at all. Called for every turn by ears that have one; made by `python -m train baseline`.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.baseline import VoiceBaseline
from engine.ears import store
from engine.errors import BadInput, PartMissing

BASELINE_FILE = "baseline.npz"
FORMAT = 1


@dataclass(frozen=True, eq=False)
class RelativeHead:
    """Feeling from how a voice differs from its owner's own mean."""

    population: np.ndarray  # (4 * width,), the mean voice of the training speakers
    feelings: np.ndarray  # (8, 4 * width), how much of the mean difference a feeling makes is taken out
    weights: np.ndarray  # (8, 4 * width)
    bias: np.ndarray  # (8,)
    prior_turns: float
    """So many turns weigh as much as what is known of people in general."""
    share: float
    """Of the say, how much this head has once the speaker is known well."""

    @classmethod
    def load(cls, folder: Path) -> "RelativeHead":
        """From a folder of ears. Raises `PartMissing` when the file is missing, damaged or of other ears."""
        path = folder / BASELINE_FILE
        advice = f"make it with `python -m train baseline --from {folder}`."
        try:
            with np.load(path, allow_pickle=False) as file:
                if int(file["format"]) != FORMAT:
                    raise PartMissing(f"{path}: written by another version of Attune; {advice}")
                if str(file["ears"]) != store.read_record(folder)["sha256"]:
                    raise PartMissing(f"{path}: it belongs to other ears than those beside it; {advice}")
                return cls(
                    file["population"],
                    file["feelings"],
                    file["weights"],
                    file["bias"],
                    float(file["prior_turns"]),
                    float(file["share"]),
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise PartMissing(f"{path}: the voice baseline cannot be read; {advice}") from error

    def save(self, folder: Path) -> None:
        """Beside the ears in `folder`, which alone it fits."""
        tensors = {name: getattr(self, name) for name in self.__dataclass_fields__}
        np.savez(folder / BASELINE_FILE, format=FORMAT, ears=store.read_record(folder)["sha256"], **tensors)

    def own_voice(self, voice: np.ndarray, log_probs: np.ndarray) -> np.ndarray:
        """(4 * width,) a turn's voice less what the feeling heard in it, (8,), makes of it on average.

        A talk is no fair sample of a person's moods: without this, five neutral turns made the feeling
        of the next one harder to hear than none.
        """
        return voice - np.exp(log_probs) @ self.feelings

    def trust(self, baseline: VoiceBaseline) -> float:
        """How well the speaker is known, 0 to 1."""
        return baseline.count / (baseline.count + self.prior_turns)

    def hear(self, log_probs: np.ndarray, voice: np.ndarray, baseline: VoiceBaseline) -> np.ndarray:
        """(8,) calibrated log-probabilities of the ears, and the turn's voice → (8,) with the baseline.

        Raises `BadInput` when the baseline was kept of other ears.
        """
        if baseline.mean is None:
            return log_probs
        if baseline.mean.shape != voice.shape:
            raise BadInput("The voice baseline was kept by other ears; start a new one.")
        share = self.share * self.trust(baseline)
        mixed = (1 - share) * log_probs + share * self.relative(voice, baseline)
        return mixed - np.logaddexp.reduce(mixed)

    def relative(self, voice: np.ndarray, baseline: VoiceBaseline) -> np.ndarray:
        """(8,) log-probabilities of this head alone.

        The speaker's mean is shrunk towards the population's.
        """
        own = 0.0 if baseline.mean is None else self.trust(baseline) * (baseline.mean - self.population)
        logits = self.weights @ (voice - self.population - own) + self.bias
        return logits - np.logaddexp.reduce(logits)
