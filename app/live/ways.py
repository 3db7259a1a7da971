"""The ways of taking turns that a person may choose from, by the name that settings and sockets use."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from app.live.talk import Strategies
from engine.turns import EndOfTurn, Pause
from engine.turns.interruption import ByLengthAndWords
from engine.turns.silence import Silence

BUTTON = "button"
"""Push to talk: no silence ends a turn, only letting go of the button does."""

ENDS: dict[str, Callable[[], EndOfTurn]] = {Silence.name: Silence}
"""What may decide that a turn is over; the first is the default."""


@dataclass(frozen=True)
class ByButton:
    """Waits for `AnswerNow`."""

    name = BUTTON

    def needed_silence_s(self, pause: Pause) -> float:
        return math.inf


def strategies(end: str, *, hears_while_speaking: bool) -> Strategies:
    """An end that is not known, as one of an older page, is the default."""
    make = ByButton if end == BUTTON else ENDS.get(end, next(iter(ENDS.values())))
    return Strategies(make(), ByLengthAndWords(), hears_while_speaking)
