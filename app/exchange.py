"""One turn of a person's with its answer, as a conversation remembers it.

Made by `app.session` when a turn has been heard, replaced by newer values while it is answered; read by
everything that shows, saves or looks back on a conversation.
"""

import secrets
from dataclasses import dataclass, field, replace

from app.said import Phrase
from engine.conversation import Heard
from engine.emotion import Emotion
from engine.sketch import Manner
from engine.turn import Origin

SOUNDS_KEPT = 8
"""A mind that listens for itself hears so many turns again, and reads those before: 2.6 MB at 5 s a turn."""


@dataclass(frozen=True)
class Exchange:
    """A user turn and its answer. `was_stopped` replies hold only what the person got to hear or read, while
    `written` is all there was.

    `correction` is the label that the person says they felt, where that is another. `speaker` counts the
    people who have talked; `usual` is how this one sounded in `usual_turns` turns before.
    """

    heard: Heard
    key: str = field(default_factory=lambda: secrets.token_hex(6))
    speaker: int = 1
    usual: Manner | None = None
    usual_turns: int = 0
    correction: str = ""
    reply: str = ""
    written: str = ""
    style: str = "neutral"
    strength: float = 1.0
    timings_ms: dict[str, float] = field(default_factory=dict)
    failure: str = ""
    was_stopped: bool = False
    origin: Origin = Origin.MIND
    phrases: tuple[Phrase, ...] = field(default=(), repr=False)

    @property
    def felt(self) -> Emotion:
        """As the person says, where they said so; else as heard."""
        return self.heard.emotion.corrected(self.correction) if self.correction else self.heard.emotion


def with_newest_sounds(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """The exchanges before a new one, without the sound of those that are too old."""
    before = max(0, len(exchanges) - SOUNDS_KEPT + 1)
    old = (replace(each, heard=replace(each.heard, audio=None)) for each in exchanges[:before])
    return (*old, *exchanges[before:])
