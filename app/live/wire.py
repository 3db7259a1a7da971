"""The frames of `/attune/live`: JSON and PCM ↔ the messages of `app.live.messages`.

Used by `app.live.socket` alone. What comes up is checked here, and nowhere else; what is refused is refused
with a sentence.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.live.capture import Span
from app.live.messages import (
    AnswerNow,
    Caption,
    Hush,
    Muted,
    Nothing,
    Outbox,
    Played,
    Problem,
    Reopened,
    Sound,
    Standing,
    Stop,
    Typed,
    Volume,
)
from app.page import events
from app.page.limits import MAX_TEXT, typed
from app.preferences import Preferences
from engine.audio import SPEECH_RATE_HZ
from engine.errors import BadInput
from engine.turn import SpeechPiece

MAX_SOUND_BYTES = 2 * SPEECH_RATE_HZ
"""One second. The page sends 20 ms at a time; who sends much more at once would be answered late."""

PATIENCE = (0.5, 3.0)
"""The least and the most that a person may ask for, as a factor of the usual wait."""

MAX_JSON_CHARACTERS = 6 * MAX_TEXT + 1_000
"""A typed turn whose every character is written as an escape, and what is around it."""


@dataclass(frozen=True)
class Begin:
    """The first message: which conversation, and how it is to be held."""

    conversation: str
    preferences: Preferences
    end: str
    hears_while_speaking: bool
    patience: float
    """How many times the usual silence it takes to end a turn."""


Up = Begin | Sound | Played | Muted | Typed | Stop | AnswerNow
Frame = str | bytes


def read(frame: Frame) -> Up:
    """What a frame from the page means. Raises `BadInput`."""
    return _sound(frame) if isinstance(frame, bytes) else _message(frame)


def write(message: Outbox, voice_turns: int) -> Iterator[Frame]:
    """The frames that tell the page: one of JSON; for speech, its sound as another."""
    yield said(_object(message, voice_turns))
    if isinstance(message, SpeechPiece):
        yield events.samples_16_bit(message.chunk).tobytes()


def said(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _object(message: Outbox, voice_turns: int) -> dict[str, Any]:
    match message:
        case Standing(state, needed_s):
            # "Until a button is pressed" is no number that JSON could carry.
            is_awaited = needed_s is not None and math.isfinite(needed_s)
            return {
                "type": "attune.standing",
                "state": state.value,
                "needed_s": needed_s if is_awaited else None,
            }
        case Caption(text, settled):
            return {"type": "attune.caption", "text": text, "settled": settled}
        case Volume(is_low):
            return {"type": "attune.volume", "is_low": is_low}
        case Hush(reply):
            return {"type": "attune.hush", "reply": reply}
        case Reopened():
            return {"type": "attune.reopened"}
        case Span(first, last):
            return {"type": "attune.span", "first": first, "last": last}
        case Nothing():
            return {"type": "attune.nothing"}
        case Problem(sentence):
            return events.problem(sentence)
        case SpeechPiece(chunk):
            return {"type": "speech", "text": chunk.text}
        case _:
            return events.of_turn(message, voice_turns)


def _sound(frame: bytes) -> Sound:
    if len(frame) > MAX_SOUND_BYTES:
        raise BadInput(
            f"That is {len(frame):,} bytes of sound at once; send at most {MAX_SOUND_BYTES:,}, better 640."
        )
    if len(frame) % 2:
        raise BadInput(f"Sound travels as 16-bit samples, and {len(frame):,} bytes are not whole ones.")
    return Sound(np.frombuffer(frame, dtype="<i2").astype(np.float32) / 32768)


def _message(frame: str) -> Up:
    if len(frame) > MAX_JSON_CHARACTERS:
        raise BadInput(
            f"That message has {len(frame):,} characters; at most {MAX_JSON_CHARACTERS:,} are read."
        )
    try:
        fields = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise BadInput("A text message here is a JSON object.") from error
    if not isinstance(fields, dict):
        raise BadInput("A text message here is a JSON object.")
    match fields.get("type"):
        case "attune.begin":
            return Begin(
                _field(fields, "conversation", str),
                Preferences.wished(_field(fields, "voice", str, ""), _number(fields, "speed", 1.0)),
                _field(fields, "end", str, ""),
                _field(fields, "hears_while_speaking", bool, True),
                _patience(fields),
            )
        case "attune.played":
            return Played(max(_number(fields, "duration_s"), 0.0), _field(fields, "is_over", bool, False))
        case "attune.muted":
            return Muted(_field(fields, "is_on", bool))
        case "attune.typed":
            return Typed(typed(_field(fields, "text", str)))
        case "attune.stop":
            return Stop()
        case "attune.answer-now":
            return AnswerNow()
        case unknown:
            raise BadInput(f"Nothing here is called {str(unknown)[:40]!r}.")


def _number(fields: dict[str, Any], name: str, default: float | None = None) -> float:
    value = fields.get(name, default)
    # An int of a thousand digits is one for JSON; a bool is one for Python.
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9
    if not is_number:
        raise BadInput(f"{fields['type']} needs a number as {name!r}.")
    return float(value)


def _patience(fields: dict[str, Any]) -> float:
    least, most = PATIENCE
    if not least <= (value := _number(fields, "patience", 1.0)) <= most:
        raise BadInput(f"{fields['type']} needs 'patience' between {least} and {most}, not {value:g}.")
    return value


def _field(fields: dict[str, Any], name: str, kind: type, default: object = None) -> Any:
    value = fields.get(name, default)
    if not isinstance(value, kind):
        what = {str: "a text", bool: "true or false"}[kind]
        raise BadInput(f"{fields['type']} needs {what} as {name!r}.")
    return value
