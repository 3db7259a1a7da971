"""The ways of taking turns that a person may choose from, by the name that settings and sockets use."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from engine.turns import EndOfTurn, Interruption, MakeEnd, Pause
from engine.turns.interruption import ByLengthAndWords

BUTTON = "button"
"""Push to talk: no silence ends a turn, only letting go of the button does."""


@dataclass(frozen=True)
class Strategies:
    """How this conversation takes turns; chosen in the settings."""

    end: EndOfTurn
    interruption: Interruption
    hears_while_speaking: bool = True
    """False is half duplex: the microphone counts for nothing while a reply sounds."""


@dataclass(frozen=True)
class ByButton:
    """Waits for `AnswerNow`."""

    name = BUTTON

    def needed_silence_s(self, pause: Pause) -> float:
        return math.inf


@dataclass(frozen=True)
class Patient:
    """Another end, for a person who wants to be waited for longer, or less: `patience` times as long."""

    end: EndOfTurn
    patience: float

    @property
    def name(self) -> str:
        return self.end.name

    def needed_silence_s(self, pause: Pause) -> float:
        return self.patience * self.end.needed_silence_s(pause)


def strategies(
    ends: Mapping[str, MakeEnd], end: str, *, hears_while_speaking: bool, patience: float = 1.0
) -> Strategies:
    """Those of an engine's `ends`; one that is not known, as one of an older page, is the default."""
    make = ByButton if end == BUTTON else ends.get(end, next(iter(ends.values())))
    return Strategies(Patient(make(), patience), ByLengthAndWords(), hears_while_speaking)
