"""The sound of replies on its way to a loudspeaker: queued, hushed at once, made quieter, counted.

Used by the desktop; the page has the same in `app/static/live/loudspeaker.js`. Filled by the thread of the
conversation, emptied by the audio driver's.
"""

import threading
from collections import deque

import numpy as np

from engine.tts import SAMPLE_RATE_HZ

LOW_VOLUME = 0.25
RAMP_S = 0.04
"""Volume changes over so long a time: an abrupt one clicks."""


class Loudspeaker:
    """(N,) float32 stretches at 24 kHz in, blocks of any size out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[np.ndarray] = deque()
        self._volume = self._wanted_volume = 1.0
        self._played = 0
        self._has_begun = False

    @property
    def played_s(self) -> float:
        """Of the newest reply."""
        return self._played / SAMPLE_RATE_HZ

    @property
    def is_empty(self) -> bool:
        """Something of the newest reply was pushed, and all of it has been played."""
        with self._lock:
            return self._has_begun and not self._waiting

    def begin(self) -> None:
        """A new reply: what is played counts from here."""
        with self._lock:
            self._played, self._has_begun, self._wanted_volume = 0, False, 1.0

    def push(self, samples: np.ndarray) -> None:
        with self._lock:
            self._has_begun = True
            if len(samples):
                self._waiting.append(samples)

    def hush(self) -> None:
        with self._lock:
            self._waiting.clear()

    def set_low(self, is_low: bool) -> None:
        self._wanted_volume = LOW_VOLUME if is_low else 1.0

    def fill(self, block: np.ndarray) -> None:
        """Overwrite (N,) `block` with the next samples, and silence where there are none."""
        block[:] = 0.0
        filled = 0
        with self._lock:
            while filled < len(block) and self._waiting:
                stretch = self._waiting.popleft()
                taken = stretch[: len(block) - filled]
                block[filled : filled + len(taken)] = taken
                filled += len(taken)
                if len(taken) < len(stretch):
                    self._waiting.appendleft(stretch[len(taken) :])
            self._played += filled
        block *= self._ramp(len(block))

    def _ramp(self, size: int) -> np.ndarray:
        steps = np.arange(1, size + 1) / (RAMP_S * SAMPLE_RATE_HZ)
        change = self._wanted_volume - self._volume
        volumes = self._volume + np.sign(change) * np.minimum(steps, abs(change))
        self._volume = float(volumes[-1]) if size else self._volume
        return volumes.astype(np.float32)
