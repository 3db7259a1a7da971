"""The voice: text and style → audio, phrase by phrase. `Synthesizer` is its seam."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from engine.audio import Audio
from engine.conversation import Stale, never

SAMPLE_RATE_HZ = 24_000
"""Every synthesizer delivers this rate, whatever its model was trained at."""

STYLES = ("neutral", "warm", "cheerful", "gentle", "calm", "excited", "concerned", "playful")


@dataclass(frozen=True)
class Style:
    """How something is said. `strength` 0 is plain, 1 is the full style.

    `speed` and `voice` are the person's own wishes: 1.2 is a fifth faster; a voice that
    the synthesizer does not have, or none, leaves its own.
    """

    name: str = "neutral"
    strength: float = 1.0
    speed: float = 1.0
    voice: str = ""


@dataclass(frozen=True, eq=False)
class AudioChunk:
    """A stretch of speech ready to play, and the words it says."""

    audio: Audio
    text: str


class Synthesizer(Protocol):
    """Speaks one phrase at a time, streaming; stops when `stale()` turns true."""

    name: str

    def voices(self) -> tuple[str, ...]: ...

    def speak(self, text: str, style: Style = Style(), stale: Stale = never) -> Iterator[AudioChunk]: ...
