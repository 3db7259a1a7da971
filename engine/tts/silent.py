"""No voice: the last rung of the ladder, when nothing that can speak is at hand.

The conversation goes on as text. It yields no audio rather than silence of a
likely length: the page must not show "speaking" over nothing.
"""

from collections.abc import Iterator

from engine.conversation import Stale, never
from engine.tts import AudioChunk, Style


class SilentVoice:
    """A `Synthesizer` that says nothing."""

    name = "silent"

    def voices(self) -> tuple[str, ...]:
        return ()

    def speak(self, text: str, style: Style = Style(), stale: Stale = never) -> Iterator[AudioChunk]:
        return iter(())
