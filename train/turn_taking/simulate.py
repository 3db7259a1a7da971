"""A strategy on a scene, in virtual time: when would it have answered?

Used by `python -m train turns` to choose waits, and by `tests/bench/turns.py` to compare strategies. The same
detector, hysteresis and pauses as in a live conversation (`app.live`), without the threads.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from engine.audio import SPEECH_RATE_HZ, Audio
from engine.conversation import Heard
from engine.hearing import Listened
from engine.turns import GUESS_AFTER_S, RECENT_S, EndOfTurn, Pause
from engine.turns.activity import Activity
from engine.vad import Detector
from train.turn_taking.scenes import Scene

Complete = Callable[[Pause, np.ndarray], Pause]
"""Adds to a pause what the ears make of (N,) samples, all of the turn so far."""


def by_ear(hear: Callable[[Audio], Heard | Listened]) -> Complete:
    """What `Engine.hear` or `Ears.listen` would tell a live conversation."""

    def complete(pause: Pause, samples: np.ndarray) -> Pause:
        heard = hear(Audio(samples, SPEECH_RATE_HZ))
        emotion = heard.emotion if isinstance(heard, Heard) else None
        return replace(pause, text=heard.text, emotion=emotion, ending=heard.ending)

    return complete


@dataclass(frozen=True, eq=False)
class Silence:
    """From `start_s` to `end_s` nobody speaks, as the detector sees it; `pause` is how it looked when it had
    just become long enough for an answer to be prepared."""

    start_s: float
    end_s: float
    pause: Pause


@dataclass(frozen=True)
class Outcome:
    """`is_cut`: the turn was ended before its end. Else `wait_s` is how long after it."""

    is_cut: bool
    wait_s: float


def silences(samples: np.ndarray, detector: Detector, complete: Complete) -> Iterator[Silence]:
    """The long enough silences of (N,) samples at 16 kHz."""
    frame_s = detector.frame_s
    probabilities = detector.probabilities(Audio(samples, SPEECH_RATE_HZ))
    frames = math.ceil(GUESS_AFTER_S / frame_s)
    began = None
    start = length = 0
    for is_speech, run in groupby(Activity(frame_s).feed(probabilities)):
        start, length = start + length, sum(1 for _ in run)
        if is_speech:
            began = start if began is None else began
        elif began is not None and length >= frames:
            so_far = samples[: round((start + frames) * frame_s * SPEECH_RATE_HZ)]
            recent = so_far[-round(RECENT_S * SPEECH_RATE_HZ) :]
            pause = Pause(frames * frame_s, (start - began) * frame_s, recent)
            yield Silence(start * frame_s, (start + length) * frame_s, complete(pause, so_far))


def simulate(scene: Scene, its_silences: Sequence[Silence], frame_s: float, strategy: EndOfTurn) -> Outcome:
    """Let `strategy` wait through the silences of `scene`; who never answers has waited until all is over."""
    answered_s = len(scene.samples) / SPEECH_RATE_HZ
    for silence in its_silences:
        if (needed_s := _ended_after(silence, frame_s, strategy)) is not None:
            answered_s = silence.start_s + needed_s
            break
    wait_s = answered_s - scene.end_s
    return Outcome(is_cut=wait_s < 0, wait_s=wait_s)


def _ended_after(silence: Silence, frame_s: float, strategy: EndOfTurn) -> float | None:
    silence_s = silence.pause.silence_s
    while silence_s <= silence.end_s - silence.start_s:
        if silence_s >= strategy.needed_silence_s(replace(silence.pause, silence_s=silence_s)):
            return silence_s
        silence_s += frame_s
    return None
