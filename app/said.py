"""What of a reply counts as said when it is interrupted: the words that the person has heard.

Asked by `app.session` with the seconds of sound that were really played.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.tts import AudioChunk

INTERRUPTED = "—"
"""Ends a reply of which only the beginning was heard: for the person to see, and for the mind to know."""

SOUNDING = 1e-3
"""Samples below this are the pause after a phrase."""


@dataclass(frozen=True)
class Phrase:
    """Words as sound: how long they take, and how long the pause after them lasts."""

    text: str
    speech_s: float
    pause_s: float = 0.0

    @classmethod
    def of(cls, chunk: AudioChunk) -> "Phrase":
        sounding = np.flatnonzero(np.abs(chunk.audio.samples) > SOUNDING)
        speech_s = (sounding[-1] + 1) / chunk.audio.sample_rate_hz if len(sounding) else 0.0
        return cls(chunk.text, speech_s, chunk.audio.duration_s - speech_s)

    def said_in(self, played_s: float) -> str:
        """The words that are complete by then, as if every letter took the same time."""
        if played_s >= self.speech_s:
            return self.text
        letters = round(len(self.text) * played_s / self.speech_s)
        return self.text[: max(self.text.rfind(" ", 0, letters + 1), 0)]


def said_of(reply: str, phrases: Sequence[Phrase], played_s: float) -> str:
    """The words of `reply` in the first `played_s` of its `phrases`, with a mark where more was to come."""
    end = 0
    for phrase in phrases:
        if played_s <= 0:
            break
        # What cannot be spoken lies between the phrases, and the mark at the end may have become another.
        begins = (reply.find(text, end) for text in (phrase.text, phrase.text[:-1]))
        if (begin := next((begin for begin in begins if begin >= 0), None)) is not None:
            end = begin + len(phrase.said_in(played_s))
        played_s -= phrase.speech_s + phrase.pause_s
    said, rest = reply[:end].strip(), reply[end:].strip()
    return f"{said} {INTERRUPTED}" if said and rest else said
