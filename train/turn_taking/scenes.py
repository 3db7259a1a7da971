"""Sentences as they are spoken to a program: with a pause inside, and silence after.

Made by `train.turn_taking.rehearsal`. Recordings of read speech end where
their sentence does and seldom pause, so pauses are inserted between words. Pause and end are filled with the
same kind of room tone, faded in the same way, so that the splice tells nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.audio import SPEECH_RATE_HZ

FADE_S = 0.02
TONE_S = 0.15
"""The quietest stretch of a recording, whose spectrum its room tone gets."""

LONGEST_WAIT_S = 3.0
"""Of room tone after a sentence: any strategy has decided by then."""


@dataclass(frozen=True, eq=False)
class Scene:
    """(N,) samples at 16 kHz, and where in them the person is silent without being done, and is done."""

    samples: np.ndarray
    pause: tuple[float, float] | None
    """From where to where in seconds; None without one."""
    end_s: float

    @property
    def end_sample(self) -> int:
        return round(self.end_s * SPEECH_RATE_HZ)


def scene(
    samples: np.ndarray,
    span: tuple[float, float],
    gap_s: float | None,
    pause_s: float,
    rng: np.random.Generator,
) -> Scene:
    """The speech within `span` (seconds) of (N,) `samples`, parted at `gap_s` by `pause_s` of room tone."""
    start, end = (round(at * SPEECH_RATE_HZ) for at in span)
    tone = RoomTone.of(samples, rng)
    after = tone.make(LONGEST_WAIT_S)
    if gap_s is None:
        return Scene(_joined([samples[start:end], after]), None, (end - start) / SPEECH_RATE_HZ)
    gap = round(gap_s * SPEECH_RATE_HZ)
    parts = [samples[start:gap], tone.make(pause_s), samples[gap:end], after]
    begin_s = (gap - start) / SPEECH_RATE_HZ
    return Scene(_joined(parts), (begin_s, begin_s + pause_s), (end - start) / SPEECH_RATE_HZ + pause_s)


@dataclass(frozen=True, eq=False)
class RoomTone:
    """The sound of a room in which nobody speaks: noise with the spectrum of its quietest stretch."""

    spectrum: np.ndarray  # (TONE_S * SPEECH_RATE_HZ / 2 + 1,) magnitudes
    rng: np.random.Generator

    @classmethod
    def of(cls, samples: np.ndarray, rng: np.random.Generator) -> "RoomTone":
        size = round(TONE_S * SPEECH_RATE_HZ)
        if len(samples) < size:
            samples = np.pad(samples, (0, size - len(samples)))
        windows = np.lib.stride_tricks.sliding_window_view(samples, size)[:: size // 8]
        quietest = windows[(windows**2).sum(axis=1).argmin()]
        window = np.hanning(size)
        return cls(np.abs(np.fft.rfft(quietest * window)) / np.sqrt((window**2).mean()), rng)

    def make(self, duration_s: float) -> np.ndarray:
        """(N,) float32: overlapping stretches of that spectrum with random phases."""
        size = round(TONE_S * SPEECH_RATE_HZ) // 2 * 2
        hop, length = size // 2, round(duration_s * SPEECH_RATE_HZ)
        sound = np.zeros(length + 2 * size)
        fade = np.sqrt(np.hanning(size + 1)[:size])
        for start in range(0, length + size, hop):
            phases = np.exp(2j * np.pi * self.rng.random(len(self.spectrum)))
            sound[start : start + size] += np.fft.irfft(self.spectrum * phases, size) * fade
        return sound[hop : hop + length].astype(np.float32)


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Faded into each other at every seam, without changing the length."""
    fade = round(FADE_S * SPEECH_RATE_HZ)
    rising = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    faded = []
    for place, part in enumerate(parts):
        part = part.astype(np.float32).copy()
        if place and len(part) >= fade:
            part[:fade] *= rising
        if place < len(parts) - 1 and len(part) >= fade:
            part[-fade:] *= rising[::-1]
        faded.append(part)
    return np.concatenate(faded)
