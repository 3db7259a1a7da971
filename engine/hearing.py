"""The seam of the ears as a whole: what one listening gives.

`MiniEars` gets words and feeling from one pass; a profile with a separate
recogniser joins an `asr.Transcriber` and a voice head behind the same seam.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from engine.asr import Partial, Word
from engine.audio import Audio
from engine.baseline import VoiceBaseline


@dataclass(frozen=True)
class Listened:
    """Words and the voice's feeling, before the two are fused.

    `text` is as a person would write it; whoever compares words takes `engine.ears.alphabet.normalise` of
    it. It is empty and `voice` None when nobody spoke; `speech_s` is how long somebody did.
    """

    text: str
    voice: Mapping[str, float] | None
    speech_s: float
    inference_ms: float
    own_voice: np.ndarray | None = field(default=None, repr=False, compare=False)
    """What the turn adds to the speaker's `VoiceBaseline`; None where nobody spoke, or none is kept."""
    words: tuple[Word, ...] = ()
    """The words of `text` one by one, where the recogniser tells them apart."""
    is_foreign: bool = False
    """It does not sound English, so that `text` is empty although somebody spoke."""
    ending: np.ndarray | None = field(default=None, repr=False, compare=False)
    """How the voice fell silent, for ears that can tell (`engine.ears.ending`)."""


@dataclass(frozen=True)
class VoiceSpace:
    """What the numbers of a `VoiceBaseline` mean: only for ears of the same space does it tell anything."""

    ears: str = ""
    width: int = 0
    """Of a baseline's mean; 0 for ears that keep none."""


class EarsStream(Protocol):
    """One turn, heard while it is spoken.

    All work is done inside `feed`, mostly a millisecond, now and then some tens of them, so that it belongs
    in a worker thread and never in an event loop. One thread at a time; streams of the same ears are
    independent. Time is that of the sound alone: however late or in whatever pieces it arrives, the same
    sound gives the same words.
    """

    @property
    def sound(self) -> Audio:
        """The turn so far, from shortly before somebody spoke; empty until then."""
        ...

    @property
    def silence_s(self) -> float | None:
        """For how long nobody has spoken; None before the first word."""
        ...

    def feed(self, samples: np.ndarray) -> Partial | None:
        """The next (N,) samples at 16 kHz, float −1 to 1 or integers, of any length → the words, where
        they changed.

        Raises `BadInput` for what is not sound, and after `finish`.
        """
        ...

    def so_far(self) -> Listened:
        """What `finish` would say now, while the turn stays open: for work ahead in a pause, which costs
        nothing where the turn then goes on."""
        ...

    def finish(self) -> Listened:
        """The turn is over: the same as `Ears.listen` of it. Raises `BadInput` when it already was."""
        ...


class Ears(Protocol):
    """Audio of any length and rate → words, and feeling heard against the speaker's own voice so far.

    `recent` are messages of the talk that are spelled right; their rare words are expected again.
    """

    name: str

    @property
    def voice_space(self) -> VoiceSpace: ...

    def listen(
        self, audio: Audio, baseline: VoiceBaseline = VoiceBaseline(), recent: Sequence[str] = ()
    ) -> Listened: ...

    def stream(self, baseline: VoiceBaseline = VoiceBaseline(), recent: Sequence[str] = ()) -> EarsStream: ...
