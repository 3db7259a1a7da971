"""Manifests as values, and their audio decoded once into one memory-mapped file.

Called at the start of every training and evaluation. Decoding 9 hours of opus
takes two minutes; the cache is keyed by the manifest's content, so a changed
manifest is decoded anew and a stale cache is never used.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import audio
from engine.errors import AttuneError, BadInput
from train.splits import Split, split_of, voice_split_of

DATA_VARIABLE = "ATTUNE_DATA"
CACHE_VARIABLE = "ATTUNE_TRAIN_CACHE"


@dataclass(frozen=True)
class Clip:
    """One line of a manifest; texts are empty where it says nothing, `text` and `emotion` None.

    `emotion` is as the manifest spells it; whoever needs one of the head's eight labels checks.
    """

    path: Path
    speaker: str
    corpus: str
    language: str
    text: str | None
    emotion: str | None
    split: Split
    duration_s: float
    gender: str = ""
    intensity: str = ""
    line: int = 0
    """Its number in the manifest, from 1, for messages."""


def data_folder() -> Path:
    """The folder that `ATTUNE_DATA` names. Raises `BadInput` when it is not set or not there."""
    folder = os.environ.get(DATA_VARIABLE)
    if not folder or not Path(folder).is_dir():
        raise BadInput(f"Set {DATA_VARIABLE} to the folder that holds speech.jsonl and emotion.jsonl.")
    return Path(folder)


def cache_folder() -> Path:
    """Where what is made once from the data is kept: `ATTUNE_TRAIN_CACHE`, else under the home folder."""
    return Path(os.environ.get(CACHE_VARIABLE, Path.home() / ".cache" / "attune" / "train"))


def read_manifest(path: Path, on_bad: Callable[[BadInput], None] | None = None) -> list[Clip]:
    """The clips of a JSON-lines manifest; audio paths are relative to it.

    Raises `BadInput` with the number of the first line that is not a clip, or goes on where `on_bad`
    takes the error.
    """
    if not path.is_file():
        raise BadInput(f"{path}: there is no such manifest.")
    clips = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                clips.append(_clip(json.loads(line), path.parent, number))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                bad = BadInput(f"{path}, line {number}: not a clip ({error!r}).")
                if on_bad is None:
                    raise bad from error
                on_bad(bad)
    return clips


def _clip(row: dict, folder: Path, line: int) -> Clip:
    speaker = _text(row, "speaker")
    return Clip(
        path=folder / row["audio"],
        speaker=speaker,
        corpus=_text(row, "corpus") or "unnamed",
        language=_text(row, "language") or "en",
        text=_text(row, "text") or None,
        emotion=row.get("emotion"),
        split=voice_split_of(row["prompt"]) if "prompt" in row else split_of(speaker),
        duration_s=float(row.get("duration") or 0.0),
        gender=_text(row, "gender"),
        intensity=_text(row, "intensity"),
        line=line,
    )


def _text(row: dict, key: str) -> str:
    """Manifests of others number their speakers, or say null."""
    value = row.get(key)
    return "" if value is None else str(value)


class AudioCache:
    """Random access to the decoded 16 kHz samples of a list of clips."""

    def __init__(self, clips: Sequence[Clip], samples: np.ndarray, spans: np.ndarray) -> None:
        self.clips = clips
        self._samples = samples  # int16, all clips end to end
        self._spans = spans  # (len(clips), 2), from where to where

    def __len__(self) -> int:
        return len(self.clips)

    def only(self, wanted: Callable[[Clip], bool]) -> "AudioCache":
        """The same cache, as if it held just the clips that are `wanted`."""
        kept = [index for index, clip in enumerate(self.clips) if wanted(clip)]
        return AudioCache([self.clips[index] for index in kept], self._samples, self._spans[kept])

    def samples(self, index: int) -> np.ndarray:
        """(N,) float32 at 16 kHz."""
        start, end = self._spans[index]
        return self._samples[start:end].astype(np.float32) / 32768.0

    def duration_s(self, index: int) -> float:
        start, end = self._spans[index]
        return float(end - start) / audio.SPEECH_RATE_HZ


def cached(clips: Sequence[Clip], progress: Callable[[int, int], None] | None = None) -> AudioCache:
    """Decode `clips`, or map what an earlier run decoded."""
    folder = cache_folder()
    key = _content_key(clips)
    samples_path, offsets_path = folder / f"{key}.i16", folder / f"{key}.npy"
    if not offsets_path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _decode_all(clips, samples_path, offsets_path, progress)
    offsets = np.load(offsets_path, allow_pickle=False)
    spans = np.stack([offsets[:-1], offsets[1:]], axis=1)
    return AudioCache(clips, np.memmap(samples_path, dtype=np.int16, mode="r"), spans)


def _content_key(clips: Iterable[Clip]) -> str:
    digest = hashlib.sha256()
    for clip in clips:
        if not clip.path.is_file():
            raise BadInput(f"{clip.path}: the manifest names this file, but it is not there.")
        digest.update(f"{clip.path.name}\0{clip.path.stat().st_size}\n".encode())
    return digest.hexdigest()[:24]


def _decode_all(
    clips: Sequence[Clip],
    samples_path: Path,
    offsets_path: Path,
    progress: Callable[[int, int], None] | None,
) -> None:
    offsets = np.zeros(len(clips) + 1, dtype=np.int64)
    part = samples_path.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("wb") as out, ProcessPoolExecutor() as pool:
            decoded = pool.map(_decode_one, [clip.path for clip in clips], chunksize=32)
            for index, samples in enumerate(decoded):
                out.write(samples.tobytes())
                offsets[index + 1] = offsets[index] + len(samples)
                if progress:
                    progress(index + 1, len(clips))
    except OSError as error:
        part.unlink(missing_ok=True)
        raise AttuneError(
            f"The decoded audio could not be written to {part.parent}: {error.strerror}."
        ) from error
    part.replace(samples_path)
    np.save(offsets_path, offsets)


def _decode_one(path: Path) -> np.ndarray:
    samples = audio.read(path).samples
    return (np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16)
