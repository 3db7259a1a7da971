"""The last step of every synthesizer: one rate, one level, soft edges.

Voices and styles differ by 10 dB as they come, and the page plays phrases of one
reply without a gap: unequal levels and hard edges are heard at once.
"""

import numpy as np

from engine.audio import Audio
from engine.tts import SAMPLE_RATE_HZ

LEVEL_DBFS = -20.0
_PEAK = 0.89
_FADE_S = 0.008
_FRAME_S = 0.02


def finished(samples: np.ndarray, sample_rate_hz: int, volume_db: float = 0.0, pause_s: float = 0.0) -> Audio:
    """Speech as it left a model (float, mono, any rate and level) → audio ready to play.

    24 kHz; the speaking parts at -20 dBFS + `volume_db`, less where that would
    bring a sample above -1 dBFS; faded at both ends; `pause_s` of silence behind.
    """
    samples = Audio(samples.astype(np.float32), sample_rate_hz).resampled(SAMPLE_RATE_HZ).samples
    samples = samples * _gain(samples, LEVEL_DBFS + volume_db)
    fade = np.linspace(0, 1, min(int(_FADE_S * SAMPLE_RATE_HZ), len(samples)), dtype=np.float32)
    samples[: len(fade)] *= fade
    samples[len(samples) - len(fade) :] *= fade[::-1]
    silence = np.zeros(round(pause_s * SAMPLE_RATE_HZ), np.float32)
    return Audio(np.concatenate([samples, silence]), SAMPLE_RATE_HZ)


def speech_level_dbfs(samples: np.ndarray, sample_rate_hz: int) -> float:
    """RMS over the 20 ms frames less than 30 dB below the loudest; -inf for silence."""
    frame = int(_FRAME_S * sample_rate_hz)
    padded = np.pad(samples, (0, -len(samples) % frame))
    power = np.square(padded.reshape(-1, frame)).mean(axis=1)
    if not power.any():
        return -np.inf
    return float(10 * np.log10(power[power > power.max() / 1000].mean()))


def _gain(samples: np.ndarray, level_dbfs: float) -> np.float32:
    level = speech_level_dbfs(samples, SAMPLE_RATE_HZ)
    if level == -np.inf:
        return np.float32(0)
    return np.float32(min(10 ** ((level_dbfs - level) / 20), _PEAK / np.abs(samples).max()))
