"""Long turns cut into windows the encoder can take, at pauses.

Called for every turn; most give one window. Nothing between the first and the
last word is left out, and a word is cut only where nobody pauses for 14 s.
"""

from collections.abc import Sequence

import numpy as np

from engine.audio import SPEECH_RATE_HZ, Audio
from engine.ears.mel import normalise_level
from engine.vad import Detector, SpeechSpan, speech_spans

MAX_WINDOW_S = 28.0
MARGIN_S = 1.0
"""Training clips begin and end in silence: cut to 0.3 s of it, unseen RAVDESS actors lose 10 points of UA."""
ENERGY_FRAME_S = 0.05
SILENCE_PEAK = 1e-4
"""Below −80 dBFS there is nothing but the converter's own noise."""


def spoken(audio: Audio, detector: Detector) -> tuple[Audio, list[SpeechSpan]]:
    """The recording at 16 kHz and a normal level, and where somebody speaks in it."""
    audio = audio.resampled(SPEECH_RATE_HZ)
    if float(np.abs(audio.samples).max(initial=0.0)) < SILENCE_PEAK:
        return audio, []
    audio = Audio(normalise_level(audio.samples), audio.sample_rate_hz)
    return audio, speech_spans(detector, audio)


def windows(audio: Audio, spans: Sequence[SpeechSpan], max_s: float = MAX_WINDOW_S) -> list[Audio]:
    """The recording from the first to the last span (with a margin) in pieces of at most `max_s`."""
    if not spans:
        return []
    start_s = max(0.0, spans[0].start_s - MARGIN_S)
    end_s = min(audio.duration_s, spans[-1].end_s + MARGIN_S)
    pieces = []
    while end_s - start_s > max_s:
        cut_s = _quietest_s(audio, start_s + max_s / 2, start_s + max_s)
        pieces.append(_slice(audio, start_s, cut_s))
        start_s = cut_s
    return [*pieces, _slice(audio, start_s, end_s)]


def pooled(vectors: Sequence[np.ndarray], of_windows: Sequence[Audio]) -> np.ndarray:
    """The mean of the windows' vectors, each weighing as long as it lasts."""
    return np.average(vectors, axis=0, weights=[window.duration_s for window in of_windows])


def _quietest_s(audio: Audio, from_s: float, to_s: float) -> float:
    """The middle of the quietest quarter second in a stretch."""
    frame = int(ENERGY_FRAME_S * audio.sample_rate_hz)
    stretch = _slice(audio, from_s, to_s).samples
    usable = len(stretch) // frame * frame
    energy = (stretch[:usable].reshape(-1, frame) ** 2).mean(axis=1)
    smooth = np.convolve(energy, np.ones(5) / 5, mode="valid")
    return from_s + (int(smooth.argmin()) + 2.5) * ENERGY_FRAME_S


def _slice(audio: Audio, start_s: float, end_s: float) -> Audio:
    rate_hz = audio.sample_rate_hz
    return Audio(audio.samples[round(start_s * rate_hz) : round(end_s * rate_hz)], rate_hz)
