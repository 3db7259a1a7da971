"""What the strategies of turn taking are told: the state of a talk as a `Pause` or an `Onset`.

Called by `app.live.talk` at every frame of a silence, and of a sound during the reply.
"""

from app.live.capture import Capture
from app.live.reply import Answer
from app.said import INTERRUPTED
from app.session import Session
from engine.turns import Onset, Pause


def pause_of(capture: Capture, answer: Answer | None, session: Session, silence_s: float) -> Pause:
    """`answer` is what was prepared in this pause, once it was long enough."""
    heard = answer.heard if answer else None
    return Pause(
        silence_s=silence_s,
        speech_s=capture.turn_s,
        samples=capture.recent,
        text=heard.text if heard else capture.text,
        emotion=heard.emotion if heard else None,
        ending=heard.ending if heard else None,
        was_asked=_was_asked(session),
        own_pauses_s=tuple(capture.own_pauses_s),
    )


def onset_of(capture: Capture, answer: Answer | None, duration_s: float) -> Onset:
    """`answer` is the one that sounds."""
    return Onset(
        duration_s=duration_s,
        speech_s=capture.speech_s,
        text=capture.text,
        being_said=answer.sounding() if answer else "",
        reply_age_s=answer.played_s if answer else 0.0,
    )


def _was_asked(session: Session) -> bool:
    last = session.exchanges[-1:]
    return bool(last) and last[0].reply.rstrip(f" {INTERRUPTED}").endswith("?")
