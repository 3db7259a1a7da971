"""What travels to the page: every value of the engine as a JSON object with a `type`.

Read by the scripts in `app/static`; the names are theirs too. `app.live.wire` adds those of the socket.
"""

import base64
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from app.exchange import Exchange
from app.page.host import Host
from engine.audio import MAX_FILE_BYTES
from engine.facade import Engine
from engine.safety import PAGE_LINE
from engine.tts import AudioChunk
from engine.turn import Event, Finished, SpeechPiece, TextPiece


def problem(message: str) -> dict[str, Any]:
    """A sentence in place of a result; the conversation goes on."""
    return {"type": "problem", "message": message}


def heard(value: Exchange) -> dict[str, Any]:
    """The person's side of an exchange: as it was heard, and as they say that they felt."""
    heard = value.heard
    return {
        "type": "heard",
        "text": heard.text,
        "words": [{"text": word.text, "confidence": round(word.confidence, 2)} for word in heard.words],
        "emotion": heard.emotion.to_dict(),
        "felt": value.felt.to_dict(),
        "correction": value.correction,
        "disagrees": heard.emotion.disagrees,
        "sound": _sound(value),
        "duration_s": round(heard.duration_s, 2),
        "is_silence": heard.is_silence,
        "is_typed": heard.is_typed,
        "is_foreign": heard.is_foreign,
    }


def _sound(value: Exchange) -> dict[str, Any] | None:
    """The outline of a spoken turn, and how its speaker sounded before."""
    if (outline := value.heard.sketch) is None:
        return None
    usual = value.usual and {**value.usual.to_dict(), "turns": value.usual_turns}
    manner = outline.manner.to_dict()
    return {
        "envelope": outline.envelope,
        "pitch_hz": outline.pitch_hz,
        "mean_pitch_hz": manner["pitch_hz"],
        "level_db": manner["level_db"],
        "usual": usual,
    }


def speech(chunk: AudioChunk) -> dict[str, Any]:
    """Sound as base64 of little-endian 16-bit samples at 24 kHz."""
    pcm = base64.b64encode(samples_16_bit(chunk).tobytes()).decode()
    return {"type": "speech", "text": chunk.text, "pcm": pcm}


def samples_16_bit(chunk: AudioChunk) -> np.ndarray:
    """Little-endian, on every machine."""
    return (np.clip(chunk.audio.samples, -1, 1) * 32767).astype("<i2")


def of_turn(event: Exchange | Event, voice_turns: int) -> dict[str, Any]:
    """`voice_turns` is how many turns tell what is known of the person's voice."""
    match event:
        case Exchange():
            return {**heard(event), "key": event.key}
        case TextPiece(text):
            return {"type": "text", "text": text}
        case SpeechPiece(chunk):
            return speech(chunk)
        case Finished(text, style, timings_ms, failure, origin):
            return {
                "type": "finished",
                "reply": text,
                "written": text,
                "origin": origin.value,
                "style": style.name,
                "strength": round(style.strength, 2),
                "timings_ms": rounded(timings_ms),
                "failure": failure,
                "voice_turns": voice_turns,
            }


def exchange(value: Exchange) -> dict[str, Any]:
    """A past turn, for a page that was loaded again."""
    return {
        "key": value.key,
        "heard": heard(value),
        "reply": value.reply,
        "written": value.written,
        "origin": value.origin.value,
        "style": value.style,
        "strength": round(value.strength, 2),
        "timings_ms": rounded(value.timings_ms),
        "failure": value.failure,
        "was_stopped": value.was_stopped,
    }


def conversation(exchanges: Iterable[Exchange], voice_turns: int) -> dict[str, Any]:
    """All that was said, for a page that has lost it, or has opened a saved conversation."""
    return {"exchanges": [exchange(each) for each in exchanges], "voice_turns": voice_turns}


def status(host: Host, *, may_choose: bool) -> dict[str, Any]:
    """Where the start stands, and what the engine in use is made of."""
    loading, engine = host.loading, host.engine
    return {
        "type": "status",
        "phase": loading.phase,
        "problem": loading.problem,
        "downloads": [asdict(progress) for progress in loading.downloads.values()],
        "choice": asdict(loading.choice),
        "may_choose": may_choose,
        "max_file_bytes": MAX_FILE_BYTES,
        "safety": PAGE_LINE,
        "engine": engine and _standing(engine),
    }


def _standing(engine: Engine) -> dict[str, Any]:
    return {
        "reason": engine.reason,
        "notices": [asdict(notice) for notice in engine.notices],
        "parts": {
            "ears": engine.ears.name,
            "mind": engine.mind.name if engine.mind else "",
            "voice": engine.voice.name,
        },
        "voices": list(engine.voice.voices()),
        "ends": list(engine.ends),
    }


def rounded(timings_ms: dict[str, float]) -> dict[str, float]:
    return {stage: round(ms, 1) for stage, ms in timings_ms.items()}
