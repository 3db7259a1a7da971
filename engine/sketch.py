"""What can be seen of a spoken turn: its waveform and melody in outline, and how high and how loud it was.

Made by `Engine` for every spoken turn, in 2 ms per second of sound; drawn by the page, which need not keep
the sound for it. `Manner` also enters the speaker's `VoiceBaseline`, so that a turn can be shown against how
the person usually sounds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.audio import SPEECH_RATE_HZ, Audio
from engine.errors import BadInput
from engine.turns.prosody import HIGHEST_HZ, HOP_S, QUIET_LN, VOICED, WINDOW_S, pitch

COLUMNS = 120
"""Points of an outline, at most; a phone shows hardly more."""

EXCERPT_S = 0.25
"""So much of a column's sound is looked at: half an hour costs no more than half a minute."""

VOICED_SHARE = 0.3
"""Of a column's frames, from which on it has a pitch."""

SMOOTHED = 7
"""Frames of the median that takes out single wrong octaves."""

AS_LIKE = 0.9
"""What gives that share of a longer period's likeness is the period."""

FAR_OCTAVES = 0.75
"""What lies further from the turn's median is a wrong octave: nobody's melody is that wide in one turn."""

SILENT_DB = -90.0

_SHARES = tuple(percent / 100 for percent in range(101))
_WHOLE_HZ = tuple(float(hz) for hz in range(round(HIGHEST_HZ) + 2))
"""What outlines are made of, shared by all of them: 3 kB a turn instead of 8, in talks of hundreds."""

BROKEN = "The outline of a turn is not one that Attune exported."


