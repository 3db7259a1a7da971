"""One spoken turn, understood while it is spoken.

`Engine.listen_live` opens one for every turn of a hands-free conversation. It is an `EarsStream` whose
answer is a whole `Heard`.
"""

import time
from collections.abc import Callable

import numpy as np

from engine.asr import Partial
from engine.audio import Audio
from engine.conversation import Heard
from engine.hearing import EarsStream, Listened

Understand = Callable[[Listened, Audio, float], Heard]
"""What was listened to, its sound, and when the work on it began (`time.perf_counter`)."""


class LiveTurn:
    """Feed it the microphone, show what `feed` answers, and call `finish` when the turn is over.

    Work is done in `feed` (see `EarsStream`): give each turn one worker thread, which takes the pieces from
    a queue, joining those that wait. One thread at a time; turns are independent of each other. To give a
    turn up, forget it.
    """

    def __init__(self, stream: EarsStream, understand: Understand) -> None:
        self._stream = stream
        self._understand = understand

    @property
    def silence_s(self) -> float | None:
        """For how long nobody has spoken, in seconds of sound; None before the first word."""
        return self._stream.silence_s

    @property
    def sound(self) -> Audio:
        """The turn so far, from shortly before somebody spoke; empty until then."""
        return self._stream.sound

    def feed(self, samples: np.ndarray) -> Partial | None:
        """The next (N,) samples at 16 kHz → the words so far, where they changed.

        Raises `BadInput` for what is not sound, and after `finish`.
        """
        return self._stream.feed(samples)

    def so_far(self) -> Heard:
        """What `finish` would say now, while the turn stays open; in a pause it is at hand already."""
        started = time.perf_counter()
        return self._understand(self._stream.so_far(), self.sound, started)

    def finish(self) -> Heard:
        """The turn is over; `timings_ms["ears"]` is what was left to do.

        Raises `BadInput` the second time.
        """
        started = time.perf_counter()
        return self._understand(self._stream.finish(), self.sound, started)
