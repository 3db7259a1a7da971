"""The seam through which words are heard."""

from dataclasses import dataclass
from typing import Protocol

from engine.audio import Audio


@dataclass(frozen=True)
class Transcript:
    """Recognised words; empty text means that nothing was said."""

    text: str
    inference_ms: float


class Transcriber(Protocol):
    """Audio of any length → text. Silence gives an empty transcript, never an invented one."""

    def transcribe(self, audio: Audio) -> Transcript: ...
