"""Harder audio than the corpora hold: rooms, noise, speed, a narrow band, and masked spectrograms.

Called on every training clip, never when measuring. Speed stays within 10 %
for words and 5 % for feeling, because pitch and tempo carry the feeling.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr
import torch

from engine import audio
from engine.audio import SPEECH_RATE_HZ
from train.corpus import data_folder, read_manifest
from train.splits import Split, noise_split_of

NARROW_BAND_HZ = 8_000
HOME_REVERBERATION_S = 1.0


@dataclass(frozen=True)
class AugmentOptions:
    """Probabilities and ranges, as the recipe's `augment` gives them."""

    noise_probability: float = 0.4
    noise_snr_db: tuple[float, float] = (5.0, 30.0)
    room_probability: float = 0.2
    speed_probability: float = 0.5
    speed_range: float = 0.1
    emotion_speed_range: float = 0.05
    narrow_band_probability: float = 0.1
    gain_db: float = 6.0
    edge_probability: float = 0.5
    edge_s: tuple[float, float] = (0.2, 1.2)
    """How much of the silence around the speech is kept where a clip's edges are cut."""
    time_masks: int = 2
    time_mask_frames: int = 40
    frequency_masks: int = 2
    frequency_mask_bins: int = 15


class Augmenter:
    """Random changes to waveforms and spectrograms; every call is given its own generator."""

    def __init__(
        self, options: AugmentOptions, noises: Sequence[np.ndarray], rooms: Sequence[np.ndarray]
    ) -> None:
        self.options = options
        self._noises = noises
        self._rooms = rooms

    @classmethod
    def from_data(cls, options: AugmentOptions) -> "Augmenter":
        """With the noises and the room responses of the data folder (those that could be a home)."""
        return cls(options, read_noises("train"), read_rooms())

    def waveform(self, samples: np.ndarray, rng: np.random.Generator, *, has_emotion: bool) -> np.ndarray:
        """(N,) float32 at 16 kHz → another such, up to a tenth longer or shorter."""
        options = self.options
        if rng.random() < options.edge_probability:
            samples = _cut_edges(samples, rng.uniform(*options.edge_s), rng.uniform(*options.edge_s))
        if rng.random() < options.speed_probability:
            reach = options.emotion_speed_range if has_emotion else options.speed_range
            samples = soxr.resample(samples, 1.0 + rng.uniform(-reach, reach), 1.0)
        if rng.random() < options.room_probability and self._rooms:
            samples = in_room(samples, self._rooms[rng.integers(len(self._rooms))])
        if rng.random() < options.noise_probability and self._noises:
            noise = self._noises[rng.integers(len(self._noises))]
            samples = add_noise(samples, noise, rng.uniform(*options.noise_snr_db), rng)
        if rng.random() < options.narrow_band_probability:
            narrow = soxr.resample(samples, SPEECH_RATE_HZ, NARROW_BAND_HZ)
            samples = soxr.resample(narrow, NARROW_BAND_HZ, SPEECH_RATE_HZ)
        return samples

    def gain(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A last change of level, after normalisation, for what normalisation gets wrong."""
        return samples * 10 ** (rng.uniform(-self.options.gain_db, self.options.gain_db) / 20)

    def spectrogram(self, mel: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """SpecAugment (Park et al. 2019) on (80, F): masked stretches get the clip's mean."""
        options, (bins, frames), mean = self.options, mel.shape, mel.mean()
        mel = mel.clone()
        for _ in range(options.frequency_masks):
            width = int(rng.integers(options.frequency_mask_bins + 1))
            start = int(rng.integers(bins - width + 1))
            mel[start : start + width] = mean
        # Long clips get as many masks a second as 5 s clips.
        for _ in range(max(1, round(options.time_masks * frames / 500))):
            width = int(rng.integers(min(options.time_mask_frames, frames // 8) + 1))
            start = int(rng.integers(frames - width + 1))
            mel[:, start : start + width] = mean
        return mel


def in_room(samples: np.ndarray, room: np.ndarray) -> np.ndarray:
    """(N,) a clip in a room, aligned on the direct sound and cut to its length."""
    direct = int(np.abs(room).argmax())
    size = len(samples) + len(room) - 1
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(room, size), size)
    return wet[direct : direct + len(samples)].astype(np.float32)


def read_noises(split: Split) -> list[np.ndarray]:
    """The noises of the data folder to train with, or those kept for measuring: each (N,) at 16 kHz."""
    clips = read_manifest(data_folder() / "noise.jsonl")
    return [audio.read(clip.path).samples for clip in clips if noise_split_of(clip.path.name) == split]


def read_rooms() -> list[np.ndarray]:
    """The responses of the data folder's rooms that could be a home: each (N,) at 16 kHz."""
    rooms = [audio.read(clip.path).samples for clip in read_manifest(data_folder() / "rir.jsonl")]
    return [room for room in rooms if _decay_s(room) < HOME_REVERBERATION_S]


def add_noise(samples: np.ndarray, noise: np.ndarray, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    """`snr_db` is the clip's mean power over the noise's; a short noise is repeated, from a random place."""
    repeats = -(-len(samples) // len(noise)) + 1
    start = int(rng.integers(len(noise)))
    noise = np.tile(noise, repeats)[start : start + len(samples)]
    speech_power, noise_power = np.mean(samples**2) + 1e-12, np.mean(noise**2) + 1e-12
    return samples + noise * np.sqrt(speech_power / noise_power / 10 ** (snr_db / 10)).astype(np.float32)


def _cut_edges(samples: np.ndarray, before_s: float, after_s: float) -> np.ndarray:
    """At most so much silence around the speech, as when a detector cuts a turn out of a recording.

    Speech is what lies within 30 dB of the loudest 20 ms.
    """
    frame = SPEECH_RATE_HZ // 50
    energy = (samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(1)
    loud = np.nonzero(energy > energy.max(initial=0.0) * 1e-3)[0] * frame
    if not len(loud):
        return samples
    start = max(0, loud[0] - round(before_s * SPEECH_RATE_HZ))
    return samples[start : loud[-1] + frame + round(after_s * SPEECH_RATE_HZ)]


def _decay_s(room: np.ndarray) -> float:
    """Seconds until the energy that is still to come has fallen by 30 dB, doubled: a rough RT60."""
    remaining = np.cumsum(room[::-1] ** 2)[::-1]
    below = np.nonzero(remaining < remaining[0] * 1e-3)[0]
    return 2 * (below[0] if len(below) else len(room)) / SPEECH_RATE_HZ
