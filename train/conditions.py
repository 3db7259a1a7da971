"""A recording as it is, in noise, or over a telephone: what the robustness of the ears is measured on.

The noises are those that training leaves out (`train.splits.noise_split_of`). Which noise a clip gets, and
from where, follows from the clip alone, so that every run and every model hears the same.
"""

import argparse
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import soxr

from engine import audio
from engine.audio import SPEECH_RATE_HZ, Audio
from train.augment import add_noise, read_noises

PHONE_RATE_HZ = 8_000
PHONE_BAND_HZ = (300.0, 3400.0)
PHONE_EDGE_HZ = 60.0
"""How far outside the band the filter takes to close."""


class HeardAs(Protocol):
    """What happens to a recording on its way to the ears; the same name, the same sound."""

    @property
    def name(self) -> str: ...

    def read(self, path: Path) -> Audio: ...


@dataclass(frozen=True)
class Condition:
    noise_db: float | None = None
    """Mean power of the clip over that of the noise."""
    is_phone: bool = False

    @property
    def name(self) -> str:
        noise = f"{self.noise_db:g} dB" if self.noise_db is not None else ""
        return " ".join(filter(None, (noise, "phone" if self.is_phone else ""))) or "clean"

    def read(self, path: Path) -> Audio:
        """The recording under this condition, at 16 kHz. Raises `BadInput` when it cannot be read."""
        sound = audio.read(path)
        samples = sound.samples
        if self.noise_db is not None:
            seed = hashlib.sha256(path.read_bytes() + self.name.encode()).digest()
            rng = np.random.default_rng(list(seed))
            noises = _noises()
            samples = add_noise(samples, noises[rng.integers(len(noises))], self.noise_db, rng)
        return Audio(over_phone(samples) if self.is_phone else samples, sound.sample_rate_hz)


CLEAN = Condition()
CURVE = (CLEAN, *(Condition(noise_db) for noise_db in (20.0, 10.0, 5.0, 0.0)), Condition(is_phone=True))
"""Clean, ever louder noise, and the telephone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--noise-db", type=float, metavar="DB", help="add noise this far below the speech")
    parser.add_argument("--phone", action="store_true", help="through a telephone's band, 300–3400 Hz")


def chosen(args: argparse.Namespace) -> Condition:
    return Condition(args.noise_db, args.phone)


def over_phone(samples: np.ndarray) -> np.ndarray:
    """(N,) float32 at 16 kHz → the same through 8 kHz and 300–3400 Hz, edges falling as raised cosines."""
    narrow = soxr.resample(samples, SPEECH_RATE_HZ, PHONE_RATE_HZ)
    low_hz, high_hz = PHONE_BAND_HZ
    hz = np.fft.rfftfreq(len(narrow), 1 / PHONE_RATE_HZ)
    outside_hz = np.maximum(low_hz - hz, hz - high_hz).clip(0.0, PHONE_EDGE_HZ)
    gain = 0.5 + 0.5 * np.cos(np.pi * outside_hz / PHONE_EDGE_HZ)
    filtered = np.fft.irfft(np.fft.rfft(narrow) * gain, len(narrow)).astype(np.float32)
    return soxr.resample(filtered, PHONE_RATE_HZ, SPEECH_RATE_HZ)


@lru_cache(maxsize=1)
def _noises() -> list[np.ndarray]:
    return read_noises("test")