@dataclass(frozen=True)
class Manner:
    """How high and how loud a turn was: median pitch of its voiced frames, mean level of its speech.

    `pitch_hz` is None for a whisper. 0 dB is full scale.
    """

    pitch_hz: float | None
    level_db: float

    def towards(self, newer: "Manner", share: float) -> "Manner":
        """A running mean: this one moved by `share` towards `newer`; pitch as ears hear it, in octaves."""
        level_db = self.level_db + share * (newer.level_db - self.level_db)
        if self.pitch_hz is None or newer.pitch_hz is None:
            return Manner(self.pitch_hz or newer.pitch_hz, level_db)
        return Manner(self.pitch_hz * (newer.pitch_hz / self.pitch_hz) ** share, level_db)

    def to_dict(self) -> dict[str, Any]:
        pitch_hz = None if self.pitch_hz is None else round(self.pitch_hz, 1)
        return {"pitch_hz": pitch_hz, "level_db": round(self.level_db, 1)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Manner":
        """Raises `BadInput` for anything that `to_dict` did not write."""
        try:
            pitch_hz, level_db = values["pitch_hz"], float(values["level_db"])
            manner = cls(None if pitch_hz is None else float(pitch_hz), level_db)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BadInput(BROKEN) from error
        is_pitch = manner.pitch_hz is None or 1 <= manner.pitch_hz <= SPEECH_RATE_HZ
        if not is_pitch or not abs(manner.level_db) <= 200:
            raise BadInput(BROKEN)
        return manner


@dataclass(frozen=True)
class Sketch:
    """A turn in at most `COLUMNS` columns of equal length: peaks, 0 to 1 of the loudest, and pitch, 0 where
    there is none."""

    envelope: tuple[float, ...]
    pitch_hz: tuple[float, ...]
    manner: Manner

    def to_dict(self) -> dict[str, Any]:
        return {
            "envelope": list(self.envelope),
            "pitch_hz": list(self.pitch_hz),
            "manner": self.manner.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Sketch":
        """Raises `BadInput` for anything that `to_dict` did not write."""
        try:
            envelope, pitch_hz = (
                tuple(float(value) for value in values[name]) for name in ("envelope", "pitch_hz")
            )
            manner = Manner.from_dict(values["manner"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BadInput(BROKEN) from error
        is_outline = len(envelope) == len(pitch_hz) <= COLUMNS and all(0 <= value <= 1 for value in envelope)
        if not is_outline or not all(0 <= value <= SPEECH_RATE_HZ for value in pitch_hz):
            raise BadInput(BROKEN)
        return cls(envelope, pitch_hz, manner)


def sketch(audio: Audio) -> Sketch:
    """The outline of a turn, of any length and rate."""
    samples = audio.resampled(SPEECH_RATE_HZ).samples
    count = max(1, min(COLUMNS, round(len(samples) / SPEECH_RATE_HZ / (2 * HOP_S))))
    columns = np.array_split(samples, count)
    excerpts = [_middle(column) for column in columns]
    excerpt = np.concatenate(excerpts)
    height, voicing, energy_ln = pitch(excerpt)
    voiced = (voicing > VOICED) & _is_speech(energy_ln)
    height[voiced] = _fundamental(excerpt, np.flatnonzero(voiced), height[voiced])
    height = _smooth(height)
    if voiced.any():
        voiced &= np.abs(height - np.median(height[voiced])) < FAR_OCTAVES
    ends_s = np.cumsum([len(excerpt) for excerpt in excerpts]) / SPEECH_RATE_HZ
    column_of = np.searchsorted(ends_s, np.arange(len(height)) * HOP_S, side="right")
    frames = [column_of == column for column in range(count)]
    peaks = np.array([np.abs(column).max(initial=0.0) for column in columns])
    return Sketch(
        tuple(_SHARES[percent] for percent in np.rint(100 * peaks / max(peaks.max(), 1e-6)).astype(int)),
        tuple(_WHOLE_HZ[_pitch_hz(height[of_column], voiced[of_column])] for of_column in frames),
        _manner(height, voiced, energy_ln),
    )


def _middle(column: np.ndarray) -> np.ndarray:
    kept = min(len(column), round(EXCERPT_S * SPEECH_RATE_HZ))
    before = (len(column) - kept) // 2
    return column[before : before + kept]


def _fundamental(samples: np.ndarray, frames: np.ndarray, height: np.ndarray) -> np.ndarray:
    """The pitch of some frames: a steady tone repeats after several periods as well as after one, and
    `pitch` may take any of these."""
    window = round(WINDOW_S * SPEECH_RATE_HZ)
    padded = np.pad(samples, (0, 2 * window))
    # Every second sample tells enough, in half the time.
    places = (frames * round(HOP_S * SPEECH_RATE_HZ))[:, None] + np.arange(0, window, 2)
    periods = np.rint(SPEECH_RATE_HZ / 2**height).astype(int)

    def likeness(lags: np.ndarray) -> np.ndarray:
        now, later = padded[places], padded[places + lags[:, None]]
        energy = (now**2).sum(axis=1) * (later**2).sum(axis=1)
        return (now * later).sum(axis=1) / np.sqrt(energy + 1e-12)

    like = AS_LIKE * likeness(periods)
    found = height
    for several in (2, 3, 4):
        higher = height + np.log2(several)
        is_like = likeness(np.rint(periods / several).astype(int)) > like
        found = np.where(is_like & (higher < np.log2(HIGHEST_HZ)), higher, found)
    return found


def _smooth(height: np.ndarray) -> np.ndarray:
    if len(height) < SMOOTHED:
        return height
    around = np.pad(height, SMOOTHED // 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(around, SMOOTHED), axis=1)


def _is_speech(energy_ln: np.ndarray) -> np.ndarray:
    return energy_ln > energy_ln.max(initial=-20.0) - QUIET_LN


def _pitch_hz(height: np.ndarray, voiced: np.ndarray) -> int:
    """0 where too little of it is voiced."""
    if not len(height) or voiced.mean() < VOICED_SHARE:
        return 0
    return round(float(2 ** np.median(height[voiced])))


def _manner(height: np.ndarray, voiced: np.ndarray, energy_ln: Sequence[float]) -> Manner:
    energies = np.exp(energy_ln[_is_speech(energy_ln)])
    level_db = 10 * math.log10(energies.mean()) if len(energies) else SILENT_DB
    return Manner(float(2 ** np.median(height[voiced])) if voiced.any() else None, level_db)
