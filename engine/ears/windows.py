"""Long turns cut into windows the encoder can take, at pauses.

Called for every turn; most give one window. Nothing between the first and the
last word is left out, and a word is cut only where nobody pauses for 14 s.
"""

from collections.abc import Sequence

import numpy as np

from engine.audio import Audio
from engine.vad import SpeechSpan

MAX_WINDOW_S = 28.0
MARGIN_S = 1.0
"""Training clips begin and end in silence: cut to 0.3 s of it, unseen RAVDESS actors lose 10 points of UA."""
ENERGY_FRAME_S = 0.05


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
