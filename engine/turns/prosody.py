"""How a stretch of speech falls to its end: pitch, energy and length of the last syllables.

A sentence that is over sinks and slows down (final lowering, final lengthening); one that is only interrupted
stays up. Called once in every pause; pure NumPy, 4 ms for 4 s.
"""

import numpy as np

from engine.audio import SPEECH_RATE_HZ

HOP_S, WINDOW_S = 0.01, 0.04
LOWEST_HZ, HIGHEST_HZ = 60.0, 450.0
VOICED = 0.5
"""Normalised autocorrelation at the pitch period, from which on a frame is voiced."""

QUIET_LN = 7.0
"""30 dB below the loudest frames nobody speaks."""

TAILS_S = (0.2, 0.5, 1.0)
FEATURES = 5 * len(TAILS_S) + 5


def pitch(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N,) at 16 kHz → per 10 ms: log2 of the pitch in Hz, how voiced (0–1), ln energy; each (T,)."""
    window, hop = round(WINDOW_S * SPEECH_RATE_HZ), round(HOP_S * SPEECH_RATE_HZ)
    if len(samples) < window:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop].astype(np.float32)
    energy_ln = np.log((frames**2).mean(axis=1) + 1e-9)
    taper = np.hanning(window).astype(np.float32)
    spectrum = np.fft.rfft((frames - frames.mean(axis=1, keepdims=True)) * taper, 2 * window)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:, :window]
    of_taper = np.fft.irfft(np.abs(np.fft.rfft(taper, 2 * window)) ** 2)[:window]
    correlation /= (correlation[:, :1] + 1e-9) * np.maximum(of_taper / of_taper[0], 1e-2)
    shortest, longest = round(SPEECH_RATE_HZ / HIGHEST_HZ), round(SPEECH_RATE_HZ / LOWEST_HZ)
    lags = correlation[:, shortest : longest + 1]
    best = lags.argmax(axis=1)
    return np.log2(SPEECH_RATE_HZ / (best + shortest)), lags[np.arange(len(lags)), best], energy_ln


def fall(samples: np.ndarray, last_s: float) -> np.ndarray:
    """(N,) at 16 kHz, of which the last seconds count, and the silence at their end does not → (FEATURES,),
    each about −2 to 2."""
    samples = samples[-round(last_s * SPEECH_RATE_HZ) :]
    height, voicing, energy_ln = pitch(samples)
    speech = np.flatnonzero(energy_ln > energy_ln.max(initial=-20.0) - QUIET_LN)
    if len(speech) < 5:
        return np.zeros(FEATURES, dtype=np.float32)
    height, voicing, energy_ln = (each[speech[0] : speech[-1] + 1] for each in (height, voicing, energy_ln))
    voiced = voicing > VOICED
    own_height = np.median(height[voiced]) if voiced.any() else 0.0
    own_spread = height[voiced].std() + 0.1 if voiced.any() else 1.0
    own_energy = np.median(energy_ln)
    features: list[float] = []
    for tail_s in TAILS_S:
        tail = slice(-round(tail_s / HOP_S), None)
        heights, energies = height[tail][voiced[tail]], energy_ln[tail]
        features += [
            (heights.mean() - own_height) / own_spread if len(heights) else 0.0,
            _slope(heights) / own_spread,
            voiced[tail].mean(),
            (energies.mean() - own_energy) / 3.0,
            _slope(energies) / 3.0,
        ]
    runs = _runs(voiced)
    last_s = runs[-1] * HOP_S if len(runs) else 0.0
    typical_s = np.median(runs) * HOP_S if len(runs) else 0.0
    lowest = np.percentile(height[voiced], 10) if voiced.any() else 0.0
    end = height[voiced][-5:].mean() if voiced.any() else 0.0
    features += [
        last_s,
        np.log((last_s + 0.05) / (typical_s + 0.05)),
        len(runs) / (len(voiced) * HOP_S) / 5.0,
        (end - lowest) / own_spread,
        np.log(len(voiced) * HOP_S),
    ]
    return np.clip(features, -5.0, 5.0).astype(np.float32)


def _slope(values: np.ndarray) -> float:
    """From the first to the last value along the fitted line."""
    if len(values) < 3:
        return 0.0
    at = np.linspace(-0.5, 0.5, len(values))
    return float((at * (values - values.mean())).sum() / (at**2).sum())


def _runs(flags: np.ndarray) -> np.ndarray:
    """Lengths of the stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return edges[1::2] - edges[::2]
