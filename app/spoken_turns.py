"""`python -m app turn`: spoken turns answered without a browser, in one conversation."""

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import audio, cli
from engine.audio import Audio
from engine.baseline import VoiceBaseline
from engine.conversation import Heard, Turn
from engine.errors import BadInput
from engine.facade import Engine, remember, remember_voice
from engine.tts import SAMPLE_RATE_HZ
from engine.turn import Finished, SpeechPiece, TextPiece


@dataclass(frozen=True, eq=False)
class Answered:
    """One turn after it is over; `speech` is None where nothing was said aloud."""

    heard: Heard
    finished: Finished
    speech: Audio | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="WAV", help="recordings, one turn each, in order")
    parser.add_argument("--out", type=Path, metavar="WAV", help="reply.wav; later turns get reply-2.wav, …")
    parser.add_argument("--json", action="store_true", help="one JSON object a turn")


def run(args: argparse.Namespace) -> int:
    if args.out and not args.out.absolute().parent.is_dir():
        raise BadInput(f"{args.out.parent}: there is no such folder to write the reply to.")
    engine = cli.load_engine(args)
    conversation: tuple[Turn, ...] = ()
    baseline = VoiceBaseline()
    number = 0

    def work(path: str) -> dict:
        nonlocal conversation, baseline, number
        number += 1
        recording = audio.read(path)
        answered = answer(engine, conversation, recording, baseline)
        baseline = remember_voice(baseline, answered.heard)
        conversation = remember(conversation, answered.heard, answered.finished.text)
        if answered.finished.failure:
            cli.tell(answered.finished.failure)
        reply_path = _write(answered.speech, _numbered(args.out, number)) if args.out else None
        return _row(path, answered, reply_path)

    return cli.each(args.files, work, cli.show_json if args.json else _show)


def answer(
    engine: Engine,
    conversation: Iterable[Turn],
    recording: Audio,
    baseline: VoiceBaseline = VoiceBaseline(),
) -> Answered:
    """Hear `recording` and answer it after `conversation`; timings count from the last speech sample."""
    started = time.perf_counter()
    before = tuple(conversation)
    heard = engine.hear(recording, baseline, before)
    speech = []
    for event in engine.turn(before, heard, started=started):
        match event:
            case SpeechPiece(chunk):
                speech.append(chunk.audio.samples)
            case TextPiece():
                pass
            case Finished():
                finished = event
    return Answered(heard, finished, Audio(np.concatenate(speech), SAMPLE_RATE_HZ) if speech else None)


def _row(path: str, answered: Answered, reply_path: Path | None) -> dict:
    """The keys of `--json`."""
    timings = {**answered.heard.timings_ms, **answered.finished.timings_ms}
    return {
        "audio": path,
        "transcript": answered.heard.text,
        "is_foreign": answered.heard.is_foreign,
        "emotion": answered.heard.emotion.to_dict(),
        "reply": answered.finished.text,
        "reply_audio": str(reply_path) if reply_path else None,
        "style": answered.finished.style.name,
        "timings_ms": {
            stage: round(timings[stage], 1) if stage in timings else None
            for stage in ("ears", "first_text", "first_audio", "total")
        },
    }


def _show(row: dict) -> None:
    if "error" in row:
        cli.tell(f"{row['audio']}: {row['error']}")
        return
    emotion = row["emotion"]
    feeling = "not sure" if emotion["abstained"] else f"{emotion['label']} {emotion['confidence']:.0%}"
    words = row["transcript"] or ("(not English, it seems)" if row["is_foreign"] else "…")
    cli.show(f"You ({feeling}): {words}\nAttune: {row['reply']}")


def _numbered(out: Path, number: int) -> Path:
    return out if number == 1 else out.with_stem(f"{out.stem}-{number}")


def _write(speech: Audio | None, path: Path) -> Path | None:
    if speech is None:
        return None
    cli.write_wav(path, speech)
    return path
