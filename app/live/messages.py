"""What a hands-free conversation is told, and what it tells.

`Inbox` values are posted to `app.live.talk.LiveTalk` by whoever holds the microphone and the loudspeaker (a
socket, a desktop); `Outbox` values come back. Both sides are the same for all of them.
"""

from dataclasses import dataclass

import numpy as np

from app.exchange import Exchange
from app.live.capture import Span
from app.live.machine import State
from app.live.reply import ReplyEvent
from engine.turn import Event


@dataclass(frozen=True, eq=False)
class Sound:
    """(N,) float32 of the microphone at 16 kHz."""

    samples: np.ndarray


@dataclass(frozen=True)
class Played:
    """How much of the newest reply has sounded so far; `is_over` when all that was sent has."""

    duration_s: float
    is_over: bool = False


@dataclass(frozen=True)
class Muted:
    """The microphone is muted from now on, or no longer."""

    is_on: bool


@dataclass(frozen=True)
class Typed:
    """A line in place of speech."""

    text: str


@dataclass(frozen=True)
class Stop:
    """The person wants silence."""


@dataclass(frozen=True)
class AnswerNow:
    """The person says by a button that the turn is over."""


@dataclass(frozen=True)
class Close:
    """The person has left."""


Inbox = Sound | Played | Muted | Typed | Stop | AnswerNow | Close | ReplyEvent


@dataclass(frozen=True)
class Standing:
    """Who has the word. `needed_s` is the silence that would end the turn, while there is one."""

    state: State
    needed_s: float | None = None


@dataclass(frozen=True)
class Caption:
    """The words so far of the turn being spoken; its beginning, `settled`, will not change any more."""

    text: str
    settled: str = ""


@dataclass(frozen=True)
class Volume:
    """The reply's volume: lowered while somebody may be interrupting."""

    is_low: bool


@dataclass(frozen=True)
class Hush:
    """Throw away the sound that was sent but not played. `reply` holds what counts as said."""

    reply: str


@dataclass(frozen=True)
class Reopened:
    """The turn shown last was not over."""


@dataclass(frozen=True)
class Nothing:
    """A turn was given up: its caption means nothing."""


@dataclass(frozen=True)
class Problem:
    """A sentence for the person; the conversation goes on."""

    message: str


Outbox = Standing | Caption | Volume | Hush | Reopened | Nothing | Problem | Span | Exchange | Event
