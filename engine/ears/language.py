"""Whether speech is English at all: where it is not, the words that the ears spell are better not said.

Called once per turn. The encoder's last layer was trained to spell English; speech in any other language
leaves it unsure, and that shows in the mean and the deviation of its states. One linear model tells the two
apart, for languages it was not fitted on as well (see `language.json` beside the ears). Made by
`python -m train language`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engine.ears import beside
from engine.errors import PartMissing

LANGUAGE_FILE = "language.npz"
FORMAT = 1

MIN_SPEECH_S = 1.0
"""A shorter turn is heard as English: "okay" is said everywhere."""


def spelling_vector(states: Sequence[torch.Tensor]) -> torch.Tensor:
    """layers + 1 × (B, T, width), unpadded → (B, 2 * width).

    Mean and deviation over time of the last state.
    """
    last = states[-1]
    return torch.cat([last.mean(dim=1), last.std(dim=1, correction=0)], dim=-1)


@dataclass(frozen=True, eq=False)
class LanguageDetector:
    """English or not, from `spelling_vector`s of one pair of ears."""

    weights: np.ndarray  # (2 * width,)
    bias: float
    """Of the logit, which is above 0 where words are withheld."""

    @classmethod
    def load(cls, folder: Path) -> "LanguageDetector":
        """From a folder of ears. Raises `PartMissing` when the file is missing, damaged or of other ears."""
        arrays = beside.load(folder / LANGUAGE_FILE, FORMAT, made_by="python -m train language")
        try:
            return cls(arrays["weights"], float(arrays["bias"]))
        except (KeyError, TypeError, ValueError) as error:
            raise PartMissing(f"{folder / LANGUAGE_FILE}: it is damaged; restore the folder.") from error

    def save(self, folder: Path) -> None:
        """Beside the ears in `folder`, which alone it fits."""
        beside.save(folder / LANGUAGE_FILE, FORMAT, {"weights": self.weights, "bias": self.bias})

    def logit(self, vector: np.ndarray) -> np.ndarray:
        """(…, 2 * width) → (…) above 0 where it does not sound English."""
        return vector @ self.weights + self.bias

    def is_foreign(self, vector: np.ndarray, speech_s: float) -> bool:
        """Whether a turn of so many seconds of speech had better be left unspelled."""
        return speech_s >= MIN_SPEECH_S and float(self.logit(vector)) > 0
