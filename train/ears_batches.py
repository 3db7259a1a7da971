"""Which clips make up a training step of the ears, and how a clip becomes tensors.

Words and feeling are trained in the same batches: clips of similar length are
put together whatever they teach, and each carries the weight of its words and
of its feeling. Everything is a function of (seed, epoch, clip), so that a
resumed run sees the same batches.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from engine.ears import alphabet
from engine.ears.feeling import HEAD_EMOTIONS
from engine.ears.mel import log_mel, normalise_level
from engine.ears.network import pad_batch
from train.augment import Augmenter
from train.corpus import AudioCache, Clip

MIN_CLIP_S, MAX_CLIP_S = 0.4, 17.0
POOL_CLIPS = 400
PADDED_FRAMES = 64
"""Lengths in steps of 0.64 s: the CPU kernels cache memory for every new shape (5 MB a step otherwise)."""


@dataclass(frozen=True)
class Teaching:
    """What a corpus contributes: how often its clips are drawn, and the weight of each lesson."""

    share: float = 1.0
    words: float = 0.0
    emotion: float = 0.0
    is_neutral: bool = False
    """Natural reading without a label, taken as neutral with the weight `emotion`."""


@dataclass(frozen=True, eq=False)
class Batch:
    mel: torch.Tensor  # (B, 80, F)
    valid: torch.Tensor  # (B, F / 2) bool
    targets: torch.Tensor  # (sum of target lengths,)
    target_lengths: torch.Tensor  # (B,)
    words_weight: torch.Tensor  # (B,)
    emotion: torch.Tensor  # (B,) class index
    emotion_weight: torch.Tensor  # (B,)


class LengthBatches(Sampler[list[tuple[int, int]]]):
    """Batches of (epoch, clip index) with about `batch_s` seconds of audio each, from one epoch on."""

    def __init__(
        self, cache: AudioCache, teaching: Mapping[str, Teaching], batch_s: float, seed: int, first_step: int
    ) -> None:
        self._cache, self._teaching, self._batch_s = cache, teaching, batch_s
        self._seed, self._first_step = seed, first_step

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        step, epoch = 0, 0
        while True:
            for batch in self._epoch(epoch):
                if step >= self._first_step:
                    yield [(epoch, index) for index in batch]
                step += 1
            epoch += 1

    def steps_per_epoch(self) -> int:
        return len(self._epoch(0))

    def _epoch(self, epoch: int) -> list[list[int]]:
        rng = np.random.default_rng((self._seed, epoch))
        drawn = [
            index
            for index, clip in enumerate(self._cache.clips)
            if MIN_CLIP_S <= self._cache.duration_s(index) <= MAX_CLIP_S
            for _ in range(_copies(self._teaching[clip.corpus].share, rng))
        ]
        rng.shuffle(drawn)
        pools = (drawn[i : i + POOL_CLIPS] for i in range(0, len(drawn), POOL_CLIPS))
        batches = [batch for pool in pools for batch in self._by_length(pool)]
        rng.shuffle(batches)
        return batches

    def _by_length(self, pool: Sequence[int]) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in sorted(pool, key=self._cache.duration_s):
            if batch and (len(batch) + 1) * self._cache.duration_s(index) > self._batch_s:
                yield batch
                batch = []
            batch.append(index)
        if batch:
            yield batch


def _copies(share: float, rng: np.random.Generator) -> int:
    """A share of 0.5 draws a clip every other epoch, 2.0 twice an epoch."""
    return int(share) + (rng.random() < share % 1)


class TrainingClips(Dataset):
    """(epoch, index) → augmented features and targets of one clip."""

    def __init__(
        self, cache: AudioCache, teaching: Mapping[str, Teaching], augmenter: Augmenter, seed: int
    ) -> None:
        self._cache, self._teaching, self._augmenter, self._seed = cache, teaching, augmenter, seed

    def __getitem__(self, key: tuple[int, int]) -> tuple[torch.Tensor, Clip]:
        epoch, index = key
        rng = np.random.default_rng((self._seed, epoch, index))
        clip = self._cache.clips[index]
        has_emotion = self._teaching[clip.corpus].emotion > 0
        samples = self._augmenter.waveform(self._cache.samples(index), rng, has_emotion=has_emotion)
        samples = self._augmenter.gain(normalise_level(samples), rng)
        mel = log_mel(torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32)))
        return self._augmenter.spectrogram(mel, rng), clip

    def collate(self, items: Sequence[tuple[torch.Tensor, Clip]]) -> Batch:
        mel, valid = pad_batch([mel for mel, _ in items], PADDED_FRAMES)
        clips = [clip for _, clip in items]
        lessons = [self._teaching[clip.corpus] for clip in clips]
        targets = [
            alphabet.encode(clip.text) if clip.text and t.words else []
            for clip, t in zip(clips, lessons, strict=True)
        ]
        emotions = [
            clip.emotion or ("neutral" if t.is_neutral else None)
            for clip, t in zip(clips, lessons, strict=True)
        ]
        return Batch(
            mel=mel,
            valid=valid,
            targets=torch.tensor([character for target in targets for character in target]),
            target_lengths=torch.tensor([len(target) for target in targets]),
            words_weight=torch.tensor([t.words for t in lessons]),
            emotion=torch.tensor([HEAD_EMOTIONS.index(emotion or "neutral") for emotion in emotions]),
            emotion_weight=torch.tensor(
                [t.emotion if emotion else 0.0 for emotion, t in zip(emotions, lessons, strict=True)]
            ),
        )
