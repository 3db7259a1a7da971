"""Who is trained on and who is kept for measuring: decided by the speaker's name alone.

Used by every command in `train`, so that no figure is ever taken on a speaker
that some part of the model has heard.
"""

import hashlib
from typing import Literal

Split = Literal["train", "validation", "test"]

ALWAYS_TEST = frozenset(f"ravdess_{actor}" for actor in (17, 18, 19, 20))
VOICE_TEST_FROM = "arctic_a1000"


def split_of(speaker: str) -> Split:
    """The split of a manifest's `speaker`: one in ten test, one in ten validation."""
    if speaker in ALWAYS_TEST:
        return "test"
    return {0: "test", 1: "validation"}.get(_bucket(speaker), "train")


def voice_split_of(prompt: str) -> Split:
    """The split of a recording in `voice.jsonl`, which has one speaker: by prompt name.

    Names sort, so `arctic_a1000` and up also takes the whole b set: half of the recordings.
    """
    return "test" if prompt >= VOICE_TEST_FROM else "train"


def noise_split_of(name: str) -> Split:
    """The split of a recording in `noise.jsonl`, by its file name: one in ten is only ever measured with."""
    return "test" if _bucket(name) == 0 else "train"


def _bucket(name: str) -> int:
    """One of ten, always the same for a name."""
    return int(hashlib.sha1(name.encode()).hexdigest(), 16) % 10
