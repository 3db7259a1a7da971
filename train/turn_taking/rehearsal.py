"""Recorded sentences, ready to be spoken with a pause in them (`train.turn_taking.scenes`).

Where a pause may go is between two words as the ears place them, never as a transcript says: so recordings
in any language serve. Read by `train.turns` and by `tests/bench/turns.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine import audio
from engine.audio import SPEECH_RATE_HZ, Audio
from engine.ears.align import align
from engine.ears.mini import MiniEars
from engine.errors import BadInput
from train.corpus import Clip
from train.turn_taking.scenes import Scene, scene

MAX_SENTENCE_S = 16.0
"""Longer recordings are several sentences, and cost as much to hear as ten short ones."""

EDGE_S = 0.3
"""No pause is inserted closer than that to the beginning or the end."""

PEAK = 0.5
FLOOR_DB = 35.0
"""Speech is what lies within so much of its loudest 10 ms."""

BEFORE_S, AFTER_S = 0.05, 0.02
"""Kept around it."""


@dataclass(frozen=True, eq=False)
class Sentence:
    """(N,) samples at 16 kHz; the speech in it, and the places for a pause, in seconds."""

    clip: Clip
    samples: np.ndarray
    span: tuple[float, float]
    gaps: tuple[float, ...]

    def scene(self, pause_s: float, rng: np.random.Generator) -> Scene:
        """With a pause of that length at one of its gaps, where it has any."""
        gap_s = float(rng.choice(self.gaps)) if self.gaps else None
        return scene(self.samples, self.span, gap_s, pause_s, rng)


def rehearsed(clips: Sequence[Clip], ears: MiniEars) -> Iterator[Sentence]:
    """Those clips that hold one sentence somebody can be heard to say."""
    for clip in clips:
        try:
            sound = audio.read(clip.path).resampled(SPEECH_RATE_HZ)
        except BadInput:
            continue
        if sound.duration_s <= MAX_SENTENCE_S and (found := sentence(clip, sound, ears)):
            yield found


def sentence(clip: Clip, sound: Audio, ears: MiniEars) -> Sentence | None:
    """None where nobody is heard to speak."""
    samples = sound.samples * np.float32(PEAK / max(1e-6, np.abs(sound.samples).max(initial=0.0)))
    encoded, _ = ears.encode(Audio(samples, SPEECH_RATE_HZ))
    if not encoded:
        return None
    words = [
        (each.start_s + word.start_s, each.start_s + word.end_s)
        for each in encoded
        for word in align(each.log_probs, ears.words(each))
    ]
    frame = SPEECH_RATE_HZ // 100
    power = (samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (-FLOOR_DB / 10))
    span = max(0.0, loud[0] / 100 - BEFORE_S), min(sound.duration_s, (loud[-1] + 1) / 100 + AFTER_S)
    between = [(left[1] + right[0]) / 2 for left, right in pairwise(words)]
    return Sentence(clip, samples, span, tuple(s for s in between if span[0] + EDGE_S < s < span[1] - EDGE_S))
