"""Where somebody speaks, found while the sound arrives.

Fed by whoever listens live, in blocks of 20 ms. The level is followed causally, since the whole recording
that `mel.normalise_level` looks at is not there yet: up at once, down when it was quieter for ten seconds.
"""

from collections import deque

import numpy as np

from engine.ears.mel import LEVEL_FRAME_SAMPLES, LEVEL_TARGET_RMS
from engine.vad import Detector
from engine.vad.spans import SpeechSpan, spans_of

BLOCK_SAMPLES = LEVEL_FRAME_SAMPLES
BLOCK_S = 0.02

LEVEL_MEMORY_BLOCKS = 500
MAX_GAIN = 30.0
"""RAVDESS is recorded 30 dB below LibriSpeech; what is quieter still is the room, not a voice."""


class SpeechFinder:
    """Blocks of sound → spans of speech, in seconds from the first block."""

    def __init__(self, detector: Detector) -> None:
        self._stream = detector.stream()
        self._frame_s = detector.frame_s
        self._levels: deque[float] = deque(maxlen=LEVEL_MEMORY_BLOCKS)
        self._probabilities: list[float] = []
        self._forgotten = 0

    def take(self, block: np.ndarray) -> bool:
        """The next (320,) samples at 16 kHz; whether the detector judged another frame by them."""
        self._levels.append(float(np.sqrt(np.mean(block**2))))
        gain = min(LEVEL_TARGET_RMS / max(*self._levels, 1e-9), MAX_GAIN)
        found = self._stream.feed(block * np.float32(gain))
        self._probabilities.extend(found.tolist())
        return len(found) > 0

    def spans(self) -> list[SpeechSpan]:
        """Those not forgotten; one that still goes on ends with the last frame."""
        offset_s = self._forgotten * self._frame_s
        return [
            SpeechSpan(offset_s + span.start_s, offset_s + span.end_s)
            for span in spans_of(self._probabilities, self._frame_s)
        ]

    def forget(self, until_s: float) -> None:
        """What was said before `until_s` is dealt with."""
        frames = max(0, round(until_s / self._frame_s) - self._forgotten)
        self._forgotten += len(self._probabilities[:frames])
        del self._probabilities[:frames]
