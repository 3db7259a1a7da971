"""What one person wants of the voice, joined to an engine that everybody shares."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.conversation import Stale, never
from engine.facade import Engine
from engine.tts import AudioChunk, Style, Synthesizer

SPEEDS = (0.7, 1.5)
"""The slowest and the fastest that stay pleasant."""


@dataclass(frozen=True)
class Preferences:
    """`voice` is one of `Synthesizer.voices()`, or empty for its own; `speed` 1 is the voice's own."""

    voice: str = ""
    speed: float = 1.0

    @classmethod
    def wished(cls, voice: str, speed: float) -> "Preferences":
        """As a page asks for them: a speed out of range is the nearest one in it."""
        slowest, fastest = SPEEDS
        return cls(voice, min(max(speed, slowest), fastest))


@dataclass(frozen=True)
class PreferredVoice:
    """A `Synthesizer` that speaks as somebody prefers."""

    voice: Synthesizer
    preferences: Preferences

    @property
    def name(self) -> str:
        return self.voice.name

    def voices(self) -> tuple[str, ...]:
        return self.voice.voices()

    def speak(self, text: str, style: Style = Style(), stale: Stale = never) -> Iterator[AudioChunk]:
        wished = replace(style, speed=self.preferences.speed, voice=self.preferences.voice)
        return self.voice.speak(text, wished, stale)


def with_preferences(engine: Engine, preferences: Preferences) -> Engine:
    return replace(engine, voice=PreferredVoice(engine.voice, preferences))
