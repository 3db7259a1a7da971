"""What was felt: the labels used everywhere and the `Emotion` value.

Made by the recognisers in `engine/ears` and `engine/words.py`, joined in
`engine/ser.py`, read by the mind, the voice and the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

EMOTIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")


@dataclass(frozen=True)
class Emotion:
    """Probabilities over `EMOTIONS` and how far they can be trusted.

    `scores` sum to 1. `confidence` is the probability of the best label.
    `abstained` means "not sure": the label is only the best guess and must not
    be presented as heard. `voice` and `words` are the parts the scores were
    fused from, None where that part had nothing to say.
    """

    scores: Mapping[str, float]
    abstained: bool = False
    voice: Mapping[str, float] | None = field(default=None, repr=False)
    words: Mapping[str, float] | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        return max(self.scores, key=self.scores.__getitem__)

    @property
    def confidence(self) -> float:
        return self.scores[self.label]

    def to_dict(self) -> dict:
        """The form of the command lines' `--json` and of the page's events."""
        rounded = {name: _rounded(getattr(self, name)) for name in ("scores", "voice", "words")}
        return {
            "label": self.label,
            "scores": rounded["scores"],
            "confidence": round(self.confidence, 4),
            "abstained": self.abstained,
            "voice": rounded["voice"],
            "words": rounded["words"],
        }


def _rounded(scores: Mapping[str, float] | None) -> dict[str, float] | None:
    return None if scores is None else {label: round(float(scores[label]), 4) for label in EMOTIONS}


NOTHING_HEARD = Emotion({label: 1 / len(EMOTIONS) for label in EMOTIONS}, abstained=True)
"""The emotion of silence: every label equally likely, and not sure."""
