"""The seam of the ears as a whole: what one listening gives.

`MiniEars` gets words and feeling from one pass; a profile with a separate
recogniser joins an `asr.Transcriber` and a voice head behind the same seam.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from engine.audio import Audio
from engine.baseline import VoiceBaseline


@dataclass(frozen=True)
class Listened:
    """Words and the voice's feeling, before the two are fused.

    `text` is empty and `voice` None when nobody spoke; `speech_s` is how long somebody did.
    """

    text: str
    voice: Mapping[str, float] | None
    speech_s: float
    inference_ms: float
    own_voice: np.ndarray | None = field(default=None, repr=False, compare=False)
    """What the turn adds to the speaker's `VoiceBaseline`; None where nobody spoke, or none is kept."""


class Ears(Protocol):
    """Audio of any length and rate → words, and feeling heard against the speaker's own voice so far."""

    name: str

    def listen(self, audio: Audio, baseline: VoiceBaseline = VoiceBaseline()) -> Listened: ...
