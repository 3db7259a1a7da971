"""The conversation as the mind sees it: a sequence of turns, newest last.

`Heard` is what the ears made of one user turn; `Turn` is one line of the
conversation. Both are plain values: who owns the conversation (a page session,
a command line) keeps its own tuple of turns and passes it in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engine.asr import Word
from engine.audio import Audio
from engine.emotion import NOTHING_HEARD, Emotion
from engine.sketch import Sketch

Stale = Callable[[], bool]
"""Asked between steps by whoever works for a turn: True means stop, nobody wants the result any more."""


def never() -> bool:
    """The `Stale` of work that cannot be cancelled."""
    return False


@dataclass(frozen=True)
class Heard:
    """One user turn after the ears: words, feeling and what it cost.

    An empty `text` is silence, or speech without a word that could be made out
    (`speech_s` above 0), or `is_foreign`: it does not sound English, so that only the feeling
    was heard. `is_typed` turns carry feeling from words only.
    """

    text: str
    emotion: Emotion = NOTHING_HEARD
    duration_s: float = 0.0
    speech_s: float = 0.0
    is_typed: bool = False
    is_foreign: bool = False
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    audio: Audio | None = field(default=None, repr=False, compare=False)
    """The sound itself, for a mind that listens too (`Responder.listens_s`); else None."""
    own_voice: np.ndarray | None = field(default=None, repr=False, compare=False)
    """What the turn adds to the speaker's `VoiceBaseline`, where it adds something."""
    words: tuple[Word, ...] = ()
    """The words of `text` one by one with their confidence, where the ears tell them apart."""
    ending: np.ndarray | None = field(default=None, repr=False, compare=False)
    """How the voice fell silent, while it is open whether the turn is over (`engine.turns`)."""
    sketch: Sketch | None = field(default=None, repr=False)
    """The outline of its sound; None for typed turns and silence."""

    @property
    def is_silence(self) -> bool:
        return not self.text.strip() and not self.is_foreign


@dataclass(frozen=True)
class Turn:
    """One line of the conversation. `emotion`, `is_typed` and `audio` belong to user turns only."""

    role: Literal["user", "assistant"]
    text: str
    emotion: Emotion | None = None
    audio: Audio | None = field(default=None, repr=False, compare=False)
    is_typed: bool = False
