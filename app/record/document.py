"""A conversation as a file to keep, and back: JSON with a version, for another day, browser or machine.

Written and read when a person asks for it. It holds what was said, felt, answered and measured; the page may
add its recordings under "sounds", which no server reads. A file may come from anybody, so that nothing is
taken from it but text within limits, numbers within theirs, and names that we know.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np

from app.exchange import Exchange
from app.record.checked import FOREIGN, Fields, damaged, parse
from engine.asr import Word
from engine.baseline import VoiceBaseline
from engine.calibration import Calibration
from engine.conversation import Heard
from engine.emotion import EMOTIONS, Emotion
from engine.errors import BadInput
from engine.hearing import VoiceSpace
from engine.sketch import Manner, Sketch
from engine.tts import STYLES
from engine.turn import Origin

FORMAT, VERSION = "attune-conversation", 1

MAX_BYTES = 20 * 2**20
"""Of a file without its sounds. 1,000 spoken turns of 35 words have 7 MB."""
MAX_EXCHANGES = 2000
MAX_TEXT = 1_000_000
"""Characters: of ten hours of talk."""
MAX_WORDS = 200_000
MAX_STAGES = 20
MAX_COUNT = 10**6
MAX_S = 1e6
MAX_MS = 1e9
MAX_VOICE = 1e4
"""Of a number in a voice's mean. Much larger ones would end in no number at all."""

_KEY = re.compile(r"[0-9a-f]{12}")
_STAGE = re.compile(r"[a-z_]{1,30}")


@dataclass(frozen=True)
class Saved:
    """What a session is made of, and which ears have learned the `baseline`."""

    exchanges: Sequence[Exchange]
    baseline: VoiceBaseline
    voice_space: VoiceSpace
    calibrated: Calibration
    """What was learned from corrections besides those in `exchanges`."""
    speaker: int

    def knows_voice_for(self, space: VoiceSpace) -> bool:
        """Whether `baseline` tells ears of that space anything. Others would refuse it at every turn."""
        mean = self.baseline.mean
        return mean is not None and self.voice_space == space and mean.shape == (space.width,)


