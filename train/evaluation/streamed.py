"""`evaluate captions --streamed`: the same words while they are spoken, and how long one waits for them.

Every clip is fed as a browser sends it, in pieces of 20 ms. Sound passes at its own speed whatever the
machine does, so what one waits for the first caption is sound until then and the work on the last piece.
"""

import time
from collections.abc import Sequence

import numpy as np

from engine.audio import Audio
from engine.ears.mini import Encoded, MiniEars
from engine.vad import speech_spans

PIECE_SAMPLES = 320


class StreamDecoder:
    """A decoder of `captions.measure` that notes the times."""

    def __init__(self, ears: MiniEars) -> None:
        self._ears = ears
        self._first_ms: list[float] = []
        self._finish_ms: list[float] = []

    def __call__(self, _: Sequence[Encoded], sound: Audio) -> str:
        stream, is_waiting = self._ears.stream(), True
        spans = speech_spans(self._ears.detector, sound)
        for end in range(PIECE_SAMPLES, len(sound.samples) + PIECE_SAMPLES, PIECE_SAMPLES):
            started = time.perf_counter()
            partial = stream.feed(sound.samples[end - PIECE_SAMPLES : end])
            if partial and partial.text and is_waiting and spans:
                is_waiting = False
                waited_s = min(end, len(sound.samples)) / sound.sample_rate_hz - spans[0].start_s
                self._first_ms.append((waited_s + time.perf_counter() - started) * 1e3)
        started = time.perf_counter()
        text = stream.finish().text
        self._finish_ms.append((time.perf_counter() - started) * 1e3)
        return text

    def times(self) -> dict[str, dict[str, float]]:
        """`{first_partial_ms, finish_ms}`, each with median and 95th percentile.

        From the onset, as the detector sees it in the whole clip, to the first words; and from the last
        sample to all of them.
        """
        noted = {"first_partial_ms": self._first_ms, "finish_ms": self._finish_ms}
        return {name: _spread(values) for name, values in noted.items() if values}


def _spread(values: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}
