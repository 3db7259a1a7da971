"""The seam through which words are heard."""

from dataclasses import dataclass
from typing import Protocol

from engine.audio import Audio


@dataclass(frozen=True)
class Word:
    """One recognised word; times count from the beginning of the recording.

    `confidence` is the probability that the word is right.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """Recognised words; empty text means that nothing was said.

    `words` is empty where the recogniser does not tell them apart.
    """

    text: str
    inference_ms: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Partial:
    """The words so far, while somebody still speaks.

    `settled` is the beginning of `text`, in whole words, that all later partials of the turn keep.
    """

    text: str
    settled: str = ""


class Transcriber(Protocol):
    """Audio of any length → text. Silence gives an empty transcript, never an invented one."""

    def transcribe(self, audio: Audio) -> Transcript: ...
