"""Training clips heard again, as if on another day: another microphone, room or noise, or another person.

Called by `train.feeling` for what the corpora lack. A voice baseline is kept of one talk, so up to
`clips` recordings of a speaker share one sitting, and with it all that does not change within a talk.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soxr

from engine import audio
from engine.audio import Audio
from train.augment import add_noise, in_room, read_noises, read_rooms
from train.conditions import over_phone
from train.corpus import Clip
from train.evaluation.speakers import who


@dataclass(frozen=True)
class SittingOptions:
    """The recipe's `sittings`: how many a clip is heard in, their size, and what may befall them."""

    copies: int = 1
    clips: int = 40
    speed_probability: float = 0.6
    speed_range: float = 0.16
    """Pitch, formants and tempo of another person, as a share up or down."""
    room_probability: float = 0.3
    phone_probability: float = 0.3
    noise_probability: float = 0.5
    noise_db: tuple[float, float] = (3.0, 25.0)


@dataclass(frozen=True)
class Sitting:
    """The circumstances of one; see `train.conditions.HeardAs`."""

    number: int
    speed: float
    room: int | None
    is_phone: bool
    noise_db: float | None

    @property
    def name(self) -> str:
        return f"sitting {self.speed:.3f} {self.room} {self.is_phone} {self.noise_db}"

    def read(self, path: Path) -> Audio:
        """The recording as it sounds there, at 16 kHz. Raises `BadInput` when it cannot be read."""
        sound = audio.read(path)
        samples = soxr.resample(sound.samples, self.speed, 1.0)
        if self.room is not None:
            samples = in_room(samples, _rooms()[self.room])
        if self.noise_db is not None:
            rng = np.random.default_rng(list(hashlib.sha256(path.read_bytes() + self.name.encode()).digest()))
            noises = _noises()
            samples = add_noise(samples, noises[rng.integers(len(noises))], self.noise_db, rng)
        return Audio(over_phone(samples) if self.is_phone else samples, sound.sample_rate_hz)


def again(clips: Sequence[Clip], options: SittingOptions, seed: int) -> list[tuple[Clip, Sitting]]:
    """Every clip in `copies` sittings, which are numbered from 1 and drawn from its speaker's name alone."""
    turns_of: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        turns_of.setdefault(who(clip), []).append(clip)
    heard, number = [], 0
    for speaker, turns in sorted(turns_of.items()):
        rng = np.random.default_rng([seed, *hashlib.sha256(" ".join(speaker).encode()).digest()])
        for _ in range(options.copies):
            order = rng.permutation(len(turns))
            for start in range(0, len(order), options.clips):
                number += 1
                sitting = _draw(number, options, rng)
                heard += [(turns[index], sitting) for index in order[start : start + options.clips]]
    return heard


def _draw(number: int, options: SittingOptions, rng: np.random.Generator) -> Sitting:
    def happens(probability: float) -> bool:
        return bool(rng.random() < probability)

    reach = np.log1p(options.speed_range)
    speed = np.exp(rng.uniform(-reach, reach)) if happens(options.speed_probability) else 1.0
    room = int(rng.integers(len(_rooms()))) if happens(options.room_probability) and _rooms() else None
    is_phone = happens(options.phone_probability)
    is_noisy = happens(options.noise_probability) and _noises()
    noise_db = round(float(rng.uniform(*options.noise_db)), 1) if is_noisy else None
    return Sitting(number, round(float(speed), 3), room, is_phone, noise_db)


@lru_cache(maxsize=1)
def _noises() -> list[np.ndarray]:
    return read_noises("train")


@lru_cache(maxsize=1)
def _rooms() -> list[np.ndarray]:
    return read_rooms()
