"""Whose turn it is: when a sentence is over rather than paused, and what a sound during the reply means.

Asked by `app.live` while a person talks hands-free. Each way of deciding is a small class behind one of the
two seams here, chosen by the profile or in the settings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np

from engine.emotion import Emotion

GUESS_AFTER_S = 0.2
"""Silence after which an answer is prepared, from all that the ears heard; shorter ones lie between words."""

RECENT_S = 8.0
"""So much of the sound a strategy may look at."""


@dataclass(frozen=True, eq=False)
class Pause:
    """What is known while a person is silent within, or after, a turn."""

    silence_s: float
    speech_s: float
    """How long the turn lasted until the silence began."""
    samples: np.ndarray
    """(N,) at 16 kHz: the turn's last seconds, the silence included."""
    text: str = ""
    """The words so far."""
    emotion: Emotion | None = None
    was_asked: bool = False
    """Whether the reply before ended in a question."""
    own_pauses_s: tuple[float, ...] = ()
    """The pauses that this person made within turns, oldest first."""
    ending: np.ndarray | None = None
    """What the ears make of how the voice fell silent (`engine.ears.ending`); None until the silence has
    lasted long enough for an answer to be prepared."""


class EndOfTurn(Protocol):
    """Decides how much silence ends a turn."""

    name: str

    def needed_silence_s(self, pause: Pause) -> float:
        """The turn is over once `pause.silence_s` reaches this; asked anew as the silence grows."""
        ...


MakeEnd = Callable[[], EndOfTurn]
"""One for each conversation: it may remember what it made of a pause for as long as that lasts."""


class Verdict(Enum):
    """What a sound during the reply is."""

    UNCLEAR = "unclear"
    BACKCHANNEL = "backchannel"
    """A sign of listening, a cough, or the reply's own echo: no reason to stop."""
    SPEECH = "speech"


@dataclass(frozen=True, eq=False)
class Onset:
    """A sound that began while the reply was being spoken."""

    duration_s: float
    speech_s: float
    """How much of that was speech, as far as the detector can tell."""
    text: str
    """The words made out so far."""
    being_said: str
    """The reply's words that were sounding meanwhile, or shortly before."""
    reply_age_s: float
    """Since the reply began to sound. Echo cancellers need most of the first second to adapt."""


class Interruption(Protocol):
    """Decides whether a person wants the word or only listens along."""

    name: str

    def judge(self, onset: Onset) -> Verdict: ...
