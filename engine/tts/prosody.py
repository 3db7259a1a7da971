"""What each style does to a synthesizer that cannot act, only be steered: a table of modest moves.

Read by the voices that are steered by numbers (espeak-ng, Kokoro). A voice that
has learned styles takes the `Style` itself and does not need this.
"""

from dataclasses import dataclass, fields, replace

from engine.tts import Style


@dataclass(frozen=True)
class Prosody:
    """Moves away from the plain voice; all zero is neutral. Fractions: 0.1 is 10 % more."""

    rate: float = 0.0
    pitch: float = 0.0
    range: float = 0.0
    pauses: float = 0.0
    volume_db: float = 0.0


_PROSODY = {
    "neutral": Prosody(),
    "warm": Prosody(rate=-0.04, pitch=-0.02, range=0.15, pauses=0.1),
    "cheerful": Prosody(rate=0.06, pitch=0.12, range=0.40, pauses=-0.15, volume_db=1.0),
    "gentle": Prosody(rate=-0.10, pitch=-0.04, range=-0.15, pauses=0.35, volume_db=-2.0),
    "calm": Prosody(rate=-0.12, pitch=-0.08, range=-0.25, pauses=0.40, volume_db=-1.0),
    "excited": Prosody(rate=0.12, pitch=0.18, range=0.60, pauses=-0.30, volume_db=1.5),
    "concerned": Prosody(rate=-0.07, pitch=-0.06, range=0.10, pauses=0.25, volume_db=-1.0),
    "playful": Prosody(rate=0.04, pitch=0.10, range=0.50, pauses=-0.05),
}

_PAUSES_S = {".": 0.35, "!": 0.35, "?": 0.35, ";": 0.25, ":": 0.25, ",": 0.15}
_PAUSE_WITHOUT_MARK_S = 0.08


def prosody(style: Style) -> Prosody:
    """The moves of `style`, scaled by its strength (0 to 1); the rate at the speed asked for."""
    full = _PROSODY[style.name]
    moves = Prosody(**{move.name: getattr(full, move.name) * style.strength for move in fields(Prosody)})
    return replace(moves, rate=(1 + moves.rate) * style.speed - 1)


def pause_after_s(text: str, moves: Prosody) -> float:
    """Seconds of silence that the last mark of `text` asks for before the next phrase."""
    return _PAUSES_S.get(text.rstrip()[-1:], _PAUSE_WITHOUT_MARK_S) * (1 + moves.pauses)
