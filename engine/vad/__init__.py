"""Where in a recording somebody speaks. `Detector` is the seam.

Called before the ears, so that silence is answered as silence: a recogniser
given noise invents words (transformers#24512), one that is not asked cannot.
"""

from typing import Protocol

import numpy as np

from engine.audio import Audio
from engine.vad.spans import SpeechSpan, spans_of


class DetectorStream(Protocol):
    """One recording, judged while it arrives."""

    def feed(self, samples: np.ndarray) -> np.ndarray:
        """The next (N,) samples at 16 kHz → (frames,) probabilities of those that are complete."""
        ...


class Detector(Protocol):
    """Probability of speech, frame by frame."""

    name: str
    frame_s: float

    def probabilities(self, audio: Audio) -> np.ndarray:
        """(frames,) in 0–1 for 16 kHz audio; the last frame may be padded."""
        ...

    def stream(self) -> DetectorStream: ...


def speech_spans(detector: Detector, audio: Audio) -> list[SpeechSpan]:
    """Where somebody speaks in a whole recording at 16 kHz."""
    return spans_of(detector.probabilities(audio), detector.frame_s)
