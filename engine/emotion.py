"""What was felt: the labels used everywhere and the `Emotion` value.

Made by the recognisers in `engine/ears` and `engine/words.py`, joined in
`engine/ser.py`, read by the mind, the voice and the page.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.errors import BadInput

EMOTIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")

SURE = 0.5
"""From this probability on a part alone is taken at its word."""

BROKEN = "A feeling is not one that Attune exported."


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
        return strongest(self.scores)

    @property
    def confidence(self) -> float:
        return self.scores[self.label]

    @property
    def disagrees(self) -> bool:
        """Whether voice and words are each sure of something else. A neutral voice proves little: much
        that moves people is told in one."""
        if self.voice is None or self.words is None:
            return False
        of_voice, of_words = strongest(self.voice), strongest(self.words)
        are_sure = min(self.voice[of_voice], self.words[of_words]) >= SURE
        return are_sure and of_voice not in (of_words, "neutral")

    def corrected(self, label: str) -> "Emotion":
        """What the person says they felt is certain; what was heard stays in its parts."""
        return replace(self, scores={each: float(each == label) for each in EMOTIONS}, abstained=False)

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

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Emotion":
        """Raises `BadInput` for anything that `to_dict` did not write."""
        try:
            scores, voice, words = (values[name] for name in ("scores", "voice", "words"))
            abstained = values["abstained"]
        except (KeyError, TypeError) as error:
            raise BadInput(BROKEN) from error
        if not isinstance(abstained, bool):
            raise BadInput(BROKEN)
        parts = {"voice": voice, "words": words}
        given = {name: None if part is None else _probabilities(part) for name, part in parts.items()}
        return cls(_probabilities(scores), abstained, **given)


def strongest(scores: Mapping[str, float]) -> str:
    """The label of the highest probability."""
    return max(scores, key=scores.__getitem__)


def _rounded(scores: Mapping[str, float] | None) -> dict[str, float] | None:
    return None if scores is None else {label: round(float(scores[label]), 4) for label in EMOTIONS}


def _probabilities(values: Any) -> dict[str, float]:
    try:
        scores = {label: float(values[label]) for label in EMOTIONS}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadInput(BROKEN) from error
    if not all(0 <= score <= 1 for score in scores.values()) or not math.isclose(
        sum(scores.values()), 1, abs_tol=0.01
    ):
        raise BadInput(BROKEN)
    return scores


NOTHING_HEARD = Emotion({label: 1 / len(EMOTIONS) for label in EMOTIONS}, abstained=True)
"""The emotion of silence: every label equally likely, and not sure."""