def write(saved: Saved) -> dict[str, Any]:
    """The document, ready for `json.dumps`."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "exchanges": [_exchange(exchange) for exchange in saved.exchanges],
        "baseline": {**saved.baseline.to_dict(), "kept_by": asdict(saved.voice_space)},
        "calibration": saved.calibrated.to_dict(),
        "speaker": saved.speaker,
    }


def read(data: bytes) -> Saved:
    """What `write` wrote. Raises `BadInput`, with one sentence, for anything else."""
    if len(data) > MAX_BYTES:
        limit_mb = MAX_BYTES // 2**20
        raise BadInput(f"That file is too large: without its sounds it may have at most {limit_mb} MB.")
    parsed = parse(data)
    if not isinstance(parsed, Mapping) or parsed.get("format") != FORMAT:
        raise BadInput(FOREIGN)
    document = Fields(parsed)
    version = document.whole("version", 1, MAX_COUNT)
    if version > VERSION:
        raise BadInput(
            f"That conversation was exported by a newer Attune (version {version}; this one reads {VERSION}):"
            " update Attune to open it."
        )
    exchanges = tuple(_read_exchange(each) for each in document.each("exchanges", MAX_EXCHANGES))
    if len({exchange.key for exchange in exchanges}) < len(exchanges):
        raise damaged("exchanges", "key")
    return Saved(
        exchanges=exchanges,
        baseline=_read_baseline(document),
        voice_space=_read_voice_space(document.fields("baseline").fields("kept_by")),
        calibrated=document.made("calibration", Calibration.from_dict),
        speaker=document.whole("speaker", 1, MAX_COUNT),
    )


def _exchange(exchange: Exchange) -> dict[str, Any]:
    """Without the sound and how long its phrases took: what was interrupted has been cut already."""
    return {
        "key": exchange.key,
        "heard": _heard(exchange.heard),
        "correction": exchange.correction,
        "speaker": exchange.speaker,
        "usual": exchange.usual and exchange.usual.to_dict(),
        "usual_turns": exchange.usual_turns,
        "reply": exchange.reply,
        "written": exchange.written,
        "style": exchange.style,
        "strength": exchange.strength,
        "timings_ms": dict(exchange.timings_ms),
        "failure": exchange.failure,
        "was_stopped": exchange.was_stopped,
        "origin": exchange.origin.value,
    }


def _read_exchange(fields: Fields) -> Exchange:
    key = fields.text("key", 12)
    if not _KEY.fullmatch(key):
        raise fields.damaged("key")
    return Exchange(
        heard=_read_heard(fields.fields("heard")),
        key=key,
        speaker=fields.whole("speaker", 1, MAX_COUNT),
        usual=fields.made("usual", Manner.from_dict) if fields.has("usual") else None,
        usual_turns=fields.whole("usual_turns", 0, MAX_COUNT),
        correction=fields.one_of("correction", ("", *EMOTIONS)),
        reply=fields.text("reply", MAX_TEXT),
        written=fields.text("written", MAX_TEXT),
        style=fields.one_of("style", STYLES),
        strength=fields.number("strength", 0, 1),
        timings_ms=_read_timings(fields.fields("timings_ms")),
        failure=fields.text("failure", MAX_TEXT),
        was_stopped=fields.flag("was_stopped"),
        origin=Origin(fields.one_of("origin", [origin.value for origin in Origin])),
    )


def _heard(heard: Heard) -> dict[str, Any]:
    emotion = heard.emotion
    return {
        "text": heard.text,
        # Not rounded as for the page: of two feelings that are nearly even the same one must lead again.
        "emotion": {
            "scores": dict(emotion.scores),
            "abstained": emotion.abstained,
            "voice": emotion.voice and dict(emotion.voice),
            "words": emotion.words and dict(emotion.words),
        },
        "duration_s": heard.duration_s,
        "speech_s": heard.speech_s,
        "is_typed": heard.is_typed,
        "is_foreign": heard.is_foreign,
        "timings_ms": dict(heard.timings_ms),
        "words": [asdict(word) for word in heard.words],
        "sketch": heard.sketch and heard.sketch.to_dict(),
    }


def _read_heard(fields: Fields) -> Heard:
    return Heard(
        text=fields.text("text", MAX_TEXT),
        emotion=fields.made("emotion", Emotion.from_dict),
        duration_s=fields.number("duration_s", 0, MAX_S),
        speech_s=fields.number("speech_s", 0, MAX_S),
        is_typed=fields.flag("is_typed"),
        is_foreign=fields.flag("is_foreign"),
        timings_ms=_read_timings(fields.fields("timings_ms")),
        words=tuple(_read_word(word) for word in fields.each("words", MAX_WORDS)),
        sketch=fields.made("sketch", Sketch.from_dict) if fields.has("sketch") else None,
    )


def _read_word(fields: Fields) -> Word:
    return Word(
        text=fields.text("text", 1000),
        start_s=fields.number("start_s", 0, MAX_S),
        end_s=fields.number("end_s", 0, MAX_S),
        confidence=fields.number("confidence", 0, 1),
    )


def _read_timings(fields: Fields) -> dict[str, float]:
    stages = fields.names()
    if len(stages) > MAX_STAGES or not all(map(_STAGE.fullmatch, stages)):
        raise fields.damaged("stages")
    return {stage: fields.number(stage, -MAX_MS, MAX_MS) for stage in stages}


def _read_baseline(document: Fields) -> VoiceBaseline:
    baseline = document.made("baseline", VoiceBaseline.from_dict)
    is_voice = baseline.mean is None or (np.abs(baseline.mean) <= MAX_VOICE).all()
    if baseline.count > MAX_COUNT or not is_voice:
        raise document.damaged("baseline")
    return baseline


def _read_voice_space(fields: Fields) -> VoiceSpace:
    return VoiceSpace(fields.text("ears", 100), fields.whole("width", 0, MAX_COUNT))
