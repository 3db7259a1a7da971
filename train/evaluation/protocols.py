"""Which labels are scored: the published protocols and ours, and how a manifest's labels become theirs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.ears.feeling import HEAD_EMOTIONS
from engine.emotion import EMOTIONS
from engine.errors import BadInput
from train.corpus import Clip

SPELLINGS = {"surprise": "surprised"}
"""How other corpora call what we call otherwise."""


@dataclass(frozen=True)
class Protocol:
    """The labels that are scored, and how the manifest's labels become them."""

    labels: tuple[str, ...]
    fold: Mapping[str, str]
    corpus: str = ""
    """Of the data folder's own manifest, only corpora whose name starts so."""

    def label(self, clip: Clip) -> str | None:
        """The label the clip counts as, None where this protocol leaves it out.

        Raises `BadInput` for a label that no protocol knows, naming the manifest's line.
        """
        label = SPELLINGS.get(clip.emotion, clip.emotion) if isinstance(clip.emotion, str) else None
        if label not in HEAD_EMOTIONS:
            raise BadInput(
                f"Line {clip.line}: {clip.emotion!r} is not an emotion; known are {', '.join(HEAD_EMOTIONS)}."
            )
        label = self.fold.get(label, label)
        return label if label in self.labels else None

    def columns(self, head: np.ndarray) -> np.ndarray:
        """(n, 8) probabilities of the head → (n, labels)."""
        folded = {label: head[:, index].copy() for index, label in enumerate(HEAD_EMOTIONS)}
        for source, target in self.fold.items():
            folded[target] += folded[source]
        return np.stack([folded[label] for label in self.labels], axis=1)


PROTOCOLS = {
    "7": Protocol(EMOTIONS, {"calm": "neutral"}),
    "emobox-ravdess": Protocol(HEAD_EMOTIONS, {}, corpus="ravdess"),
    "paper-5": Protocol(("neutral", "happy", "sad", "angry", "surprised"), {"calm": "neutral"}),
}
