"""The seam of the ears as a whole: what one listening gives.

`MiniEars` gets words and feeling from one pass; a profile with a separate
recogniser joins an `asr.Transcriber` and a voice head behind the same seam.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.audio import Audio


@dataclass(frozen=True)
class Listened:
    """Words and the voice's feeling, before the two are fused.

    `text` is empty and `voice` None when nobody spoke; `speech_s` is how long somebody did.
    """

    text: str
    voice: Mapping[str, float] | None
    speech_s: float
    inference_ms: float


class Ears(Protocol):
    """Audio of any length and rate → words and feeling."""

    name: str

    def listen(self, audio: Audio) -> Listened: ...
