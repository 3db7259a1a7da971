"""Where in a recording somebody speaks. `Detector` is the seam.

Called before the ears, so that silence is answered as silence: a recogniser
given noise invents words (transformers#24512), one that is not asked cannot.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.audio import Audio

ON, OFF = 0.5, 0.35
MIN_SPEECH_S = 0.1
MAX_GAP_S = 0.25


@dataclass(frozen=True)
class SpeechSpan:
    """A stretch of speech, in seconds from the start of the recording."""

    start_s: float
    end_s: float


class Detector(Protocol):
    """Probability of speech, frame by frame."""

    name: str
    frame_s: float

    def probabilities(self, audio: Audio) -> np.ndarray:
        """(frames,) in 0–1 for 16 kHz audio; the last frame may be padded."""
        ...


def speech_spans(detector: Detector, audio: Audio) -> list[SpeechSpan]:
    """Stretches that rise above `ON`, end below `OFF`, and last at least 0.1 s; short gaps are bridged."""
    spans: list[SpeechSpan] = []
    start: int | None = None
    probabilities = [*detector.probabilities(audio), 0.0]
    for frame, probability in enumerate(probabilities):
        if start is None and probability >= ON:
            start = frame
        elif start is not None and probability < OFF:
            spans.append(SpeechSpan(start * detector.frame_s, frame * detector.frame_s))
            start = None
    return [span for span in _bridged(spans) if span.end_s - span.start_s >= MIN_SPEECH_S]


def _bridged(spans: list[SpeechSpan]) -> list[SpeechSpan]:
    joined: list[SpeechSpan] = []
    for span in spans:
        if joined and span.start_s - joined[-1].end_s < MAX_GAP_S:
            joined[-1] = SpeechSpan(joined[-1].start_s, span.end_s)
        else:
            joined.append(span)
    return joined
