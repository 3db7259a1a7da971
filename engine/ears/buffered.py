"""A live turn for ears that can hear it only whole: the mini ears caption it, the others have the last word.

Opened by `stream` of such ears; their words take as long as `listen` once the turn is over.
"""

from collections.abc import Sequence

import numpy as np

from engine.asr import Partial
from engine.audio import Audio
from engine.baseline import VoiceBaseline
from engine.hearing import Ears, EarsStream, Listened


class BufferedStream:
    """See `EarsStream`."""

    def __init__(
        self, ears: Ears, captions: EarsStream, baseline: VoiceBaseline, recent: Sequence[str] = ()
    ) -> None:
        """`captions` is a fresh stream that finds where somebody speaks."""
        self._ears = ears
        self._captions = captions
        self._baseline = baseline
        self._recent = recent

    @property
    def sound(self) -> Audio:
        return self._captions.sound

    @property
    def silence_s(self) -> float | None:
        return self._captions.silence_s

    def feed(self, samples: np.ndarray) -> Partial | None:
        return self._captions.feed(samples)

    def so_far(self) -> Listened:
        self._captions.so_far()
        return self._ears.listen(self.sound, self._baseline, self._recent)

    def finish(self) -> Listened:
        self._captions.finish()
        return self._ears.listen(self.sound, self._baseline, self._recent)
